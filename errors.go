package sio

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Reason says why a socket was disconnected, in the words of Socket.IO.
type Reason string

// The reasons that occur.
const (
	ReasonClientDisconnect Reason = "client namespace disconnect" // the client left the namespace
	ReasonServerDisconnect Reason = "server namespace disconnect" // Socket.Disconnect
	ReasonShuttingDown     Reason = "server shutting down"        // Server.Shutdown or Close
	ReasonPingTimeout      Reason = "ping timeout"                // the client vanished
	ReasonTransportClose   Reason = "transport close"             // the connection was closed or lost
	ReasonTransportError   Reason = "transport error"             // the connection failed, or the client read too slowly
	ReasonParseError       Reason = "parse error"                 // the client sent an invalid Engine.IO packet
	ReasonForcedClose      Reason = "forced close"                // the client broke the protocol
)

// Errors. Compare with [errors.Is].
var (
	// ErrServerClosed is returned by Serve and ListenAndServe after Shutdown or
	// Close.
	ErrServerClosed = errors.New("sio: server closed")
	// ErrDisconnected says that a socket is no longer connected.
	ErrDisconnected = errors.New("sio: socket disconnected")
	// ErrReservedEvent refuses to emit or handle an event whose name the
	// protocol keeps for itself.
	ErrReservedEvent = errors.New("sio: reserved event name")
	// ErrAckTimeout says that a client did not acknowledge in time.
	ErrAckTimeout = errors.New("sio: operation has timed out")
	// ErrAckSent says that an event was acknowledged before.
	ErrAckSent = errors.New("sio: already acknowledged")
	// ErrBacklog disconnects a client whose events come faster than its handlers
	// deal with them, past the limit of what may wait.
	ErrBacklog = errors.New("sio: too many events wait for their handlers")
	// ErrPlaceholder refuses to send binary data together with other data that look
	// like their placeholder, {"_placeholder":true,…}: clients can't tell them apart.
	// Such data can be sent without binary data beside them.
	ErrPlaceholder = errors.New("sio: data that look like a placeholder, beside binary data")
	// ErrPacket disconnects a client that sent something that is no valid packet
	// or that does not fit the connection's state.
	ErrPacket = errors.New("sio: invalid packet")
)

// ConnectError refuses a connection to a namespace, when a middleware returns
// it: the client gets message and data. Of any other error, it gets the text.
type ConnectError struct {
	Message string
	Data    any // encoded as arguments are; nil is left out
}

func (e *ConnectError) Error() string { return e.Message }

// HandlerError refuses a handler when it is registered.
type HandlerError struct {
	Event  string
	Type   reflect.Type
	Reason string
}

func (e *HandlerError) Error() string {
	return fmt.Sprintf("sio: handler for %q of type %v: %s; want func([*sio.Socket,] arguments… [, sio.Ack]) [error]", e.Event, e.Type, e.Reason)
}

// ArgumentError says that a client sent an argument that does not fit the
// handler. The event is dropped, and not acknowledged.
type ArgumentError struct {
	Event string
	Index int // of the argument, from 0
	Type  reflect.Type
	Err   error
}

func (e *ArgumentError) Error() string {
	why, _, _ := strings.Cut(e.Err.Error(), " \"at index") // the JSON library goes on to quote what it had
	return fmt.Sprintf("sio: event %q: argument %d does not fit %v: %s", e.Event, e.Index, e.Type, why)
}

// Unwrap returns the decoder's error.
func (e *ArgumentError) Unwrap() error { return e.Err }

// PanicError reports a panic in a handler, middleware or hook.
type PanicError struct {
	In    string // what panicked: the handler of an event by its name, or OnConnection, Use and so on
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("sio: panic in %s: %v", e.In, e.Value) }

// AckError says that not all clients acknowledged an event.
type AckError struct {
	Asked, Answered int
	// Err says why: [ErrAckTimeout], [ErrDisconnected], the context's error or an
	// adapter's.
	Err error
}

func (e *AckError) Error() string {
	return fmt.Sprintf("sio: %d of %d clients acknowledged: %v", e.Answered, e.Asked, e.Err)
}

// Unwrap returns why the others did not.
func (e *AckError) Unwrap() error { return e.Err }
