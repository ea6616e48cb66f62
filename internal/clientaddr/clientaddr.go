// Package clientaddr finds out who a request is from when it came through
// proxies: the client's address, and whether the client's own connection was
// encrypted. It reads X-Forwarded-For with X-Forwarded-Proto, or Forwarded (RFC
// 7239), and does no I/O.
//
// A header can be believed as far as those who wrote it. The last entry was
// written by the peer; the one before it by whom the last entry names, and so on.
// So the entries are read from right to left for as long as the writer is a
// trusted proxy, and the first address that is none is the client's. What stands
// further left, the client may have made up.
package clientaddr

import "net/netip"

// DefaultMaxHops is how many proxies in a row are looked at by default.
const DefaultMaxHops = 16

// Options say whom and what to believe.
type Options struct {
	// Trusted are the networks of the proxies whose headers are believed. A peer
	// outside is the client itself, and its headers are ignored.
	Trusted []netip.Prefix
	// TrustUnix makes a peer on a unix socket, which has no address, a trusted
	// proxy.
	TrustUnix bool
	// Forwarded reads the header of RFC 7239 in place of X-Forwarded-For and
	// X-Forwarded-Proto. Never both: a proxy sets one kind and commonly hands on
	// the other as the client sent it.
	Forwarded bool
	// MaxHops bounds how many entries are looked at; default [DefaultMaxHops].
	// Where it ends the search, the address found last counts.
	MaxHops int
}

// Headers are a request's headers, such as an http.Header.
type Headers interface {
	// Values returns the values of all header lines of that name, in order.
	Values(name string) []string
}

// Peer is the other end of a connection, or the client that a request is from.
type Peer struct {
	// Addr is not valid on a unix socket. Its port is 0 where it is not known.
	Addr netip.AddrPort
	// Secure says that the connection is encrypted.
	Secure bool
}

// Resolver finds clients' addresses. It is immutable, and its zero value trusts
// nobody.
type Resolver struct {
	trusted   []netip.Prefix
	trustUnix bool
	forwarded bool
	maxHops   int
}

// New returns a resolver. Prefixes that are not valid are left out.
func New(o Options) Resolver {
	r := Resolver{trustUnix: o.TrustUnix, forwarded: o.Forwarded, maxHops: o.MaxHops}
	if r.maxHops <= 0 {
		r.maxHops = DefaultMaxHops
	}
	for _, p := range o.Trusted {
		if p = plain(p); p.IsValid() {
			r.trusted = append(r.trusted, p)
		}
	}
	return r
}

// plain writes a network of IPv4 addresses within IPv6 (::ffff:192.0.2.0/120) as
// that of IPv4.
func plain(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// Trusts reports whether a peer of that address is a trusted proxy. An address
// that is not valid is one of a unix socket.
func (r *Resolver) Trusts(a netip.Addr) bool {
	if !a.IsValid() {
		return r.trustUnix
	}
	a = a.Unmap().WithZone("") // a prefix contains no address with a zone
	for _, p := range r.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Resolve returns the client of a request that came from peer. Whatever the
// headers hold, it is the peer itself, or an address that a trusted proxy named.
// Without word of how the client reached that proxy, it is not secure.
func (r *Resolver) Resolve(peer Peer, h Headers) Peer {
	peer.Addr = unmap(peer.Addr)
	if !r.Trusts(peer.Addr.Addr()) {
		return peer
	}
	if r.forwarded {
		return r.fromForwarded(peer, h.Values("Forwarded"))
	}
	return r.fromX(peer, h.Values("X-Forwarded-For"), h.Values("X-Forwarded-Proto"))
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
