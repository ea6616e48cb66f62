package sio

import (
	"net"
	"net/netip"

	"github.com/sio-gnet/sio-gnet/loop"
)

// ProxyProtocol returns ln as a listener for [Server.Serve] whose connections begin
// with a header of the PROXY protocol (HAProxy's, version 1 or 2), which says what
// client the proxy speaks for:
//
//	err := server.Serve(sio.ProxyProtocol(ln, netip.MustParsePrefix("10.0.0.0/8")))
//
// The client's address is in [Handshake]; Secure is set if the header says that
// the client uses TLS. A connection without a good header, or from a peer outside
// of trusted, is closed and logged. Nothing in trusted means any peer: then only
// the proxy may be able to reach the address. Peers on a unix socket need not be in it.
//
// Without Serve, the listener is as good as ln: its Accept does not read the header.
func ProxyProtocol(ln net.Listener, trusted ...netip.Prefix) net.Listener {
	return loop.ProxyProtocol(ln, trusted...)
}
