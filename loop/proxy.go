package loop

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
	"github.com/sio-gnet/sio-gnet/loop/internal/proxyproto"
)

// ProxyProtocol returns ln as a listener whose connections begin with a header of
// the PROXY protocol, version 1 or 2: a proxy says there which client it speaks
// for. It is for [Reactor.Serve]; Accept itself does not read the header.
//
// A connection without the header, or with a bad one, is closed and logged (as a
// warning once a second at most), since else everybody could choose an address. So is one from a peer outside of trusted,
// unless that is empty or the peer is on a unix socket. The header has to come
// within HeaderTimeout.
func ProxyProtocol(ln net.Listener, trusted ...netip.Prefix) net.Listener {
	s := proxySettings{anyone: len(trusted) == 0}
	s.peers = clientaddr.New(clientaddr.Options{Trusted: trusted, TrustUnix: true})
	return &proxyListener{Listener: ln, settings: s}
}

type proxyListener struct {
	net.Listener

	settings proxySettings
}

// proxySettings travel with each connection of such a listener to its loop.
type proxySettings struct {
	anyone bool
	peers  clientaddr.Resolver
}

// proxied is what a PROXY header said of a connection, or the net/http server that
// it came from. The address is nil until the header has come, and where the proxy
// speaks for itself.
type proxied struct {
	client net.Addr
	guest  *guest // nil behind a proxy
	secure bool
}

var (
	errUntrustedProxy = errors.New("loop: not a trusted proxy")
	errPerAddress     = errors.New("loop: too many connections of one address")
	errProxyTimeout   = errors.New("loop: the PROXY header took too long")
)

// expectProxy makes the connection begin with a PROXY header.
func (c *Conn) expectProxy(s *proxySettings) {
	c.mode, c.proxy = modeProxy, new(proxied)
	if peer := addrPort(c.PeerAddr()); !s.anyone && !s.peers.Trusts(peer.Addr()) {
		c.failProxy(errUntrustedProxy)
	}
}

// consumeProxy takes the PROXY header, once it is there in full.
func (c *Conn) consumeProxy(buf []byte) (n int, more bool) {
	h, n, err := proxyproto.Parse(buf)
	switch {
	case err != nil:
		c.failProxy(err)
		return len(buf), false
	case n == 0:
		return 0, false
	}
	switch h.Kind {
	case proxyproto.IP:
		c.proxy.client = net.TCPAddrFromAddrPort(h.Source)
	case proxyproto.Unix:
		c.proxy.client = &net.UnixAddr{Name: h.UnixSource, Net: "unix"}
	case proxyproto.None:
	}
	if h.Kind != proxyproto.None && !c.countClient() {
		c.loop.log.Debug("loop: connection closed: too many of one address", "remote", c.RemoteAddr())
		c.Abort(errPerAddress)
		return len(buf), false
	}
	c.proxy.secure = h.Secure
	c.mode = modeHTTP
	return n, true
}

func (c *Conn) failProxy(err error) {
	r := c.loop.reactor
	c.loop.log.Log(context.Background(), r.badProxies.Level(r.now()), "loop: connection closed: PROXY header", "error", err, "peer", c.PeerAddr())
	c.Abort(err)
}

// RemoteAddr returns the client's address: what a PROXY header said, else the
// peer's. It is nil once the connection is closed.
func (c *Conn) RemoteAddr() net.Addr {
	peer := c.PeerAddr()
	if peer != nil && c.proxy != nil && c.proxy.client != nil {
		return c.proxy.client
	}
	return peer
}

// PeerAddr returns the address at the other end of the connection, which may be
// a proxy's. It is nil once the connection is closed.
func (c *Conn) PeerAddr() net.Addr {
	if c.gnet == nil {
		return c.proxy.client
	}
	return c.gnet.RemoteAddr()
}

// Secure reports whether the client uses TLS, as a PROXY header or the server says
// that the connection came from.
func (c *Conn) Secure() bool { return c.proxy != nil && c.proxy.secure }

// RemoteAddrPort is RemoteAddr as a value, with IPv4 addresses as such. It is not
// valid where the client is on a unix socket.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return addrPort(c.RemoteAddr()) }

// addrPort returns a TCP address, and nothing valid of others.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	port := tcp.AddrPort()
	return netip.AddrPortFrom(port.Addr().Unmap(), port.Port())
}
