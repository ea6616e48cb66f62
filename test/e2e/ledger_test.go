package e2e

import (
	"context"
	"slices"
	"sync"

	sio "github.com/sio-gnet/sio-gnet"
)

// ledger remembers what the server saw of each socket, for checks to ask about
// after the socket is gone.
type ledger struct {
	mu      sync.Mutex
	sockets map[string]*entry
}

// entry is what is known of one socket.
type entry struct {
	numbers []int
	errors  []string
	seen    []string
	reason  sio.Reason
	gone    chan struct{} // closed once reason is set
}

func newLedger() *ledger { return &ledger{sockets: make(map[string]*entry)} }

// update changes the entry of a socket under the ledger's lock.
func (l *ledger) update(id string, change func(*entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l.entry(id))
}

// entry returns the entry of a socket, which may be new. The lock is held.
func (l *ledger) entry(id string) *entry {
	e := l.sockets[id]
	if e == nil {
		e = &entry{gone: make(chan struct{})}
		l.sockets[id] = e
	}
	return e
}

// left records why a socket was disconnected.
func (l *ledger) left(s *sio.Socket, reason sio.Reason) {
	l.update(s.ID(), func(e *entry) {
		e.reason = reason
		close(e.gone)
	})
}

// reason waits until the socket is gone and says why.
func (l *ledger) reason(ctx context.Context, id string) (sio.Reason, error) {
	l.mu.Lock()
	e := l.entry(id)
	l.mu.Unlock()
	select {
	case <-e.gone:
		return e.reason, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (l *ledger) numbers(id string) []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entry(id).numbers)
}

func (l *ledger) errors(id string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.entry(id).errors...)
}
