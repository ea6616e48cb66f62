package client

import "errors"

// Kind says what became of a client, in a word.
type Kind string

// The kinds.
const (
	KindDial      Kind = "dial"          // no connection could be made
	KindRefused   Kind = "refused"       // the server answered with an HTTP error
	KindConnect   Kind = "connect_error" // the namespace was refused
	KindTimeout   Kind = "timeout"       // joining took too long
	KindHeartbeat Kind = "heartbeat"     // the server went silent
	KindClosed    Kind = "closed"        // the server ended the session
	KindProtocol  Kind = "protocol"      // the server broke the protocol
)

// Error says why a client ended.
type Error struct {
	Kind   Kind
	Status int    // of the HTTP answer, with KindRefused
	Detail string // a text for people, without a line end
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// asError makes an [*Error] of whatever went wrong in decoding.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: KindProtocol, Detail: err.Error()}
}
