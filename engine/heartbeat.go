package engine

import (
	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// In protocol 4 the server pings and the peer answers; in protocol 3 it is the
// other way round, and the server only waits.

// startHeartbeat schedules the next ping, or the end of the wait for the peer.
func (s *Session) startHeartbeat() {
	o := &s.server.opts
	d := o.PingInterval
	switch {
	case s.protocol == protocol3:
		d = o.PingInterval + o.PingTimeout
	case s.awaitingPong:
		d = o.PingTimeout
	}
	s.Schedule(&s.timer, d, (*heartbeat)(s))
}

type heartbeat Session

// OnTimer pings, or ends a session whose peer gave no sign of life.
func (t *heartbeat) OnTimer(*loop.Loop, *loop.Timer) {
	s := (*Session)(t)
	if s.awaitingPong || s.protocol == protocol3 {
		s.close(PingTimeout, nil)
		return
	}
	s.awaitingPong, s.reprieved = true, false
	s.owner.Load().ScheduleNext(&s.timer, s.server.opts.PingTimeout, t)
	s.enqueue(controlPacket(engineio.Ping), nil)
}

// checkHeartbeat ends a session whose peer's time is over, though its loop was too
// busy to notice.
func (s *Session) checkHeartbeat(l *loop.Loop) {
	if s.state == stateOpen && (s.awaitingPong || s.protocol == protocol3) && l.Overdue(&s.timer) {
		s.close(PingTimeout, nil)
	}
}

// reprieve gives a peer that sends something else than the pong some more time,
// once for each ping: it may be busy with sending.
func (s *Session) reprieve() {
	s.reprieved = true
	s.startHeartbeat()
}

// onHeartbeat takes the peer's part of the heartbeat; a pong as a sign of life
// even if nobody asked for it.
func (s *Session) onHeartbeat(t engineio.PacketType) {
	if (t == engineio.Ping) != (s.protocol == protocol3) {
		s.close(TransportError, ErrHeartbeatDirection)
		return
	}
	if hook := s.server.opts.Hooks.Heartbeat; hook != nil {
		hook(s)
	}
	s.awaitingPong = false
	s.startHeartbeat()
	if t == engineio.Ping {
		s.enqueue(controlPacket(engineio.Pong), nil)
	}
}
