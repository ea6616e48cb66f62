package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Session is one client's Engine.IO connection, over whatever transport. The
// methods of its API may be called from any goroutine.
type Session struct {
	id       string
	server   *Server
	info     *RequestInfo
	receiver Receiver

	protocol protocol

	mu   sync.Mutex
	home *loop.Loop // where tasks for the session are posted

	owner       atomic.Pointer[loop.Loop] // whose state it is; differs from home during a move
	onWebSocket atomic.Bool
	over        atomic.Bool // closing or closed: takes no more messages

	// All below belongs to the owner.

	conn    *loop.Conn // the WebSocket
	polling *polling   // nil on a WebSocket
	timer   loop.Timer // heartbeat; deadline of a close

	state        sessionState
	ended        bool // nothing more is received
	base64       bool // the peer takes no bytes, on the transport in use
	awaitingPong bool
	batching     bool // hooks were told of a flush, and not of its end
	reprieved    bool // a packet has shown since the ping that the peer lives

	// waiters are called when all that is queued was handed to the transport.
	waiters []func()

	// stash belongs to the loop that the session is moving to: tasks that came
	// there before the session did.
	stash []loop.Task
}

type sessionState uint8

const (
	stateOpen    sessionState = iota
	stateClosing              // the last packets wait for a poll that fetches them
	stateClosed
)

// ID returns the session's id. It lets its holder act as the client: keep it
// secret.
func (s *Session) ID() string { return s.id }

// Request returns what is kept of the request that opened the session.
func (s *Session) Request() *RequestInfo { return s.info }

// Transport returns the transport in use, "polling" or "websocket".
func (s *Session) Transport() string {
	if s.onWebSocket.Load() {
		return "websocket"
	}
	return "polling"
}

// Protocol returns the revision of Engine.IO that the peer speaks, 3 or 4.
func (s *Session) Protocol() int { return int(s.protocol) }

// Closed reports whether the session takes no more messages.
func (s *Session) Closed() bool { return s.over.Load() }

// Home returns the loop that tasks for the session go to at present.
func (s *Session) Home() *loop.Loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.home
}

// Post runs t on the loop that owns the session, in order with Send. If the
// session moves meanwhile, t may be run by a loop that does not own it yet: t
// must ask [Session.Owned] first.
func (s *Session) Post(t loop.Task) {
	s.mu.Lock()
	s.home.Post(t)
	s.mu.Unlock()
}

// Owned reports whether l, on which it is called, owns the session. If not, the
// session is on its way to l, and t is run again when it has come.
func (s *Session) Owned(l *loop.Loop, t loop.Task) bool {
	if s.owner.Load() == l {
		return true
	}
	s.stash = append(s.stash, t)
	return false
}

// Schedule makes t due after d on the owner's wheel. On the owner.
func (s *Session) Schedule(t *loop.Timer, d time.Duration, h loop.TimerHandler) {
	s.owner.Load().Schedule(t, d, h)
}

// Cancel calls t off. On the owner.
func (s *Session) Cancel(t *loop.Timer) { s.owner.Load().Cancel(t) }

// Close sends what is queued and closes the session. A polling client that
// does not fetch the rest within CloseTimeout loses it.
func (s *Session) Close() { s.Post(&closeTask{s, false}) }

// End is Close for the owner's loop: from here on nothing more is received or
// sent.
func (s *Session) End() {
	s.ended = true
	s.over.Store(true)
	s.Close() // in a task, behind those of what was sent
}

// Discard closes the session at once; what is queued is lost.
func (s *Session) Discard() { s.Post(&closeTask{s, true}) }

type closeTask struct {
	s       *Session
	discard bool
}

func (t *closeTask) Run(l *loop.Loop) {
	if !t.s.Owned(l, t) {
		return
	}
	if t.discard {
		t.s.close(ForcedClose, nil)
		return
	}
	t.s.closeGently()
}

// closeGently closes once the peer has what is queued. What a poll brings is
// handled by clients behind a close packet that comes with it, so the two never
// share a response.
func (s *Session) closeGently() {
	p := s.polling
	switch {
	case s.state != stateOpen:
		return
	case p == nil, p.get != nil && len(p.queue) == 0 && !p.moving:
		s.close(ForcedClose, nil)
		return
	}
	s.state = stateClosing
	s.over.Store(true)
	s.Schedule(&s.timer, s.server.opts.CloseTimeout, (*closeTimer)(s))
	if !p.moving {
		s.answerPoll()
	}
}

type closeTimer Session

func (t *closeTimer) OnTimer(*loop.Loop, *loop.Timer) { (*Session)(t).close(ForcedClose, nil) }

// close ends the session. What is queued for a WebSocket, or for a poll that
// waits, still leaves.
func (s *Session) close(reason CloseReason, err error) {
	if s.state == stateClosed {
		return
	}
	s.state = stateClosed
	s.over.Store(true)
	s.Cancel(&s.timer)
	s.server.forget(s)
	defer s.server.stats.close(reason) // whoever waits for the last session waits for its OnClose, too
	s.waiters = nil
	if p := s.polling; p != nil {
		s.dropCandidate()
		if p.upload != nil {
			p.upload.cut(s.owner.Load())
			p.upload = nil
		}
		p.queue = append(p.queue, controlPacket(engineio.Close))
		s.answerPoll()
		p.discard()
		if p.farewell != nil {
			p.farewell.respondPosted(s.owner.Load())
			p.farewell = nil
		}
	}
	if s.conn != nil {
		s.conn.CloseWebSocket(loop.CloseEmpty, "")
		s.conn = nil
	}
	if hook := s.server.opts.Hooks.Close; hook != nil {
		hook(s, reason, err)
	}
	if s.receiver != nil {
		s.receiver.OnClose(s, reason, err)
	}
}

// onPacket handles a packet that came over the session's transport while the
// session receives. Those that mean nothing here have no effect.
func (s *Session) onPacket(p engineio.Packet) {
	if hook := s.server.opts.Hooks.Packet; hook != nil {
		hook(s, p)
	}
	if s.awaitingPong && !s.reprieved && p.Type != engineio.Pong {
		s.reprieve()
	}
	switch p.Type {
	case engineio.Message:
		s.receiver.OnMessage(s, p.Data, p.Binary)
	case engineio.Ping, engineio.Pong:
		s.onHeartbeat(p.Type)
	case engineio.Close:
		s.onClosePacket()
	}
}

// receives reports whether packets of the peer still count.
func (s *Session) receives() bool { return s.state == stateOpen && !s.ended }

// Owner returns the loop that owns the session. On that loop.
func (s *Session) Owner() *loop.Loop { return s.owner.Load() }

// OwnedBy reports whether l owns the session at present. On l, the answer
// stays true until the callback returns.
func (s *Session) OwnedBy(l *loop.Loop) bool { return s.owner.Load() == l }
