package engine

import "github.com/sio-gnet/sio-gnet/loop"

// Drained calls fn once all that was sent before has been handed over: to the
// kernel on a WebSocket, to the answer of a poll otherwise. It says nothing of
// the peer having got it. fn is called on the session's loop, must not block, and
// is never called if the session ends first. Any goroutine may call Drained.
func (s *Session) Drained(fn func()) { s.Post(&drainTask{s, fn}) }

type drainTask struct {
	session *Session
	fn      func()
}

func (t *drainTask) Run(l *loop.Loop) {
	s := t.session
	switch {
	case !s.Owned(l, t), s.state == stateClosed:
	case s.conn != nil:
		s.conn.NotifyDrained(func() {
			if s.state != stateClosed {
				t.fn()
			}
		})
	case len(s.polling.queue) == 0:
		t.fn()
	default:
		s.waiters = append(s.waiters, t.fn)
	}
}

// flushing is called before packets are handed to the transport.
func (s *Session) flushing() {
	if hook := s.server.opts.Hooks.Flush; hook != nil {
		hook(s)
	}
}

// drained is called when all packets were handed to the transport.
func (s *Session) drained() {
	waiters := s.waiters
	s.waiters = nil
	for _, fn := range waiters {
		fn()
	}
	if hook := s.server.opts.Hooks.Drain; hook != nil {
		hook(s)
	}
}

// beginBatch tells the hooks of what a turn hands to a WebSocket.
func (s *Session) beginBatch() {
	hooks := &s.server.opts.Hooks
	if s.conn == nil || s.batching || hooks.Flush == nil && hooks.Drain == nil {
		return
	}
	s.batching = true
	s.flushing()
	s.conn.NotifyDrained(func() {
		s.batching = false
		if s.state != stateClosed {
			s.drained()
		}
	})
}
