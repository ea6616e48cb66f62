// Package wsproto is the server's side of the WebSocket protocol (RFC 6455) as
// plain values and functions: frame headers, the rules that they must keep in
// their order, close frames, text validation, the opening handshake, and what is
// negotiated in it about permessage-deflate (RFC 7692). It builds on the types and
// checks of github.com/gobwas/ws.
//
// It owns the bytes and the rules. It never does I/O, never looks at a clock,
// starts no goroutine and keeps no payload: unmasking, joining fragments and
// answering are the caller's. In the normal path it does not allocate.
//
// Reading a header and judging it are two steps: [ParseHeader] knows only the
// bytes, [State] only the meaning. Both can say no before any byte of payload
// has been read.
package wsproto

import (
	"fmt"

	"github.com/gobwas/ws"
)

// Error says that the peer broke the protocol or a limit. The connection must be
// failed with Code (RFC 6455, section 7.1.7).
type Error struct {
	// Code is the status code of the close frame to send: 1002, 1007 or 1009.
	Code ws.StatusCode
	// Reason is the text of that frame. It holds nothing that the peer sent, and
	// fits.
	Reason string
}

// Error returns the code and the reason.
func (e *Error) Error() string { return fmt.Sprintf("wsproto: %d %s", e.Code, e.Reason) }

// Is reports whether target is an [*Error] of the same code and, unless target
// has none, the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Reason == "" || t.Reason == e.Reason)
}
