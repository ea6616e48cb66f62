package loop

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// firings notes which timers fired, and when by the reactor's clock.
type firings struct {
	mu  sync.Mutex
	all []string
}

// namedTimer is a timer that notes its firing.
type namedTimer struct {
	Timer

	name  string
	start time.Time
	to    *firings
	fired chan struct{}
}

// OnTimer is called when the timer is due.
func (t *namedTimer) OnTimer(l *Loop, _ *Timer) {
	t.to.mu.Lock()
	defer t.to.mu.Unlock()
	t.to.all = append(t.to.all, t.name+" "+l.Now().Sub(t.start).String())
	close(t.fired)
}

func (f *firings) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := ""
	for _, s := range f.all {
		all += s + ";"
	}
	f.all = nil
	return all
}

// schedule starts a timer on a loop.
func (f *firings) schedule(t *testing.T, r *Reactor, l *Loop, name string, d time.Duration) *namedTimer {
	t.Helper()
	timer := &namedTimer{name: name, start: r.Now(), to: f, fired: make(chan struct{})}
	if err := r.Await(t.Context(), l, func(l *Loop) { l.Schedule(&timer.Timer, d, timer) }); err != nil {
		t.Fatal(err)
	}
	return timer
}

// While the clock is held, Step alone fires timers: those of all loops in order,
// each at its time.
func TestHeldClock(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.Loops = 2 })
	r, got := f.Reactor, new(firings)
	early := got.schedule(t, r, r.Loops()[0], "early", 100*time.Millisecond)
	got.schedule(t, r, r.Loops()[1], "far", time.Hour)
	r.Hold()
	r.Hold() // is no different
	start := r.Now()
	fired := got.take() // nothing, unless this test was stopped for a while
	got.schedule(t, r, r.Loops()[0], "c", 30*time.Second)
	got.schedule(t, r, r.Loops()[1], "b", 2*time.Second)
	got.schedule(t, r, r.Loops()[0], "a", time.Second)
	time.Sleep(150 * time.Millisecond) // nothing to wait for: real time is to do nothing
	if fired += got.take(); fired != "" && early.start.Add(100*time.Millisecond).After(start) {
		t.Errorf("by real time fired %s", fired)
	}
	if d := r.Now().Sub(start); d != 0 {
		t.Errorf("the time has moved by %v", d)
	}
	step := func(limit time.Duration) {
		t.Helper()
		for limit > 0 {
			d, err := r.Step(t.Context(), limit)
			if err != nil || d > limit {
				t.Fatalf("moved by %v of %v, %v", d, limit, err)
			}
			limit -= d
		}
	}
	step(time.Second - time.Nanosecond)
	if fired += got.take(); len(fired) < len("early ") || fired[:6] != "early " {
		t.Errorf("within a second fired %s", fired)
	}
	step(time.Nanosecond)
	if fired := got.take(); fired != "a 1s;" {
		t.Errorf("at one second fired %s", fired)
	}
	if step(time.Hour + time.Second); !strings.HasPrefix(got.take(), "b 2s;c 30s;far ") {
		t.Error("the others did not fire in order")
	}
	if d := r.Now().Sub(start); d != time.Hour+2*time.Second {
		t.Errorf("the time has moved by %v", d)
	}

	// Released, it runs on, with the timers that were started meanwhile.
	last := got.schedule(t, r, r.Loops()[1], "last", 5*time.Millisecond)
	r.Release()
	r.Release()
	<-last.fired
	if d := r.Now().Sub(start); d < time.Hour+2*time.Second+5*time.Millisecond || r.Held() {
		t.Errorf("the time has moved by %v, held: %v", d, r.Held())
	}
	r.Hold()
	if d := r.Now().Sub(start); d < time.Hour+2*time.Second+4*time.Millisecond {
		t.Errorf("it went back to %v", d)
	}
}

// Look counts what happens, but not itself.
func TestLook(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.Loops = 2 })
	r := f.Reactor
	look := func() Activity {
		t.Helper()
		a, err := r.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := look()
	if again := look(); again != before || again.Flushing != 0 || again.Serving != 0 {
		t.Errorf("from %+v to %+v", before, again)
	}
	r.Loops()[1].Post(TaskFunc(func(*Loop) {}))
	if after := look(); after.Steps != before.Steps+1 {
		t.Errorf("a task: from %+v to %+v", before, after)
	}
	r.Hold()
	new(firings).schedule(t, r, r.Loops()[0], "a", time.Millisecond)
	before = look()
	if _, err := r.Step(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	// The timer, and what Step has asked of each loop.
	if after := look(); after.Steps != before.Steps+1+2*2 {
		t.Errorf("a timer: from %+v to %+v", before, after)
	}
}

// A loop that does not answer is not waited for without end.
func TestLookAtABusyLoop(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.Loops = 1 })
	release := make(chan struct{})
	f.Loops()[0].Post(TaskFunc(func(*Loop) { <-release }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Look(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Look: %v", err)
	}
	if _, err := f.Step(ctx, time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("Step: %v", err)
	}
	close(release)
}
