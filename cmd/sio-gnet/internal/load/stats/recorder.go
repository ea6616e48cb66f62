package stats

// Recorder is what one event loop has measured. It belongs to the loop; what it is
// asked for is handed out by [Recorder.Swap] and copied by [Recorder.AddTo].
type Recorder struct {
	// From and To bound what counts for the result, by the time it was to be sent. Until
	// they are set, nothing does.
	From, To int64

	names    []string
	total    []*Hist // what was measured, by metric
	interval *Interval
	spare    *Interval
	errors   map[string]int64
	counters []Counters // by part
}

// Counters count messages.
type Counters struct {
	// Sent are the messages that were sent, Received the answers or deliveries that came,
	// both of the measured time.
	Sent     int64
	Received int64
	// The others are of all the run.
	Doubled   int64
	Reordered int64
	// Lost are those that never came. It is known in the end.
	Lost int64
	// Stray are messages that were not for who got them, or of no sender of this run.
	Stray int64
	// Unsent are messages that were not sent since the server did not read.
	Unsent int64
}

// Add adds other.
func (c *Counters) Add(other *Counters) {
	c.Sent += other.Sent
	c.Received += other.Received
	c.Doubled += other.Doubled
	c.Reordered += other.Reordered
	c.Lost += other.Lost
	c.Stray += other.Stray
	c.Unsent += other.Unsent
}

// Interval is what was measured since the last one, whether it counts or not.
type Interval struct {
	Hists    []*Hist // by metric
	Sent     int64
	Received int64
	Errors   int64
}

func newInterval(metrics int) *Interval {
	i := &Interval{Hists: make([]*Hist, metrics)}
	for m := range i.Hists {
		i.Hists[m] = NewHist()
	}
	return i
}

// Reset makes the interval empty.
func (i *Interval) Reset() {
	for _, h := range i.Hists {
		h.Reset()
	}
	i.Sent, i.Received, i.Errors = 0, 0, 0
}

// NewRecorder returns a recorder of these metrics, for so many parts.
func NewRecorder(metrics []string, parts int) *Recorder {
	r := &Recorder{
		names: metrics, interval: newInterval(len(metrics)), spare: newInterval(len(metrics)),
		errors: make(map[string]int64), counters: make([]Counters, parts),
	}
	for range metrics {
		r.total = append(r.total, NewHist())
	}
	return r
}

// Counts says whether what was to happen at a time counts for the result.
func (r *Recorder) Counts(at int64) bool { return at >= r.From && at < r.To }

// Latency adds a latency of what was to happen at a time, and happened now.
func (r *Recorder) Latency(metric int, at, now int64) {
	r.interval.Hists[metric].Record(now - at)
	if r.Counts(at) {
		r.total[metric].Record(now - at)
	}
}

// Setup adds a latency of what comes before the messages, which counts in any case.
func (r *Recorder) Setup(metric int, at, now int64) {
	r.interval.Hists[metric].Record(now - at)
	r.total[metric].Record(now - at)
}

// Part returns the counters of a part.
func (r *Recorder) Part(part int) *Counters { return &r.counters[part] }

// Sent counts a message of a part.
func (r *Recorder) Sent(part int, at int64) {
	r.interval.Sent++
	if r.Counts(at) {
		r.counters[part].Sent++
	}
}

// Received counts an answer or a delivery by what its message turned out to be.
func (r *Recorder) Received(part int, at int64, v Verdict) {
	c := &r.counters[part]
	switch v {
	case Double:
		c.Doubled++
		return
	case Late:
		c.Reordered++
	}
	r.interval.Received++
	if r.Counts(at) {
		c.Received++
	}
}

// maxKinds bounds the kinds of errors that are told apart.
const maxKinds = 50

// Error counts an error of a kind.
func (r *Recorder) Error(kind string) {
	r.interval.Errors++
	if _, known := r.errors[kind]; !known && len(r.errors) >= maxKinds {
		kind = "other"
	}
	r.errors[kind]++
}

// Swap hands out what was measured since the last call. The caller gives it back by
// [Recorder.Recycle].
func (r *Recorder) Swap() *Interval {
	i, next := r.interval, r.spare
	if next == nil {
		next = newInterval(len(r.names))
	}
	r.interval, r.spare = next, nil
	return i
}

// Recycle takes an interval back, to be used again.
func (r *Recorder) Recycle(i *Interval) {
	i.Reset()
	r.spare = i
}

// Totals is the sum of what several recorders have measured.
type Totals struct {
	Metrics  []string
	Hists    []*Hist
	Errors   map[string]int64
	Counters []Counters
}

// NewTotals returns empty totals.
func NewTotals(metrics []string, parts int) *Totals {
	t := &Totals{Metrics: metrics, Errors: make(map[string]int64), Counters: make([]Counters, parts)}
	for range metrics {
		t.Hists = append(t.Hists, NewHist())
	}
	return t
}

// AddTo adds what was measured to t.
func (r *Recorder) AddTo(t *Totals) {
	for m, h := range r.total {
		t.Hists[m].Merge(h)
	}
	for kind, n := range r.errors {
		t.Errors[kind] += n
	}
	for p := range r.counters {
		t.Counters[p].Add(&r.counters[p])
	}
}
