package http1

import (
	"net/http"
	"strconv"
)

// Defaults of [Limits].
const (
	DefaultRequestLine = 8192
	DefaultHeaderBytes = 16384
	DefaultHeaders     = 100
	DefaultBody        = 1_000_000
)

// Limits bound what a request may cost before anything else is known about it.
// A field that is not positive means its default.
type Limits struct {
	// RequestLine is the longest request line in bytes, its CRLF not counted.
	RequestLine int
	// HeaderBytes bounds all header lines together, in bytes, from behind the
	// request line to the end of the blank line.
	HeaderBytes int
	// Headers is the largest number of header lines.
	Headers int
	// Body is the largest body in bytes, any chunked coding taken off.
	Body int64
}

// WithDefaults returns l with the defaults filled in.
func (l Limits) WithDefaults() Limits {
	if l.RequestLine <= 0 {
		l.RequestLine = DefaultRequestLine
	}
	if l.HeaderBytes <= 0 {
		l.HeaderBytes = DefaultHeaderBytes
	}
	if l.Headers <= 0 {
		l.Headers = DefaultHeaders
	}
	if l.Body <= 0 {
		l.Body = DefaultBody
	}
	return l
}

// Error refuses a request. The connection can't be used for another one: where
// the next request would start is not known.
type Error struct {
	// Status is the response's status code: 400 for what is malformed, 411, 413,
	// 414, 417, 431, 501 for unknown transfer codings, 505.
	Status int
	// Reason says what is wrong, in words of this package only: it can be shown
	// to the peer and holds nothing that the peer sent.
	Reason string
}

// Error returns the status and the reason.
func (e *Error) Error() string {
	return "http1: " + strconv.Itoa(e.Status) + " " + e.Reason
}

// Is reports whether target is an [*Error] of the same status and, unless
// target has none, the same reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Status == e.Status && (t.Reason == "" || t.Reason == e.Reason)
}

// The errors that more than one stage finds. They are shared: hostile input
// should not even cost an allocation.
var (
	errBareLF          = &Error{http.StatusBadRequest, "line end is not CRLF"}
	errEmptyLines      = &Error{http.StatusBadRequest, "too many empty lines before the request line"}
	errRequestLine     = &Error{http.StatusBadRequest, "malformed request line"}
	errRequestLineLong = &Error{http.StatusRequestURITooLong, "request line too long"}
	errHeadersLarge    = &Error{http.StatusRequestHeaderFieldsTooLarge, "headers too large"}
	errHeadersMany     = &Error{http.StatusRequestHeaderFieldsTooLarge, "too many headers"}
	errNoLength        = &Error{http.StatusLengthRequired, "no Content-Length"}
	errBodyLarge       = &Error{http.StatusRequestEntityTooLarge, "body too large"}
)
