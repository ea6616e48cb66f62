package engine

import (
	"errors"
	"io"
	"os"

	"github.com/sio-gnet/sio-gnet/loop"
)

// socketStream is a session as the Stream of its WebSocket.
type socketStream Session

// OnMessage takes one frame's packet.
func (t *socketStream) OnMessage(_ *loop.Conn, binary bool, payload []byte) {
	s := (*Session)(t)
	if !s.receives() {
		return
	}
	p, err := s.decodeFrame(binary, payload)
	if err != nil {
		s.close(ParseError, err)
		return
	}
	s.onPacket(p)
}

// OnClose ends the session with its WebSocket.
func (t *socketStream) OnClose(_ *loop.Conn, err error) {
	s := (*Session)(t)
	s.conn = nil
	s.close(reasonOf(err), err)
}

// reasonOf tells a peer that left, one way or another, from a transport that
// failed.
func reasonOf(err error) CloseReason {
	var (
		closed *loop.CloseError
		lost   *os.SyscallError
	)
	switch {
	case errors.Is(err, loop.ErrServerClosed), errors.Is(err, loop.ErrReactorStopped):
		return ForcedClose
	case errors.Is(err, io.EOF), errors.As(err, &closed), errors.As(err, &lost):
		return TransportClose
	}
	return TransportError
}
