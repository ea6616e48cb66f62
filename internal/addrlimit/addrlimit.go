// Package addrlimit limits what one address may have at once, and how often it may
// do something, in bounded memory. It does no I/O.
package addrlimit

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// Key returns what counts as one address: an IPv4 address, or the /64 network of
// an IPv6 address, all of which commonly belongs to one customer.
func Key(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	network, _ := a.WithZone("").Prefix(64) // 64 bits fit
	return network.Addr()
}

// shards spread the addresses over locks.
const shards = 32

var seed = maphash.MakeSeed()

func shardOf(key netip.Addr) uint64 { return maphash.Comparable(seed, key) % shards }

// Counter bounds what each address has at once. Its memory grows with what is
// held, not with the addresses that were seen. Any goroutine may call its methods.
// A nil Counter has no limit.
type Counter struct {
	limit  int
	shards [shards]counterShard
}

type counterShard struct {
	mu   sync.Mutex
	held map[netip.Addr]int
}

// NewCounter returns a counter that lets each address hold limit, or nil if that
// is not positive.
func NewCounter(limit int) *Counter {
	if limit <= 0 {
		return nil
	}
	c := &Counter{limit: limit}
	for i := range c.shards {
		c.shards[i].held = make(map[netip.Addr]int)
	}
	return c
}

// Acquire takes one more for the address and reports true, unless it has as many
// as it may. Whoever gets true must call Release once.
func (c *Counter) Acquire(a netip.Addr) bool {
	if c == nil {
		return true
	}
	key := Key(a)
	s := &c.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key] >= c.limit {
		return false
	}
	s.held[key]++
	return true
}

// Release gives back what Acquire took.
func (c *Counter) Release(a netip.Addr) {
	if c == nil {
		return
	}
	key := Key(a)
	s := &c.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key]--; s.held[key] <= 0 {
		delete(s.held, key)
	}
}

// Addresses returns how many addresses hold something.
func (c *Counter) Addresses() (n int) {
	if c == nil {
		return 0
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += len(s.held)
		s.mu.Unlock()
	}
	return n
}
