package engine

import (
	"errors"
	"io"
	"os"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// serveUpgrade answers a WebSocket handshake: for a new session if there is
// none, else as the candidate to upgrade the one there is.
func (s *Server) serveUpgrade(c *loop.Conn, r *loop.Request, session *Session) {
	hs, refusal := loop.CheckHandshake(r)
	if refusal != nil {
		refusal.Header = s.corsHeader(refusal.Header, r)
		s.respond(c, *refusal)
		return
	}
	header := s.corsHeader(nil, r)
	if session != nil {
		session.considerUpgrade(c, hs, header)
		return
	}
	session = s.newSession(c, r)
	if err := c.AcceptWebSocket(hs, header, (*socketStream)(session)); err != nil {
		s.opts.Logger.Debug("engine: websocket not accepted", "error", err)
		return
	}
	session.conn = c
	session.onWebSocket.Store(true)
	s.sessions.add(session)
	c.WriteFrame(ws.OpText, session.appendOpen(nil, nil))
	s.open(session)
}

// socketStream is a session as the Stream of its WebSocket.
type socketStream Session

// OnMessage takes one frame's packet.
func (t *socketStream) OnMessage(_ *loop.Conn, binary bool, payload []byte) {
	s := (*Session)(t)
	if !s.receives() {
		return
	}
	if binary {
		s.onPacket(engineio.DecodeBinary(payload))
		return
	}
	p, err := engineio.DecodeText(payload)
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
