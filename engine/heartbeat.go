package engine

import (
	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// startHeartbeat schedules the next ping, or goes on waiting for a pong. The
// server pings, the client answers.
func (s *Session) startHeartbeat() {
	d := s.server.opts.PingInterval
	if s.awaitingPong {
		d = s.server.opts.PingTimeout
	}
	s.Schedule(&s.timer, d, (*heartbeat)(s))
}

type heartbeat Session

// OnTimer pings, or ends a session that did not answer.
func (t *heartbeat) OnTimer(*loop.Loop, *loop.Timer) {
	s := (*Session)(t)
	if s.awaitingPong {
		s.close(PingTimeout, nil)
		return
	}
	s.awaitingPong = true
	s.startHeartbeat()
	s.enqueue(controlPacket(engineio.Ping))
}

// onPong takes any pong, asked for or not, as a sign of life.
func (s *Session) onPong() {
	s.awaitingPong = false
	s.startHeartbeat()
}
