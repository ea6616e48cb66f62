package loop

import "time"

// ScheduleNext is [Loop.Schedule] for a timer that is just firing: it becomes due
// d after it was due, so that the delays of a busy loop don't add up. If it fires
// so late that less than half of d is left, it becomes due d from now, as after a
// process that was stopped for a while. On the loop.
func (l *Loop) ScheduleNext(t *Timer, d time.Duration, h TimerHandler) {
	ticks, now := int64((d+time.Millisecond-1)/time.Millisecond), l.reactor.now()
	from := t.due
	if late := now - from; late < 0 || late > ticks/2 {
		from = now
	}
	t.handler = h
	l.wheel.add(t, from+ticks)
}

// Overdue reports whether t should have fired by now. It does so in a turn
// without input, so input can come first. On the loop.
func (l *Loop) Overdue(t *Timer) bool { return t.Active() && t.due <= l.reactor.now() }
