package loop

import (
	"net/netip"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/internal/addrlimit"
	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
)

// perAddress bounds the connections of each address. A peer is counted when it is
// accepted; behind the PROXY protocol, the client is once it is known.
type perAddress struct {
	counter *addrlimit.Counter // nil: no limit
	exempt  clientaddr.Resolver
	refused atomic.Int64
}

func newPerAddress(o *Options) *perAddress {
	return &perAddress{
		counter: addrlimit.NewCounter(o.MaxConnectionsPerAddress),
		exempt:  clientaddr.New(clientaddr.Options{Trusted: o.TrustedProxies, TrustUnix: true}),
	}
}

// acquire counts a connection of an address. It reports whether the connection may
// go on, and whether it was counted, so that it is to be released.
func (p *perAddress) acquire(a netip.Addr) (ok, counted bool) {
	if p.counter == nil || p.exempt.Trusts(a) {
		return true, false
	}
	if !p.counter.Acquire(a) {
		p.refused.Add(1)
		return false, false
	}
	return true, true
}

// countClient counts a connection whose client a PROXY header has named.
func (c *Conn) countClient() bool {
	ok, counted := c.loop.reactor.perAddress.acquire(c.RemoteAddrPort().Addr())
	c.counted = counted
	return ok
}

// uncount is called once in the end, while the address is still known.
func (c *Conn) uncount() {
	if c.counted {
		c.counted = false
		c.loop.reactor.perAddress.counter.Release(c.RemoteAddrPort().Addr())
	}
}
