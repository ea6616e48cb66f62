// Package proxyproto reads the header that a proxy sends ahead of a client's
// bytes to say where the client's connection came from: HAProxy's PROXY protocol,
// version 1 (a line of text) and version 2 (binary). The format is that of
// HAProxy's proxy-protocol.txt, revision of 2020/03/05.
//
// The parser is pure: it looks at bytes that the caller has collected, and keeps
// nothing.
package proxyproto

import (
	"errors"
	"net/netip"
)

// MaxHeader bounds a header of version 2 in bytes, its addresses and
// extensions together. The format could say up to 64 KiB, but what proxies send
// is a few hundred bytes. A caller never needs to keep more than that.
const MaxHeader = 4 << 10

// What can be wrong with a header.
var (
	ErrMissing   = errors.New("proxyproto: no PROXY header")
	ErrTooLong   = errors.New("proxyproto: PROXY header too long")
	ErrMalformed = errors.New("proxyproto: malformed PROXY header")
	ErrVersion   = errors.New("proxyproto: unknown version or command of the PROXY protocol")
	ErrChecksum  = errors.New("proxyproto: wrong checksum of the PROXY header")
)

// Kind says which addresses a header has.
type Kind uint8

// The kinds of header.
const (
	// None: the proxy speaks for itself, as in a health check, or does not know.
	// What counts are the connection's own addresses.
	None Kind = iota
	// IP: Source and Destination are set.
	IP
	// Unix: UnixSource and UnixDestination are set.
	Unix
)

// Header is what a proxy says of a connection.
type Header struct {
	Kind                        Kind
	Source, Destination         netip.AddrPort
	UnixSource, UnixDestination string
	// Secure says that the client reached the proxy over TLS.
	Secure bool
}

// Parse reads the header at the start of buf, which has what has come so far. It
// returns the header's length, 0 if more is needed. With an error the connection
// is to be closed: what it is about can't be known.
func Parse(buf []byte) (h Header, n int, err error) {
	if len(buf) == 0 {
		return h, 0, nil
	}
	if buf[0] == signature[0] {
		return parseBinary(buf)
	}
	return parseText(buf)
}

// begins reports whether buf begins with prefix, as far as both go.
func begins(buf []byte, prefix string) bool {
	n := min(len(buf), len(prefix))
	return string(buf[:n]) == prefix[:n]
}
