package loop

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/panjf2000/gnet/v2"
)

// countingLoop counts the wake-ups that a loop asks gnet for.
type countingLoop struct {
	gnet.EventLoop

	n atomic.Int64
}

func (c *countingLoop) Execute(ctx context.Context, r gnet.Runnable) error {
	c.n.Add(1)
	return c.EventLoop.Execute(ctx, r)
}

// countWakeups puts a counter in front of the first loop's gnet.
func (f *fixture) countWakeups(tb testing.TB) *countingLoop {
	tb.Helper()
	c := new(countingLoop)
	f.on(tb, func(l *Loop) {
		c.EventLoop = l.gnet
		l.gnet = c
	})
	return c
}

func TestPostsRunInOrder(t *testing.T) {
	f := start(t, echo)
	l := f.loops[0]
	const posters, each = 8, 2000
	var got [posters][]int // on the loop
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			for i := range each {
				l.Post(TaskFunc(func(*Loop) { got[p] = append(got[p], i) }))
			}
		})
	}
	wg.Wait()
	f.on(t, func(*Loop) {
		for p := range got {
			if len(got[p]) != each || !slices.IsSorted(got[p]) {
				t.Errorf("poster %d: %d tasks ran, sorted: %t", p, len(got[p]), slices.IsSorted(got[p]))
			}
		}
	})
}

func TestPostWakesALoopOnce(t *testing.T) {
	f := start(t, echo)
	wakeups := f.countWakeups(t)
	l := f.loops[0]
	entered, goOn := make(chan struct{}), make(chan struct{})
	var ran []int
	f.settle(t)
	before := wakeups.n.Load()
	l.Post(TaskFunc(func(*Loop) { close(entered); <-goOn })) // test only: tasks must not block
	<-entered
	for i := range 100 {
		l.Post(TaskFunc(func(l *Loop) {
			ran = append(ran, i)
			l.Post(TaskFunc(func(*Loop) { ran = append(ran, 1000+i) }))
		}))
	}
	if n := wakeups.n.Load() - before; n != 1 {
		t.Errorf("%d wake-ups for posts to a loop that sleeps and then works, want 1", n)
	}
	close(goOn)
	f.on(t, func(*Loop) {})
	f.on(t, func(*Loop) {
		if len(ran) != 200 || !slices.IsSorted(ran) {
			t.Errorf("ran %v", ran)
		}
	})
}

// TestPostFromTheLoop never lets one turn go on for ever: tasks that post tasks
// leave the sockets their turn.
func TestPostFromTheLoop(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t).upgrade()
	var stop atomic.Bool
	var rounds atomic.Int64
	var again TaskFunc
	again = func(l *Loop) {
		rounds.Add(1)
		if !stop.Load() {
			l.Post(again)
		}
	}
	f.loops[0].Post(again)
	for range 10 {
		c.wantEcho("in between")
	}
	n := rounds.Load()
	eventually(t, "more rounds", func() bool { return rounds.Load() > n+maxMailRounds })
	stop.Store(true)
}

func TestNoWakeupIsLost(t *testing.T) {
	f := start(t, echo, func(o *Options) { o.Loops = 2 })
	// Each token goes back and forth; were one wake-up lost, it would stop.
	const tokens, hops = 16, 2000
	done := make(chan struct{}, tokens)
	for range tokens {
		var hop TaskFunc
		left := hops
		hop = func(l *Loop) {
			if left--; left == 0 {
				done <- struct{}{}
				return
			}
			f.loops[1-l.Index()].Post(hop)
		}
		f.loops[0].Post(hop)
	}
	for range tokens {
		receive(t, "a token", done)
	}
}

func TestPostAfterStop(t *testing.T) {
	f := start(t, echo)
	if err := f.Stop(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.loops[0].Post(TaskFunc(func(*Loop) { t.Error("a task ran") }))
	}
	if err := f.Await(context.Background(), f.loops[0], func(*Loop) {}); err == nil {
		t.Error("Await has waited for a stopped loop")
	}
	if n := f.log.count("ERROR"); n != 0 {
		t.Errorf("logged: %q", f.log.lines)
	}
}

func TestAwaitHeedsItsContext(t *testing.T) {
	f := start(t, echo)
	goOn := make(chan struct{})
	f.loops[0].Post(TaskFunc(func(*Loop) { <-goOn }))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := f.Await(ctx, f.loops[0], func(*Loop) {})
	close(goOn)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Await returned %v", err)
	}
}
