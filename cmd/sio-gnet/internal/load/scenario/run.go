package scenario

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// The metrics that every run has; those of the parts follow.
const (
	MetricConnect = iota // from when a client was to connect until it has joined
	MetricLag            // from when this program was to do something until it did
	firstPartMetric
)

// Options of a run.
type Options struct {
	Parts []Part
	ID    uint32 // tells the run from others at the same server, 24 bits

	// ConnectRate is how many clients connect a second, 0 for as fast as the server takes
	// them, with Connecting of them on their way at once.
	ConnectRate float64
	Connecting  int
	// GiveUp is after which time a message without an answer no longer counts against its
	// sender's window.
	GiveUp time.Duration
}

// Run is the clients of a run. Its methods may be called from any goroutine, but only
// one of them at a time.
type Run struct {
	opts    Options
	reactor *reactor.Reactor
	metrics []string
	parts   []partInfo
	workers []*worker
	filler  []byte // what messages are filled up with
	public  []bool // by group, whether all clients of the namespace get what it sends

	joined, ready, lost, failed atomic.Int64
}

// partInfo is a part and where its metrics are.
type partInfo struct {
	Part
	index          int
	latency, joins int
}

// New prepares a run. Nothing happens before [Run.Connect].
func New(r *reactor.Reactor, opts Options) *Run {
	run := &Run{opts: opts, reactor: r, metrics: []string{"connect", "lag"}}
	size := 0
	for i := range opts.Parts {
		p := partInfo{Part: opts.Parts[i], index: i, latency: -1, joins: -1}
		if name := p.Latency(); name != "" {
			p.latency = len(run.metrics)
			run.metrics = append(run.metrics, name)
		}
		if name := p.Part.joins(); name != "" {
			p.joins = len(run.metrics)
			run.metrics = append(run.metrics, name)
		}
		run.parts = append(run.parts, p)
		size = max(size, p.Size)
	}
	run.filler = make([]byte, size)
	for i := range run.filler {
		run.filler[i] = "abcdefghijklmnopqrstuvwxyz"[i%26]
	}
	for _, l := range r.Loops() {
		run.workers = append(run.workers, newWorker(run, l))
	}
	firstGroup := uint32(0)
	for i := range run.parts {
		run.populate(&run.parts[i], firstGroup)
		firstGroup += uint32(run.parts[i].groups())
	}
	return run
}

// Metrics returns the names of what is measured: those that every run has first.
func (r *Run) Metrics() []string { return r.metrics }

// Clients returns how many clients the run has.
func (r *Run) Clients() (n int) {
	for i := range r.parts {
		n += r.parts[i].Clients
	}
	return n
}

// populate makes the clients of a part, and gives them to the loops: those of a room to
// one loop.
func (r *Run) populate(p *partInfo, firstGroup uint32) {
	var groups []*group
	for g := range p.groups() {
		r.public = append(r.public, p.Kind == Bcast || p.Kind == Fanout)
		groups = append(groups, newGroup(firstGroup+uint32(g), p, min(p.groupSize(), p.Clients-g*p.groupSize())))
	}
	for i := range p.Clients {
		at := i
		var g *group
		switch p.Kind {
		case Bcast, Fanout:
			g = groups[0]
		case Rooms, Presence:
			g = groups[i/p.RoomSize]
			at = i / p.RoomSize
		}
		w := r.workers[at%len(r.workers)]
		w.add(p, g)
	}
	for _, w := range r.workers {
		w.spread(p)
	}
}

// stray says whether a message is for none of those who do not expect it: what is sent to
// all clients by another part is for them, too.
func (r *Run) stray(s stats.Stamp, stamped bool) bool {
	return !stamped || s.Run != r.opts.ID || int(s.Group) >= len(r.public) || !r.public[s.Group]
}

// each has every loop call f, and waits until all have.
func (r *Run) each(f func(w *worker)) {
	done := make(chan struct{})
	for _, w := range r.workers {
		w.loop.Post(func() {
			f(w)
			done <- struct{}{}
		})
	}
	for range r.workers {
		<-done
	}
}

// Connect begins to connect all clients.
func (r *Run) Connect() {
	r.each(func(w *worker) { w.connect() })
}

// State is how the clients are.
type State struct {
	Joined int // are in their namespaces now
	Ready  int // have done what comes before messages
	Lost   int // were in, and are no more
	Failed int // did not get in
}

// State returns how the clients are now.
func (r *Run) State() State {
	return State{int(r.joined.Load()), int(r.ready.Load()), int(r.lost.Load()), int(r.failed.Load())}
}

// Begin has the clients send from now on, until the time end; what was to be sent from
// the time from on counts for the result.
func (r *Run) Begin(from, end int64) {
	r.each(func(w *worker) { w.begin(from, end) })
}

// Cut brings the end of sending forward to now.
func (r *Run) Cut() {
	r.each(func(w *worker) { w.cut() })
}

// Outstanding returns how many answers and deliveries are still to come.
func (r *Run) Outstanding() (n int64) {
	var sum atomic.Int64
	r.each(func(w *worker) { sum.Add(w.outstanding()) })
	return max(sum.Load(), 0)
}

// Interval is what one loop has measured since the last call.
type Interval struct {
	*stats.Interval

	rec *stats.Recorder
}

// Swap takes what was measured since the last call off the loops. visit must not keep it.
func (r *Run) Swap(visit func(i *Interval)) {
	got := make(chan *Interval, len(r.workers))
	for _, w := range r.workers {
		w.loop.Post(func() { got <- &Interval{w.rec.Swap(), w.rec} })
	}
	var all []*Interval
	for range r.workers {
		i := <-got
		visit(i)
		all = append(all, i)
	}
	r.each(func(w *worker) {
		for _, i := range all {
			if i.rec == w.rec {
				w.rec.Recycle(i.Interval)
			}
		}
	})
}

// Finish counts what was lost and returns all that was measured.
func (r *Run) Finish() *stats.Totals {
	t := stats.NewTotals(r.metrics, len(r.parts))
	var mu sync.Mutex
	r.each(func(w *worker) { // on its loop, where clients may still be joining
		w.finish()
		mu.Lock()
		defer mu.Unlock()
		w.rec.AddTo(t)
	})
	return t
}

// Leave has all clients disconnect.
func (r *Run) Leave() {
	r.each(func(w *worker) { w.leave() })
}
