package stats

import (
	"math/rand/v2"
	"os"
	"testing"
)

func TestTracker(t *testing.T) {
	const f, l, d = Fresh, Late, Double
	for _, tt := range []struct {
		name    string
		numbers []uint64
		want    []Verdict
		sent    uint64
		missing uint64
	}{
		{"in order", []uint64{0, 1, 2}, []Verdict{f, f, f}, 3, 0},
		{"none came", nil, nil, 3, 3},
		{"the first is missing", []uint64{1, 2}, []Verdict{f, f}, 3, 1},
		{"the last are missing", []uint64{0}, []Verdict{f}, 4, 3},
		{"a gap", []uint64{0, 4}, []Verdict{f, f}, 5, 3},
		{"only gaps count", []uint64{0, 4}, []Verdict{f, f}, 0, 3},
		{"a gap that closes", []uint64{0, 3, 2, 1}, []Verdict{f, f, l, l}, 4, 0},
		{"a gap that is filled from its middle", []uint64{5, 2, 0, 4, 1, 3}, []Verdict{f, l, l, l, l, l}, 6, 0},
		{"the same twice", []uint64{0, 0, 1, 0}, []Verdict{f, d, f, d}, 2, 0},
		{"twice behind a gap", []uint64{0, 3, 3, 1, 1, 0}, []Verdict{f, f, d, l, d, d}, 4, 1},
		{"twice between gaps", []uint64{1, 3, 1, 3, 2}, []Verdict{f, f, d, d, l}, 4, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tr Tracker
			for i, n := range tt.numbers {
				if got := tr.Take(n); got != tt.want[i] {
					t.Errorf("number %d of %v is %d, want %d", i, tt.numbers, got, tt.want[i])
				}
			}
			if got := tr.Missing(tt.sent); got != tt.missing {
				t.Errorf("%d are missing, want %d", got, tt.missing)
			}
		})
	}
}

// A tracker says what a set of all numbers says, whatever comes in which order.
func TestTrackerAgainstSet(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var tr Tracker
		seen := map[uint64]bool{}
		highest, sent := int64(-1), uint64(60)
		for range 150 {
			n := r.Uint64N(sent)
			want := Fresh
			switch {
			case seen[n]:
				want = Double
			case int64(n) < highest:
				want = Late
			}
			if got := tr.Take(n); got != want {
				t.Fatalf("seed %d: %d is %d, want %d", seed, n, got, want)
			}
			seen[n], highest = true, max(highest, int64(n))
			if got := tr.Missing(sent); got != sent-uint64(len(seen)) {
				t.Fatalf("seed %d: %d are missing, want %d", seed, got, sent-uint64(len(seen)))
			}
		}
	}
}

// A flight says what a tracker says, knows when each message was to be sent, and keeps
// nothing of what is answered.
func TestFlightAgainstTracker(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		var (
			f  Flight
			tr Tracker
		)
		for i := range uint64(100) {
			if n := f.Send(int64(1000 + i)); n != i {
				t.Fatalf("message %d has number %d", i, n)
			}
			for range r.IntN(3) {
				n := r.Uint64N(i + 2)
				at, got, _, ok := f.Answer(n)
				if n > i {
					if ok {
						t.Fatalf("seed %d: the answer to %d is ok before it was sent", seed, n)
					}
					continue
				}
				if want := tr.Take(n); !ok || got != want || got != Double && at != int64(1000+n) {
					t.Fatalf("seed %d: answer to %d: %d, %d, %v, want %d", seed, n, at, got, ok, want)
				}
			}
			if f.Waiting() != int(tr.Missing(f.Sent())) {
				t.Fatalf("seed %d: %d wait, want %d", seed, f.Waiting(), tr.Missing(f.Sent()))
			}
		}
	}
	var f Flight
	for i := range 100 {
		f.Send(int64(i))
	}
	for i := range uint64(100) {
		f.Answer(i)
	}
	if f.times != nil {
		t.Error("it keeps times of what is answered")
	}
}

func TestFlightGivesUp(t *testing.T) {
	var f Flight
	for at := range int64(5) {
		f.Send(at)
	}
	f.Answer(1)
	if n := f.GiveUp(3); n != 2 { // 0 and 2
		t.Errorf("%d were given up", n)
	}
	if n := f.GiveUp(3); n != 0 {
		t.Errorf("%d were given up again", n)
	}
	for n, given := range map[uint64]bool{0: true, 3: false} {
		if _, v, got, ok := f.Answer(n); got != given || !ok || v == Double {
			t.Errorf("answer to %d: %d, %v, %v", n, v, got, ok)
		}
	}
	if f.Waiting() != 2 {
		t.Errorf("%d wait", f.Waiting())
	}
}

func TestStamp(t *testing.T) {
	for _, s := range []Stamp{
		{},
		{Run: 1, Group: 2, Sender: 3, Seq: 4, At: 5},
		{Run: 1<<24 - 1, Group: 1<<24 - 1, Sender: 1<<24 - 1, Seq: 1<<36 - 1, At: 1<<48 - 1},
	} {
		b := s.Append([]byte("x"))
		if len(b) != 1+StampSize {
			t.Errorf("it has %d bytes", len(b)-1)
		}
		if got, ok := ParseStamp(append(b[1:], " and more"...)); !ok || got != s {
			t.Errorf("got %+v, want %+v", got, s)
		}
		for i := 1; i < len(b); i++ {
			bad := append([]byte(nil), b[1:]...)
			bad[i-1] = '"'
			if _, ok := ParseStamp(bad); ok {
				t.Errorf("%q is taken for a stamp", bad)
			}
		}
		if _, ok := ParseStamp(b[2:]); ok {
			t.Error("half a stamp is taken for one")
		}
	}
}

// What was to happen outside of the measured time is in the series, but not in the result.
func TestRecorder(t *testing.T) {
	r := NewRecorder([]string{"a", "b"}, 2)
	r.From, r.To = 100e6, 200e6
	for _, at := range []int64{99e6, 100e6, 199e6, 200e6} {
		r.Latency(1, at, at+5e6)
		r.Sent(1, at)
		r.Received(1, at, Fresh)
	}
	r.Received(1, 100e6, Double)
	r.Received(1, 100e6, Late)
	r.Setup(0, 0, 7e6)
	r.Error("x")
	i := r.Swap()
	if i.Sent != 4 || i.Received != 5 || i.Errors != 1 || i.Hists[1].Count() != 4 || i.Hists[0].Count() != 1 {
		t.Errorf("interval: %+v", i)
	}
	r.Recycle(i)
	if i.Sent != 0 || i.Hists[1].Count() != 0 || r.Swap() == i || r.Swap() != i {
		t.Error("a recycled interval is not used again")
	}
	total := NewTotals([]string{"a", "b"}, 2)
	r.AddTo(total)
	r.AddTo(total)
	if c := total.Counters[1]; c.Sent != 4 || c.Received != 6 || c.Doubled != 2 || c.Reordered != 2 || total.Errors["x"] != 2 {
		t.Errorf("totals: %+v", total)
	}
	if h := total.Hists[1]; h.Count() != 4 || h.Max() < 4.99 || h.Max() > 5.01 || h.Quantile(50) < 4.99 || h.Min() < 4.99 || h.Mean() < 4.9 {
		t.Errorf("%d latencies, %v to %v ms", h.Count(), h.Min(), h.Max())
	}
}

// A server that makes up errors does not fill the memory.
func TestErrorKindsAreBounded(t *testing.T) {
	r := NewRecorder(nil, 0)
	for i := range 3 * maxKinds {
		r.Error(string(rune('a' + i)))
	}
	total := NewTotals(nil, 0)
	r.AddTo(total)
	if len(total.Errors) > maxKinds+1 || total.Errors["other"] != 2*maxKinds {
		t.Errorf("%d kinds, %d others", len(total.Errors), total.Errors["other"])
	}
}

// What is out of range counts as the largest or smallest.
func TestHistRange(t *testing.T) {
	h := NewHist()
	h.Record(-5)
	h.Record(1 << 62)
	if h.Count() != 2 || h.Min() != 0 || h.Max() < 599_000 {
		t.Errorf("%d from %v to %v", h.Count(), h.Min(), h.Max())
	}
	h.Reset()
	if h.Count() != 0 || h.Quantile(99) != 0 {
		t.Error("it is not empty")
	}
}

func TestReadProcess(t *testing.T) {
	p, err := ReadProcess(os.Getpid())
	if err != nil || p.RSS < 1<<20 {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := ReadProcess(1<<22 + 1); err == nil {
		t.Error("a process that is not there has a size")
	}
}
