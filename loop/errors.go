package loop

import "errors"

// Errors that a connection or the reactor ends with. All are compared with
// [errors.Is].
var (
	// ErrServerClosed is returned by Serve after Shutdown, and is what open
	// connections are closed with then.
	ErrServerClosed = errors.New("loop: server closed")
	// ErrReactorStopped says that an event loop ended without having been asked
	// to; the server can't go on.
	ErrReactorStopped = errors.New("loop: event loop ended unexpectedly")
	// ErrSlowConsumer closes a connection whose unsent output passed the byte
	// budget.
	ErrSlowConsumer = errors.New("loop: unsent output is over the budget")
	// ErrTimeout closes a connection that did not finish a step in time.
	ErrTimeout = errors.New("loop: timed out")
	// ErrPanic closes a connection in whose callback the program panicked.
	ErrPanic = errors.New("loop: panic in callback")
	// ErrPipelineOverflow closes a connection that sends further requests
	// without end while one waits for its response.
	ErrPipelineOverflow = errors.New("loop: too much pipelined input")
	// ErrRefused tells the Stream of a request that was announced that the
	// reactor refused it: its body broke the protocol, a limit or a deadline.
	ErrRefused = errors.New("loop: request refused")
	// ErrExtensions says that a WebSocket's handshake was refused because its
	// Sec-WebSocket-Extensions header breaks the grammar.
	ErrExtensions = errors.New("loop: malformed Sec-WebSocket-Extensions")
	// ErrOptions is what New returns for options that can't be.
	ErrOptions = errors.New("loop: invalid options")
	// ErrState says that an operation needs a connection of another kind or
	// in another state, such as a second response to one request.
	ErrState = errors.New("loop: operation does not fit the connection's state")
)
