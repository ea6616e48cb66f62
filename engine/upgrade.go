package engine

import (
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// A polling session upgrades in four steps: the client opens a WebSocket with
// its session id (the candidate), probes it with "2probe" and gets "3probe",
// lets its polls come to an end while the server answers the waiting one with a
// noop, and sends "5". Until then both directions stay on polling.

const (
	// A poll that waits is answered with a noop a little after the probe, so that
	// the client need not wait for news before it can go on, and again for a poll
	// that was under way.
	firstNoop = 10 * time.Millisecond
	nextNoop  = 100 * time.Millisecond
)

// candidate is the WebSocket that a session may upgrade to. Its connection may
// be on another loop than the session: frames go to the owner as tasks.
type candidate struct {
	session *Session
	conn    *loop.Conn
	base64  bool // the peer takes no bytes on it
	// inFlight counts the events on their way to the owner. While there are any,
	// no other may take the short way.
	inFlight atomic.Int32

	// Of the owner.
	deadline, noop loop.Timer
	probed         bool
	lost           error // why the WebSocket ended after the upgrade was decided
}

type candidateEvent uint8

const (
	candidateOpen candidateEvent = iota
	candidateFrame
	candidateClosed
)

type candidateTask struct {
	candidate *candidate
	event     candidateEvent
	payload   []byte
	binary    bool
	err       error
}

// Run is called with events that were posted.
func (t *candidateTask) Run(l *loop.Loop) {
	k := t.candidate
	if !k.session.Owned(l, t) {
		return
	}
	last := k.inFlight.Add(-1) == 0
	t.handle()
	if last && k.session.conn == k.conn {
		k.handOver()
	}
}

func (t *candidateTask) handle() {
	s := t.candidate.session
	switch t.event {
	case candidateOpen:
		s.onCandidate(t.candidate)
	case candidateFrame:
		s.onCandidateFrame(t.candidate, t.payload, t.binary)
	case candidateClosed:
		s.onCandidateClosed(t.candidate, t.err)
	}
}

// toOwner passes an event on to the session's owner, behind those before it. On
// the connection's loop.
func (k *candidate) toOwner(t *candidateTask) {
	if k.direct() {
		t.handle()
		return
	}
	k.inFlight.Add(1)
	k.session.Post(t)
}

// direct reports whether the connection's loop, on which it is called, may
// handle events itself.
func (k *candidate) direct() bool {
	return k.session.OwnedBy(k.conn.Loop()) && k.inFlight.Load() == 0
}

// OnMessage passes a frame on.
func (k *candidate) OnMessage(_ *loop.Conn, binary bool, payload []byte) {
	if !k.direct() { // payload is only valid now
		payload = append([]byte(nil), payload...)
	}
	k.toOwner(&candidateTask{candidate: k, event: candidateFrame, payload: payload, binary: binary})
}

// OnClose passes the end of the WebSocket on.
func (k *candidate) OnClose(_ *loop.Conn, err error) {
	k.toOwner(&candidateTask{candidate: k, event: candidateClosed, err: err})
}

// handOver makes the session the Stream of its WebSocket, unless events of the
// candidate are still to come first.
func (k *candidate) handOver() {
	if k.inFlight.Load() == 0 && k.conn.Attached(k) {
		k.conn.Attach((*socketStream)(k.session))
	}
}

// onConn runs f on the loop of the candidate's connection.
func (k *candidate) onConn(on *loop.Loop, f func(c *loop.Conn)) {
	if k.conn.Loop() == on {
		f(k.conn)
		return
	}
	k.conn.Loop().Post(loop.TaskFunc(func(*loop.Loop) { f(k.conn) }))
}

func (k *candidate) refuse(on *loop.Loop) {
	k.onConn(on, func(c *loop.Conn) { c.CloseWebSocket(loop.CloseEmpty, "") })
}

// onCandidate admits a candidate, if the session has none and still polls.
func (s *Session) onCandidate(k *candidate) {
	p := s.polling
	if s.state != stateOpen || p == nil || p.moving || p.candidate != nil {
		k.refuse(s.owner.Load())
		return
	}
	p.candidate = k
	s.Schedule(&k.deadline, s.server.opts.UpgradeTimeout, k)
}

// OnTimer answers the waiting poll, or gives the upgrade up.
func (k *candidate) OnTimer(_ *loop.Loop, t *loop.Timer) {
	s := k.session
	if s.polling == nil || s.polling.candidate != k {
		return
	}
	if t == &k.deadline {
		s.dropCandidate()
		return
	}
	s.Schedule(&k.noop, nextNoop, k)
	if p := s.polling; p.get != nil && len(p.queue) == 0 {
		p.queue = append(p.queue, controlPacket(engineio.Noop))
		s.answerPoll()
	}
}

func (s *Session) onCandidateFrame(k *candidate, payload []byte, binary bool) {
	p := s.polling
	switch {
	case p != nil && p.candidate == k && !p.moving:
		s.onProbe(k, payload, binary)
	case s.conn == k.conn, p != nil && p.moving && p.candidate == k:
		// The upgrade is decided: it is the session's transport now.
		(*socketStream)(s).OnMessage(k.conn, binary, payload)
	}
}

// onProbe handles a frame of the upgrade itself. Anything unexpected ends the
// attempt, and the session goes on polling.
func (s *Session) onProbe(k *candidate, payload []byte, binary bool) {
	switch text := string(payload); {
	case !binary && text == "2probe":
		k.onConn(s.owner.Load(), func(c *loop.Conn) { c.WriteFrame(ws.OpText, []byte("3probe")) })
		if !k.probed {
			k.probed = true
			s.Schedule(&k.noop, firstNoop, k)
			if hook := s.server.opts.Hooks.Upgrading; hook != nil {
				hook(s)
			}
		}
	case !binary && text == "5":
		s.upgrade(k)
	default:
		s.dropCandidate()
	}
}

func (s *Session) onCandidateClosed(k *candidate, err error) {
	p := s.polling
	switch {
	case p != nil && p.candidate == k && !p.moving:
		s.cancelCandidate()
	case p != nil && p.candidate == k:
		k.lost = err
	case s.conn == k.conn:
		(*socketStream)(s).OnClose(k.conn, err)
	}
}

// dropCandidate gives an upgrade up.
func (s *Session) dropCandidate() {
	if p := s.polling; p != nil && p.candidate != nil {
		k := p.candidate
		s.cancelCandidate()
		k.refuse(s.owner.Load())
	}
}

func (s *Session) cancelCandidate() {
	k := s.polling.candidate
	s.polling.candidate = nil
	s.Cancel(&k.deadline)
	s.Cancel(&k.noop)
}

// upgrade makes the candidate the session's transport.
func (s *Session) upgrade(k *candidate) {
	owner := s.owner.Load()
	s.Cancel(&k.deadline)
	s.Cancel(&k.noop)
	s.onWebSocket.Store(true)
	if p := s.polling; p.get != nil {
		// The client should have none by now; a close packet ends it without
		// touching the session.
		get := p.get
		p.get = nil
		if get.late {
			get.refuseUpgraded(owner)
		} else {
			body := loop.NewBuffer()
			contentType := s.appendPayload(body, []Message{controlPacket(engineio.Close)})
			get.respondPayload(owner, contentType, body, false)
		}
	}
	if u := s.polling.upload; u != nil {
		s.polling.upload = nil
		u.cut(owner)
	}
	if k.conn.Loop() == owner {
		s.adopt(k)
		return
	}
	s.move(k)
}

// adopt is the end of an upgrade, on the loop of the WebSocket, which owns the
// session.
func (s *Session) adopt(k *candidate) {
	queue := s.polling.queue
	s.polling = nil
	s.conn, s.base64 = k.conn, k.base64
	s.server.stats.upgraded.Add(1)
	if hook := s.server.opts.Hooks.Upgrade; hook != nil {
		hook(s)
	}
	open := k.conn.Attached(k)
	k.handOver()
	s.writeQueue(queue, open)
	if waiters := s.waiters; open && s.conn != nil && len(waiters) > 0 {
		s.waiters = nil
		s.conn.NotifyDrained(func() {
			for _, fn := range waiters {
				fn()
			}
		})
	}
	switch {
	case k.lost != nil:
		(*socketStream)(s).OnClose(k.conn, k.lost)
	case s.state == stateClosing:
		s.close(ForcedClose, nil)
	}
}

// writeQueue hands what waited for a poll to the WebSocket. It was within the budget,
// or is one packet, and is still both: it is judged as one.
func (s *Session) writeQueue(queue []Message, open bool) {
	conn := s.conn
	conn.BeginGroup()
	defer conn.EndGroup()
	for _, m := range queue {
		if open && s.conn != nil { // a write may close it
			s.writeFrame(m)
		} else {
			m.Release()
		}
	}
}
