package loop

import (
	"context"
	"sync/atomic"
	"time"
)

// clock is a reactor's time. It runs with the monotonic clock until a test holds
// it: then it moves by [Reactor.Step] alone, and no real time fires anything.
type clock struct {
	started time.Time
	// set is nil unless the clock was held before: in production, telling the time
	// costs one load more.
	set atomic.Pointer[clockSetting]
}

// clockSetting is what the clock shows since it was held or let go; immutable.
type clockSetting struct {
	at    time.Duration // since started
	since time.Time     // when it was let go with that; zero while it is held
}

// elapsed returns the time since the start.
func (k *clock) elapsed() time.Duration {
	s := k.set.Load()
	switch {
	case s == nil:
		return time.Since(k.started)
	case s.since.IsZero():
		return s.at
	default:
		return s.at + time.Since(s.since)
	}
}

func (k *clock) now() time.Time {
	if k.set.Load() == nil {
		return time.Now()
	}
	return k.started.Add(k.elapsed())
}

func (k *clock) held() bool {
	s := k.set.Load()
	return s != nil && s.since.IsZero()
}

// Now returns the time by the reactor's clock, which is the real one unless it
// is held. Any goroutine may call it.
func (r *Reactor) Now() time.Time { return r.clock.now() }

// Now returns the time by the reactor's clock. Any goroutine may call it.
func (l *Loop) Now() time.Time { return l.reactor.clock.now() }

// now returns whole milliseconds since the start.
func (r *Reactor) now() int64 { return int64(r.clock.elapsed() / time.Millisecond) }

// Hold stops the reactor's clock, for tests: from now on no timer fires but by
// [Reactor.Step]. Only one goroutine may call Hold, Step and Release at a time.
func (r *Reactor) Hold() {
	if !r.clock.held() {
		// A whole millisecond, as timers have it, so that they fire exactly then.
		r.clock.set.Store(&clockSetting{at: r.clock.elapsed().Truncate(time.Millisecond)})
	}
}

// Held reports whether the clock is held. Any goroutine may call it.
func (r *Reactor) Held() bool { return r.clock.held() }

// Release lets a clock that was held run on from where it stands.
func (r *Reactor) Release() {
	if !r.clock.held() {
		return
	}
	r.clock.set.Store(&clockSetting{at: r.clock.elapsed(), since: time.Now()})
	for _, l := range r.loops {
		l.Post(TaskFunc(func(l *Loop) {
			l.alarmAt = never // none was set meanwhile
			l.setAlarm()
		}))
	}
}

// Step moves a clock that is held on to the next instant at which a timer of any
// loop may be due, but by limit at most, and fires what is due then. It returns
// by how much it has moved the clock, which can be 0 if something was due
// already. What timers lead to is not waited for: see [Reactor.Look]. It must not
// be called on a loop.
func (r *Reactor) Step(ctx context.Context, limit time.Duration) (time.Duration, error) {
	from := r.clock.elapsed()
	to := from + limit
	for _, l := range r.loops {
		var next int64
		if err := r.Await(ctx, l, func(l *Loop) { next = l.wheel.nextEvent() }); err != nil {
			return 0, err
		}
		if next < int64(to/time.Millisecond) {
			to = max(time.Duration(next)*time.Millisecond, from)
		}
	}
	r.clock.set.Store(&clockSetting{at: to})
	for _, l := range r.loops {
		if err := r.Await(ctx, l, (*Loop).fireTimers); err != nil {
			return to - from, err
		}
	}
	return to - from, nil
}

// Activity is what a reactor is at, for tests that wait until it is idle.
type Activity struct {
	// Steps counts what all loops have done: inputs, tasks, timers, ends of
	// connections. As long as it stays the same, nothing has happened.
	Steps uint64
	// Flushing is how many connections have output that has not left, or are
	// about to be closed; Serving how many http.Handlers are running.
	Flushing, Serving int
}

// Look waits until all loops have done what they had to do when it was called,
// and returns what they are at. It must not be called on a loop.
func (r *Reactor) Look(ctx context.Context) (Activity, error) {
	var a Activity
	for _, l := range r.loops {
		if err := r.Await(ctx, l, func(l *Loop) { l.look(&a) }); err != nil {
			return Activity{}, err // a may still be written to
		}
	}
	a.Serving = r.Handlers()
	return a, nil
}

// look adds what l is at to a.
func (l *Loop) look(a *Activity) {
	l.steps-- // looking is none
	a.Steps += l.steps
	for c := l.conns; c != nil; c = c.next {
		if c.dirty || c.aborted || c.Pending() > 0 {
			a.Flushing++
		}
	}
}
