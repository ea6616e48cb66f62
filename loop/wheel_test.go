package loop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// fireAt advances the wheel to now and returns the timers that fired, each with
// the tick that the wheel had then.
func fireAt(w *wheel, now int64) (timers []*Timer, ticks []int64) {
	w.advance(now, func(t *Timer) {
		timers = append(timers, t)
		ticks = append(ticks, w.now)
	})
	return timers, ticks
}

func TestWheelFiresOnTheTick(t *testing.T) {
	const level1, level2, level3 = int64(1) << 8, int64(1) << 14, int64(1) << 20
	for _, tt := range []struct {
		name      string
		start     int64
		due, want int64 // want is due unless given
	}{
		{name: "next tick", due: 1},
		{name: "past", start: 50, due: 10, want: 51},
		{name: "now", start: 50, due: 50, want: 51},
		{name: "negative", start: 50, due: -1 << 60, want: 51},
		{name: "last of level 0", due: level1 - 1},
		{name: "first of level 1", due: level1},
		{name: "behind the first of level 1", due: level1 + 1},
		{name: "over a border of level 0", start: 200, due: 300},
		{name: "a whole round of level 0", start: 77, due: 77 + level1},
		{name: "last of level 1", due: level2 - 1},
		{name: "first of level 2", due: level2},
		{name: "the slot that is current on level 1", start: 255, due: 255 + level2 - 1},
		{name: "last of level 2", due: level3 - 1},
		{name: "first of level 3", due: level3},
		{name: "the slot that is current on level 2", start: level2 - 1, due: level2 - 1 + level3 - 1},
		{name: "last of level 3", due: wheelSpan - 1},
		{name: "just out of reach", due: wheelSpan},
		{name: "out of reach from the middle", start: 12345, due: 12345 + 3*wheelSpan + 17},
		{name: "a month", due: 30 * 24 * 3600 * 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == 0 {
				want = tt.due
			}
			w := newWheel(tt.start)
			var timer Timer
			w.add(&timer, tt.due)
			if !timer.Active() || w.count != 1 {
				t.Fatalf("active %t, count %d", timer.Active(), w.count)
			}
			if fired, _ := fireAt(w, want-1); len(fired) > 0 {
				t.Fatalf("fired before tick %d", want)
			}
			if next := w.nextEvent(); next != want {
				t.Errorf("next event at %d, want %d", next, want)
			}
			fired, ticks := fireAt(w, want+1000)
			if len(fired) != 1 || ticks[0] != want {
				t.Fatalf("fired %d timers at %v, want one at %d", len(fired), ticks, want)
			}
			if timer.Active() || w.count != 0 || w.nextEvent() != never {
				t.Errorf("active %t, count %d, next %d", timer.Active(), w.count, w.nextEvent())
			}
		})
	}
}

func TestWheelHandlersMayScheduleAndCancel(t *testing.T) {
	w := newWheel(0)
	var again, victim, other Timer
	w.add(&again, 10)
	w.add(&victim, 10)
	w.add(&other, 10)
	var ticks []int64
	w.advance(1000, func(timer *Timer) {
		ticks = append(ticks, w.now)
		switch timer {
		case &victim:
			t.Error("a cancelled timer fired")
		case &again:
			w.remove(&victim)
			w.remove(&victim) // idle: nothing happens
			if w.now < 800 {
				w.add(&again, w.now) // the next tick at the earliest
				w.add(&again, w.now+wheelSlots0)
			}
		}
	})
	if want := []int64{10, 10, 266, 522, 778, 1034}[:5]; !slices.Equal(ticks, want) {
		t.Errorf("fired at %v, want %v", ticks, want)
	}
	if w.count != 1 {
		t.Errorf("count %d", w.count)
	}
}

// model is the wheel's specification: a plain list.
type model map[*Timer]int64

// due takes the timers out that are due up to now, and returns them by tick.
func (m model) due(now int64) map[*Timer]int64 {
	due := make(map[*Timer]int64)
	for t, at := range m {
		if at <= now {
			due[t] = at
			delete(m, t)
		}
	}
	return due
}

func TestWheelAgainstModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		now := rng.Int64N(1 << 30)
		w, m := newWheel(now), make(model)
		timers := make([]Timer, 200)
		for range 2000 {
			timer := &timers[rng.IntN(len(timers))]
			switch rng.IntN(4) {
			case 0, 1:
				due := now + rng.Int64N(1<<rng.IntN(28)) - 2
				w.add(timer, due)
				m[timer] = max(due, now+1)
			case 2:
				w.remove(timer)
				delete(m, timer)
			case 3:
				now += rng.Int64N(1 << rng.IntN(22))
				want := m.due(now)
				last := int64(0)
				w.advance(now, func(timer *Timer) {
					if at, ok := want[timer]; !ok || at != w.now || at < last {
						t.Fatalf("fired at %d, expected %t at %d", w.now, ok, at)
					}
					last = w.now
					delete(want, timer)
				})
				if len(want) > 0 || w.count != len(m) {
					t.Fatalf("at %d: %d timers did not fire; count %d, want %d", now, len(want), w.count, len(m))
				}
			}
			if next := w.nextEvent(); len(m) > 0 && (next <= now || next > now+wheelSpan) {
				t.Fatalf("next event at %d, now %d", next, now)
			}
			for timer, due := range m {
				if !timer.Active() || w.nextEvent() > due {
					t.Fatalf("a timer due at %d would be missed: next event at %d", due, w.nextEvent())
				}
			}
		}
	}
}

func TestWheelDoesNotAllocate(t *testing.T) {
	w := newWheel(0)
	timers := make([]Timer, 64)
	fire := func(*Timer) {}
	allocs := testing.AllocsPerRun(100, func() {
		for i := range timers {
			w.add(&timers[i], w.now+int64(i*i*10))
		}
		w.remove(&timers[3])
		w.advance(w.now+50_000, fire)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestScheduleIsNeverEarly(t *testing.T) {
	f := start(t, echo)
	const d = 20 * time.Millisecond
	fired := make(chan time.Time, 1)
	var timer Timer
	var began time.Time
	f.on(t, func(l *Loop) {
		began = time.Now()
		l.Schedule(&timer, time.Hour, timerFunc(func(*Loop, *Timer) { t.Error("the old schedule is on") }))
		l.Schedule(&timer, d, timerFunc(func(*Loop, *Timer) { fired <- time.Now() }))
	})
	if took := receive(t, "the timer", fired).Sub(began); took < d-time.Millisecond {
		t.Errorf("fired after %v, want %v", took, d)
	}
}

func TestScheduleForTheLongestTime(t *testing.T) {
	f := start(t, echo)
	var timer Timer
	f.on(t, func(l *Loop) {
		l.Schedule(&timer, 1<<63-1, timerFunc(func(*Loop, *Timer) { t.Error("fired") }))
		if ahead := timer.due - l.reactor.now(); ahead < 1e12 {
			t.Errorf("due in %d ms", ahead)
		}
	})
	f.on(t, func(l *Loop) { l.fireTimers() })
	f.on(t, func(l *Loop) {
		l.Cancel(&timer)
		if timer.Active() {
			t.Error("still active")
		}
	})
}

// TestTimersOfDifferentLength wants a later timer's alarm to be set again by an
// earlier one.
func TestTimersOfDifferentLength(t *testing.T) {
	f := start(t, echo)
	fired := make(chan int, 3)
	timers := make([]Timer, 3)
	f.on(t, func(l *Loop) {
		for i, d := range []time.Duration{30 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond} {
			l.Schedule(&timers[i], d, timerFunc(func(*Loop, *Timer) { fired <- i }))
		}
	})
	for _, want := range []int{1, 2, 0} {
		if got := receive(t, "a timer", fired); got != want {
			t.Errorf("timer %d fired, want %d", got, want)
		}
	}
}

type timerFunc func(l *Loop, t *Timer)

func (f timerFunc) OnTimer(l *Loop, t *Timer) { f(l, t) }

func BenchmarkWheel(b *testing.B) {
	w := newWheel(0)
	timers := make([]Timer, 100_000)
	for i := range timers {
		w.add(&timers[i], int64(i%25_000))
	}
	fire := func(t *Timer) { w.add(t, w.now+25_000) }
	b.ReportAllocs()
	for b.Loop() { // a tick with 4 timers that are due and set again, and as many reset
		for range 4 {
			w.add(&timers[rand.IntN(len(timers))], w.now+25_000)
		}
		w.advance(w.now+1, fire)
	}
}
