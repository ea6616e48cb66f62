package engine

import (
	"sync"

	"github.com/sio-gnet/sio-gnet/loop"
)

// Send queues messages that belong together, in this order and with nothing
// between them, behind all that was sent before. It takes over one reference
// to each message. A volatile group is dropped if the peer can't take it now.
// It never blocks; [ErrSessionClosed] says that the messages went nowhere. Any
// goroutine may call it.
func (s *Session) Send(volatile bool, first Message, rest ...Message) error {
	if s.over.Load() {
		first.Release()
		for _, m := range rest {
			m.Release()
		}
		return ErrSessionClosed
	}
	t := sendTasks.Get().(*sendTask)
	t.session, t.first, t.volatile = s, first, volatile
	t.rest = append(t.rest[:0], rest...)
	s.Post(t)
	return nil
}

var sendTasks = sync.Pool{New: func() any { return new(sendTask) }}

type sendTask struct {
	session  *Session
	first    Message
	rest     []Message
	volatile bool
}

func (t *sendTask) Run(l *loop.Loop) {
	s := t.session
	if !s.Owned(l, t) {
		return
	}
	if t.volatile && !s.writable() {
		t.first.Release()
		for _, m := range t.rest {
			m.Release()
		}
	} else {
		s.enqueue(t.first)
		for _, m := range t.rest {
			s.enqueue(m)
		}
	}
	clear(t.rest)
	*t = sendTask{rest: t.rest[:0]}
	sendTasks.Put(t)
}

// Deliver is Send for a task of the loop that fans one message out to many
// sessions: no further task is made. It takes over one reference to each
// message. On the loop that the fan-out was posted to.
func (s *Session) Deliver(l *loop.Loop, volatile bool, messages []Message) {
	if s.owner.Load() != l { // it is on its way here
		t := &sendTask{session: s, first: messages[0], volatile: volatile}
		t.rest = append(t.rest, messages[1:]...)
		s.stash = append(s.stash, t)
		return
	}
	drop := volatile && !s.writable()
	for _, m := range messages {
		if drop {
			m.Release()
			continue
		}
		s.enqueue(m)
	}
}

// writable reports whether a message would leave at once.
func (s *Session) writable() bool {
	switch {
	case s.state != stateOpen:
		return false
	case s.conn != nil:
		return !s.conn.Blocked()
	}
	return s.polling.get != nil && !s.polling.moving
}

// enqueue takes over one reference to m.
func (s *Session) enqueue(m Message) {
	if s.state != stateOpen {
		m.Release()
		return
	}
	if hook := s.server.opts.Hooks.PacketCreate; hook != nil {
		hook(s, m.packet())
	}
	if s.conn != nil {
		s.writeFrame(m)
		s.beginBatch()
		return
	}
	s.queuePolling(m)
}
