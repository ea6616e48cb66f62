package occasional

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLine(t *testing.T) {
	var l Line
	for _, tt := range []struct {
		now  int64
		want slog.Level
	}{
		{0, slog.LevelWarn},
		{0, slog.LevelDebug},
		{999, slog.LevelDebug},
		{1000, slog.LevelWarn},
		{1001, slog.LevelDebug},
		{5000, slog.LevelWarn},
		{5999, slog.LevelDebug},
	} {
		if got := l.Level(tt.now); got != tt.want {
			t.Errorf("at %d: %v, want %v", tt.now, got, tt.want)
		}
	}
	var wg sync.WaitGroup
	var warnings atomic.Int32
	for range 100 {
		wg.Go(func() {
			if l.Level(10_000) == slog.LevelWarn {
				warnings.Add(1)
			}
		})
	}
	wg.Wait()
	if warnings.Load() != 1 {
		t.Errorf("%d warnings at once", warnings.Load())
	}
}
