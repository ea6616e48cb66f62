package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/sio-gnet/sio-gnet/loop"
)

// CloseReason says why a session ended, in the words of the protocol's
// reference server.
type CloseReason string

// The reasons that occur.
const (
	TransportClose CloseReason = "transport close" // the peer closed
	TransportError CloseReason = "transport error" // the transport or the peer's use of it failed
	ParseError     CloseReason = "parse error"     // a packet that is none
	PingTimeout    CloseReason = "ping timeout"    // the peer did not answer a ping in time
	ForcedClose    CloseReason = "forced close"    // the program closed the session
)

// Errors of a session. Compare with [errors.Is].
var (
	// ErrSessionClosed says that a session takes no more messages.
	ErrSessionClosed = errors.New("engine: session closed")
	// ErrPollOverlap closes a session whose peer polls while a poll waits.
	ErrPollOverlap = errors.New("engine: overlap from client")
	// ErrPollAborted closes a session whose peer cut a waiting poll.
	ErrPollAborted = errors.New("engine: poll connection closed prematurely")
	// ErrPostOverlap closes a session whose peer posts while a post comes in.
	ErrPostOverlap = errors.New("engine: data request overlap from client")
	// ErrPostAborted closes a session whose peer cut a post.
	ErrPostAborted = errors.New("engine: data request connection closed prematurely")
	// ErrInvalidContent closes a session that was sent a body of the wrong type.
	ErrInvalidContent = errors.New("engine: invalid content")
	// ErrHeartbeatDirection closes a session whose peer sends the server's part
	// of the heartbeat.
	ErrHeartbeatDirection = errors.New("engine: invalid heartbeat direction")
)

// ErrorCode is the code of a refused request in the protocol.
type ErrorCode int

// The codes that occur.
const (
	CodeUnknownTransport   ErrorCode = 0
	CodeUnknownSession     ErrorCode = 1
	CodeBadHandshakeMethod ErrorCode = 2
	CodeBadRequest         ErrorCode = 3
	CodeForbidden          ErrorCode = 4
	CodeUnsupportedVersion ErrorCode = 5
)

var codeMessages = [...]string{
	CodeUnknownTransport:   "Transport unknown",
	CodeUnknownSession:     "Session ID unknown",
	CodeBadHandshakeMethod: "Bad handshake method",
	CodeBadRequest:         "Bad request",
	CodeForbidden:          "Forbidden",
	CodeUnsupportedVersion: "Unsupported protocol version",
}

// RequestError is the refusal of a request.
type RequestError struct {
	Code ErrorCode
	// Message is what the sender is told; "" is the code's standard text.
	Message string
	// Context says more to the program: "name" tells causes of [CodeBadRequest]
	// apart, such as TRANSPORT_MISMATCH; others are what was wrong. A handshake
	// over the limits of its address is a [CodeForbidden] whose name is
	// TOO_MANY_HANDSHAKES or TOO_MANY_SESSIONS; its sender was answered 429.
	Context map[string]any
}

func (e *RequestError) Error() string {
	if name, ok := e.Context["name"]; ok {
		return fmt.Sprintf("engine: %s (%s)", e.message(), name)
	}
	return "engine: " + e.message()
}

func (e *RequestError) message() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Code >= 0 && int(e.Code) < len(codeMessages):
		return codeMessages[e.Code]
	}
	return codeMessages[CodeBadRequest]
}

// badRequest makes an error of CodeBadRequest; more are pairs of key and value.
func badRequest(name string, more ...string) *RequestError {
	return newRefusal(CodeBadRequest, append([]string{"name", name}, more...)...)
}

// newRefusal makes an error whose context are pairs of key and value.
func newRefusal(code ErrorCode, pairs ...string) *RequestError {
	e := &RequestError{Code: code}
	if len(pairs) > 0 {
		e.Context = make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Context[pairs[i]] = pairs[i+1]
		}
	}
	return e
}

// response is the refusal as its sender gets it: JSON over HTTP, plain text and
// the end of the connection for an upgrade request.
func (e *RequestError) response(upgrade bool, header []byte) loop.Response {
	if upgrade {
		return loop.Response{Status: 400, ContentType: "text/html", Body: []byte(e.message()), Close: true}
	}
	status := 400
	if e.Code == CodeForbidden {
		status = 403
	}
	body := strconv.AppendInt([]byte(`{"code":`), int64(e.Code), 10)
	body = append(appendJSONString(append(body, `,"message":`...), e.message()), '}')
	return loop.Response{
		Status: status, ContentType: "application/json",
		Header: header, Body: body,
	}
}

func appendJSONString(dst []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as JavaScript writes it
	if err := enc.Encode(s); err != nil {
		return append(dst, `""`...) // a string always encodes
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
