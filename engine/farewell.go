package engine

import (
	"time"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// lastPoll is how long a session that its peer has closed waits for a poll that
// the peer sent before the close packet. They come over two connections, so
// that on several loops the later one may be seen first. Nobody notices the
// wait: the answer to the POST is held back, so a peer that reads it before it
// polls again finds the session gone, as ever.
const lastPoll = 20 * time.Millisecond

// onClosePacket ends a session that its peer has closed. The peer knows, so a
// waiting poll ends with a noop.
func (s *Session) onClosePacket() {
	p := s.polling
	if p == nil || p.moving {
		s.close(TransportClose, nil)
		return
	}
	if p.get != nil {
		s.takeLeave()
		return
	}
	s.state, p.leaving = stateClosing, true
	s.over.Store(true)
	s.dropCandidate()
	s.Schedule(&s.timer, lastPoll, (*lastPollTimer)(s))
}

type lastPollTimer Session

// OnTimer ends the session without a further poll.
func (t *lastPollTimer) OnTimer(*loop.Loop, *loop.Timer) { (*Session)(t).close(TransportClose, nil) }

// takeLeave answers the waiting poll of a peer that has closed the session.
func (s *Session) takeLeave() {
	if p := s.polling; len(p.queue) == 0 {
		p.queue = append(p.queue, controlPacket(engineio.Noop))
	}
	s.answerPoll()
	s.close(TransportClose, nil)
}
