package engine

import "github.com/sio-gnet/sio-gnet/loop"

// A session moves when it upgrades to a WebSocket on another loop. No message
// may be overtaken by a later one meanwhile, wherever they come from:
//
//  1. Under the session's lock, under which Send posts too, the Receiver moves
//     the session's memberships (OnMove). A fan-out posts under the lock of its
//     room, so each one sees the session on one loop only.
//  2. In the same critical section home changes, and a fence is posted to the old
//     loop. So all that was posted there lies before the fence, and all that is
//     posted later goes to the new loop, where it is stashed. Who saw a fan-out go
//     to the new loop can't send to the old one any more.
//  3. When the old loop comes to the fence it has done all of its work for the
//     session, and hands it over. Until it arrives, the session has no owner: what
//     a client still sends to the old loop must follow to the new one.
//  4. The new loop takes it: first the queue that came along, then the stash.

// move starts to hand the session over to the loop of its candidate.
func (s *Session) move(k *candidate) {
	from, to := s.owner.Load(), k.conn.Loop()
	s.polling.moving = true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver.OnMove(s, to)
	s.home = to
	from.Post(&fenceTask{s, k})
}

type fenceTask struct {
	session   *Session
	candidate *candidate
}

// Run ends the old loop's part.
func (t *fenceTask) Run(l *loop.Loop) {
	l.Cancel(&t.session.timer)
	t.session.owner.Store(nil)
	t.candidate.conn.Loop().Post(&arriveTask{t.session, t.candidate})
}

type arriveTask struct {
	session   *Session
	candidate *candidate
}

// Run begins the new loop's part.
func (t *arriveTask) Run(l *loop.Loop) {
	s := t.session
	s.owner.Store(l)
	if s.state == stateClosed { // before the fence
		t.candidate.conn.CloseWebSocket(loop.CloseEmpty, "")
	} else {
		s.startHeartbeat()
		s.adopt(t.candidate)
	}
	stash := s.stash
	s.stash = nil
	for _, task := range stash {
		task.Run(l)
	}
}
