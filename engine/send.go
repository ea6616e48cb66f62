package engine

import (
	"sync"

	"github.com/sio-gnet/sio-gnet/loop"
)

// Send queues messages that belong together, in this order and with nothing
// between them, behind all that was sent before. It takes over one reference
// to each message. MaxPending judges them as one. A volatile group is dropped if the peer can't take it now.
// It never blocks; [ErrSessionClosed] says that the messages went nowhere. Any
// goroutine may call it.
func (s *Session) Send(volatile bool, first Message, rest ...Message) error {
	if s.over.Load() {
		first.Release()
		releaseAll(rest)
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
		releaseAll(t.rest)
	} else {
		s.enqueue(t.first, t.rest)
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
	if volatile && !s.writable() {
		releaseAll(messages)
		return
	}
	s.enqueue(messages[0], messages[1:])
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

// enqueue queues the messages of a packet. It takes over one reference to each.
func (s *Session) enqueue(first Message, rest []Message) {
	switch {
	case s.state != stateOpen:
	case s.conn == nil:
		s.queuePolling(first, rest)
		return
	case len(rest) == 0:
		s.write(first)
		return
	default:
		s.writeGroup(first, rest)
		return
	}
	first.Release()
	releaseAll(rest)
}

// writeGroup queues several messages on the session's WebSocket, which judges them
// as one.
func (s *Session) writeGroup(first Message, rest []Message) {
	conn := s.conn
	conn.BeginGroup()
	defer conn.EndGroup()
	s.write(first)
	for i, m := range rest {
		if s.conn == nil { // the one before has closed it
			releaseAll(rest[i:])
			return
		}
		s.write(m)
	}
}

// write queues a message on the session's WebSocket. It takes over one reference.
func (s *Session) write(m Message) {
	s.created(m)
	s.writeFrame(m)
	s.beginBatch()
}

// created tells the hooks of a packet that is queued to be sent.
func (s *Session) created(m Message) {
	if hook := s.server.opts.Hooks.PacketCreate; hook != nil {
		hook(s, m.packet())
	}
}

func releaseAll(messages []Message) {
	for _, m := range messages {
		m.Release()
	}
}
