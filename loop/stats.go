package loop

import (
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// Stats are counts since a reactor was made, and of what is open now.
type Stats struct {
	// Open is how many connections are open.
	Open int
	// Handlers is how many requests are with http.Handlers, see [Reactor.Handlers].
	Handlers int
	// TurnedAway counts connections over MaxConnections.
	TurnedAway int64
	// Limited counts connections refused since their address had as many as it
	// may.
	Limited int64
	// SlowConsumers counts connections closed since their peers did not read.
	SlowConsumers int64
	// RefusedRequests are requests that broke HTTP or a limit, by the status that
	// they were answered with.
	RefusedRequests map[int]int64
	// FailedWebSockets are WebSockets that broke the protocol or a limit, by the
	// close code that they were sent.
	FailedWebSockets map[ws.StatusCode]int64
}

// counters are written when something goes wrong, so a lock is cheap enough.
type counters struct {
	turnedAway, slowConsumers atomic.Int64

	mu       sync.Mutex
	refused  map[int]int64
	failures map[ws.StatusCode]int64
}

func (n *counters) refuse(status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refused == nil {
		n.refused = make(map[int]int64)
	}
	n.refused[status]++
}

func (n *counters) fail(code ws.StatusCode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failures == nil {
		n.failures = make(map[ws.StatusCode]int64)
	}
	n.failures[code]++
}

// Stats returns the reactor's counts. Any goroutine may call it.
func (r *Reactor) Stats() Stats {
	n := &r.counts
	s := Stats{
		Open: r.Connections(), Handlers: r.Handlers(), TurnedAway: n.turnedAway.Load(), SlowConsumers: n.slowConsumers.Load(),
		Limited:         r.perAddress.refused.Load(),
		RefusedRequests: make(map[int]int64), FailedWebSockets: make(map[ws.StatusCode]int64),
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for status, count := range n.refused {
		s.RefusedRequests[status] = count
	}
	for code, count := range n.failures {
		s.FailedWebSockets[code] = count
	}
	return s
}
