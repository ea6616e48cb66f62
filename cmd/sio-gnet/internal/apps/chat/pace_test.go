package chat

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1_000_000, 0)
	allowed := func(d time.Duration, tries int) (n int) {
		now = now.Add(d)
		for range tries {
			if p.allow(now) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		name  string
		after time.Duration
		tries int
		want  int
	}{
		{"at first, a burst", 0, paceBurst + 5, paceBurst},
		{"then nothing", 0, 1, 0},
		{"nor just before the next is due", paceRefill - 1, 1, 0},
		{"one when it is", 1, 2, 1},
		{"three, three times later", 3 * paceRefill, 5, 3},
		{"refused tries cost nothing", paceRefill, 1, 1},
		{"no more than a burst after a long time", time.Hour, paceBurst + 5, paceBurst},
		{"half of it", paceBurst / 2 * paceRefill, paceBurst, paceBurst / 2},
	} {
		if got := allowed(step.after, step.tries); got != step.want {
			t.Errorf("%s: %d were allowed, want %d", step.name, got, step.want)
		}
	}
}

// At exactly the pace, it goes on for ever.
func TestPaceIsSustained(t *testing.T) {
	var p pace
	now := time.Unix(1_000_000, 0)
	for range 1000 {
		if now = now.Add(paceRefill); !p.allow(now) {
			t.Fatal("it was refused")
		}
	}
}
