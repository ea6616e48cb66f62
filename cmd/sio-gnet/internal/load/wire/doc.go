// Package wire is as much of HTTP/1.1 (RFC 9112) and of the client's side of the
// WebSocket protocol (RFC 6455, RFC 7692) as a load generator speaks: requests and
// frames as bytes, and parsers that take what has arrived so far. It does no I/O and
// keeps no bytes.
package wire

import "errors"

// ErrProtocol is the error for anything that breaks one of the protocols, or a
// limit of this package. Compare with [errors.Is].
var ErrProtocol = errors.New("protocol error")
