package engine

import (
	"net/http"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// servePoll takes a GET on its connection's loop.
func (s *Session) servePoll(x *exchange) {
	q := x.newRequest(s)
	x.conn.Attach(q)
	s.runOrPost(x.conn.Loop(), &pollTask{q})
}

type pollTask struct{ request *request }

func (t *pollTask) Run(l *loop.Loop) {
	if t.request.session.Owned(l, t) {
		t.request.session.onPoll(l, t.request)
	}
}

func (s *Session) onPoll(l *loop.Loop, q *request) {
	s.checkHeartbeat(l)
	p := s.polling
	switch {
	case s.state == stateClosed:
		q.refuse(l, newRefusal(CodeUnknownSession, "sid", s.id))
	case p == nil || p.moving:
		q.refuseUpgraded(l)
	case p.get != nil:
		q.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(TransportError, ErrPollOverlap)
	case p.leaving:
		p.get = q
		s.takeLeave()
	case s.state == stateClosing && len(p.queue) == 0:
		p.get = q
		p.queue = append(p.queue, controlPacket(engineio.Noop))
		s.close(ForcedClose, nil)
	default:
		p.get = q
		q.late = p.candidate != nil && p.candidate.probed
		if len(p.queue) > 0 {
			s.answerPoll()
		}
	}
}

// refuseUpgraded refuses a request over the transport that the session has left.
func (q *request) refuseUpgraded(on *loop.Loop) {
	q.refuse(on, badRequest("TRANSPORT_MISMATCH", "transport", "polling", "previousTransport", "websocket"))
}
