package loop

import (
	"math"
	"math/bits"
)

// A hierarchical timing wheel with a resolution of one millisecond. It belongs
// to one loop and is not safe for concurrent use. Timers are intrusive: adding
// and removing one is O(1) and allocates nothing.
//
// Level 0 has a slot a millisecond; a slot of each higher level covers the
// whole level below. When the time reaches the start of a higher slot, its
// timers move down ("cascade").

const (
	wheelBits0  = 8
	wheelBitsN  = 6
	wheelLevels = 4
	wheelSlots0 = 1 << wheelBits0
	wheelSlotsN = 1 << wheelBitsN

	// wheelSpan is how far the wheel reaches ahead, about 18 hours. A timer beyond
	// it waits in the furthest slot, and is placed anew when that is reached.
	wheelSpan = int64(1) << (wheelBits0 + wheelBitsN*(wheelLevels-1))
	never     = int64(math.MaxInt64)
)

// Timer is one pending deadline. Its zero value is idle; it is embedded in what
// it belongs to. All use is on the loop whose Schedule it was given to.
type Timer struct {
	next, prev *Timer
	due        int64
	handler    TimerHandler
}

// TimerHandler is told on the loop that a timer is due. The timer is idle again
// by then, and may be scheduled anew.
type TimerHandler interface {
	OnTimer(l *Loop, t *Timer)
}

// Active reports whether t is scheduled.
func (t *Timer) Active() bool { return t.next != nil }

// Due returns when t is due, in milliseconds of the reactor's clock. It means
// something only while t is active.
func (t *Timer) Due() int64 { return t.due }

type wheel struct {
	now   int64 // all timers due up to this tick have fired
	count int
	slots [wheelLevels][wheelSlots0]Timer // sentinels of circular lists
	used  [wheelLevels][wheelSlots0 / 64]uint64
}

func newWheel(now int64) *wheel {
	w := &wheel{now: now}
	for level := range w.slots {
		for i := range w.slots[level] {
			s := &w.slots[level][i]
			s.next, s.prev = s, s
		}
	}
	return w
}

// add schedules t for the tick due, or for the next one if due has passed.
func (w *wheel) add(t *Timer, due int64) {
	w.remove(t)
	t.due = max(due, w.now+1)
	w.count++
	w.place(t)
}

func (w *wheel) remove(t *Timer) {
	if t.next == nil {
		return
	}
	t.next.prev, t.prev.next = t.prev, t.next
	t.next, t.prev = nil, nil
	w.count--
}

// place links t into the slot that its distance from now asks for.
func (w *wheel) place(t *Timer) {
	delta := min(t.due-w.now, wheelSpan-1)
	at := w.now + delta
	level, slot := 0, at&(wheelSlots0-1)
	for shift := wheelBits0; delta >= 1<<shift; shift += wheelBitsN {
		level++
		slot = at >> shift & (wheelSlotsN - 1)
	}
	head := &w.slots[level][slot]
	t.prev, t.next = head.prev, head
	head.prev.next = t
	head.prev = t
	w.used[level][slot/64] |= 1 << (slot % 64)
}

// advance moves the time on to now and calls fire for each timer that is due,
// in order of due ticks. fire may add and remove timers.
func (w *wheel) advance(now int64, fire func(*Timer)) {
	for w.now < now {
		next := w.nextEvent()
		if next > now {
			w.now = now
			return
		}
		w.now = next
		w.cascade()
		w.expire(fire)
	}
}

// nextEvent returns the next tick at which a slot expires or cascades, or never.
// It can be early for timers that were removed since.
func (w *wheel) nextEvent() int64 {
	if w.count == 0 {
		return never
	}
	next := never
	if d := w.distance(0, int(w.now&(wheelSlots0-1)), wheelSlots0); d > 0 {
		next = w.now + int64(d)
	}
	for level, shift := 1, wheelBits0; level < wheelLevels; level, shift = level+1, shift+wheelBitsN {
		at := w.now >> shift
		if d := w.distance(level, int(at&(wheelSlotsN-1)), wheelSlotsN); d > 0 {
			next = min(next, (at+int64(d))<<shift)
		}
	}
	return next
}

// distance returns how many slots after from (1…size) the next used one lies, or 0.
func (w *wheel) distance(level, from, size int) int {
	words := &w.used[level]
	for i := 1; i <= size; {
		slot := (from + i) & (size - 1)
		rest := words[slot/64] >> (slot % 64)
		if rest == 0 {
			i += 64 - slot%64
			continue
		}
		i += bits.TrailingZeros64(rest)
		if i > size {
			return 0
		}
		return i
	}
	return 0
}

// cascade moves the timers of each higher slot that starts at this tick down.
func (w *wheel) cascade() {
	for level, shift := 1, wheelBits0; level < wheelLevels; level, shift = level+1, shift+wheelBitsN {
		if w.now&(1<<shift-1) != 0 {
			return
		}
		slot := w.now >> shift & (wheelSlotsN - 1)
		head := &w.slots[level][slot]
		w.used[level][slot/64] &^= 1 << (slot % 64)
		for head.next != head {
			t := head.next
			head.next, t.next.prev = t.next, head
			w.place(t)
		}
	}
}

func (w *wheel) expire(fire func(*Timer)) {
	slot := w.now & (wheelSlots0 - 1)
	head := &w.slots[0][slot]
	w.used[0][slot/64] &^= 1 << (slot % 64)
	// A timer that fire adds lies at least a tick ahead, so never in this slot
	// (a whole round ahead would be on the next level).
	for head.next != head {
		t := head.next
		w.remove(t)
		fire(t)
	}
}
