package engine

import (
	"net/http"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

// Hooks are told what happens to requests and sessions. Each may be nil. They
// are called on an event loop, in the order of what they tell: they must not
// block, and must not keep what they are given unless it says so. One that panics
// is logged.
type Hooks struct {
	// ConnectionError is told of each request that was refused.
	ConnectionError func(e *ConnectionError)
	// InitialHeaders may change the headers of the answer that opens a session,
	// Headers those of that and each later answer of a session: 200 to a GET or
	// POST, 101 to an upgrade.
	InitialHeaders, Headers func(h http.Header, r *http.Request)

	// Packet is told of each packet received over the session's transport, and
	// PacketCreate of each that is queued to be sent, its data as yet unsent.
	Packet, PacketCreate func(s *Session, p engineio.Packet)
	// Flush says that packets are about to be handed to the transport, and Drain
	// that they were; neither says that the peer has got them.
	Flush, Drain func(s *Session)
	// Heartbeat says that the peer gave its sign of life.
	Heartbeat func(s *Session)
	// Upgrading says that a WebSocket was probed, Upgrade that the session went
	// over to it.
	Upgrading, Upgrade func(s *Session)
	// Close says that the session ended; err as in [Receiver].
	Close func(s *Session, reason CloseReason, err error)
}

// ConnectionError is a request that was refused.
type ConnectionError struct {
	*RequestError

	// Request is the refused request. It may be kept.
	Request *http.Request
}
