package loop

import (
	"testing"
	"time"
)

func TestScheduleNext(t *testing.T) {
	r := &Reactor{clock: clock{started: time.Now().Add(-time.Hour)}}
	l := newLoop(r, 0)
	const d = 1000
	for _, tt := range []struct {
		name    string
		late    int64 // in ms
		fromNow bool
	}{
		{"in time", 0, false},
		{"late", 100, false},
		{"too late", 600, true},
		{"far too late", 60_000, true},
		{"early", -100, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := r.now()
			timer := Timer{due: before - tt.late}
			was := timer.due
			l.ScheduleNext(&timer, d*time.Millisecond, nil)
			after := r.now()
			defer l.Cancel(&timer)
			if tt.fromNow {
				if timer.due < before+d || timer.due > after+d {
					t.Errorf("due %d ms from now", timer.due-before)
				}
			} else if timer.due != was+d {
				t.Errorf("due %d ms from when it was", timer.due-was)
			}
			if l.Overdue(&timer) {
				t.Error("overdue already")
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	r := &Reactor{clock: clock{started: time.Now().Add(-time.Hour)}}
	l := newLoop(r, 0)
	var timer Timer
	if l.Overdue(&timer) {
		t.Error("an idle timer is overdue")
	}
	l.Schedule(&timer, time.Millisecond, nil)
	for due := timer.due; r.now() < due; {
		time.Sleep(time.Millisecond)
	}
	if !l.Overdue(&timer) {
		t.Error("not overdue")
	}
	l.Cancel(&timer)
	if l.Overdue(&timer) {
		t.Error("overdue though called off")
	}
}
