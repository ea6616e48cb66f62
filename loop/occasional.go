package loop

import (
	"log/slog"
	"sync/atomic"
)

// occasional rations log lines that strangers can cause as often as they like: one
// a second is a warning, the others are for debugging. Its zero value is ready,
// and any goroutine may use it.
type occasional struct{ next atomic.Int64 }

// level returns the level of a line at a time in milliseconds.
func (o *occasional) level(now int64) slog.Level {
	next := o.next.Load()
	if now < next || !o.next.CompareAndSwap(next, now+1000) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
