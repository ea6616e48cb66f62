package chat

import (
	"sync"
	"time"
)

// How much a guest may send: many at once, but not for long.
const (
	paceBurst  = 20
	paceRefill = 100 * time.Millisecond // for one more
)

// pace is a token bucket. Its zero value is full.
type pace struct {
	mu   sync.Mutex
	debt time.Duration // what was used, as time that it takes to come back
	last time.Time
}

// allow takes one token, if there is one.
func (p *pace) allow(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.debt = max(0, p.debt-now.Sub(p.last))
	p.last = now
	if p.debt+paceRefill > paceBurst*paceRefill {
		return false
	}
	p.debt += paceRefill
	return true
}
