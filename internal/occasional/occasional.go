// Package occasional rations log lines.
package occasional

import (
	"log/slog"
	"sync/atomic"
)

// Line is a log line that strangers can cause as often as they like: one a second
// is a warning, the others are for debugging. Its zero value is ready, and any
// goroutine may use it.
type Line struct{ next atomic.Int64 }

// Level returns the level of the line at a time in milliseconds.
func (l *Line) Level(now int64) slog.Level {
	next := l.next.Load()
	if now < next || !l.next.CompareAndSwap(next, now+1000) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
