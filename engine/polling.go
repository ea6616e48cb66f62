package engine

import (
	"errors"
	"io"
	"net/http"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

const (
	payloadType = "text/plain; charset=UTF-8"
	postedType  = "text/html"
)

// polling is the state of a session that polls.
type polling struct {
	get       *request   // the GET that waits for something to say
	queue     []Message  // what waits for a GET, or for the upgrade
	size      int        // bytes in queue
	candidate *candidate // the WebSocket that the session may upgrade to
	flushing  bool       // a task to answer the GET is under way
	moving    bool       // the session is on its way to its WebSocket's loop
}

// request is a GET or POST while its response is still to come. It belongs to
// the loop of its connection; the session's owner only hands responses to it.
type request struct {
	conn    *loop.Conn
	session *Session
	header  []byte // further response header lines
}

// OnMessage is not called: the connection is no WebSocket.
func (q *request) OnMessage(*loop.Conn, bool, []byte) {}

// OnClose tells the owner that the peer cut the request.
func (q *request) OnClose(*loop.Conn, error) { q.session.Post(&cutTask{q}) }

type cutTask struct{ request *request }

func (t *cutTask) Run(l *loop.Loop) {
	s := t.request.session
	if s.Owned(l, t) && s.polling != nil && s.polling.get == t.request {
		s.polling.get = nil
		s.close(TransportError, ErrPollAborted)
	}
}

// respond answers the request, from the owner's loop.
func (q *request) respond(on *loop.Loop, res loop.Response) {
	q.respondBuffer(on, res, nil)
}

// respondBuffer is respond with a body that is given back once it was sent.
func (q *request) respondBuffer(on *loop.Loop, res loop.Response, body *loop.Buffer) {
	res.Header = append(append(res.Header, q.header...), noStore...)
	if q.conn.Loop() == on {
		q.answer(res, body)
		return
	}
	q.conn.Loop().Post(loop.TaskFunc(func(*loop.Loop) { q.answer(res, body) }))
}

func (q *request) answer(res loop.Response, body *loop.Buffer) {
	if body != nil {
		defer body.Release()
		res.Body = body.B
	}
	if q.conn.Attached(q) {
		q.session.server.respond(q.conn, res)
	}
}

// openPolling answers a handshake over polling.
func (s *Server) openPolling(c *loop.Conn, r *loop.Request) {
	session := s.newSession(c, r)
	session.polling = new(polling)
	s.sessions.add(session)
	var upgrades []string
	if !s.opts.NoUpgrade && !s.opts.NoWebSocket {
		upgrades = []string{"websocket"}
	}
	s.respond(c, loop.Response{
		Status: http.StatusOK, ContentType: payloadType,
		Header: append(s.corsHeader(nil, r), noStore...),
		Body:   session.appendOpen(nil, upgrades),
	})
	s.open(session)
}

// appendOpen appends the open packet.
func (s *Session) appendOpen(dst []byte, upgrades []string) []byte {
	o := &s.server.opts
	return engineio.AppendHandshake(append(dst, byte(engineio.Open)), engineio.Handshake{
		SID: s.id, Upgrades: upgrades,
		PingInterval: o.PingInterval, PingTimeout: o.PingTimeout, MaxPayload: o.MaxPayload,
	})
}

// servePoll takes a GET on its connection's loop.
func (s *Session) servePoll(c *loop.Conn, r *loop.Request) {
	q := &request{conn: c, session: s, header: s.server.corsHeader(nil, r)}
	c.Attach(q)
	s.runOrPost(c.Loop(), &pollTask{q})
}

type pollTask struct{ request *request }

func (t *pollTask) Run(l *loop.Loop) {
	if t.request.session.Owned(l, t) {
		t.request.session.onPoll(l, t.request)
	}
}

func (s *Session) onPoll(l *loop.Loop, q *request) {
	p := s.polling
	switch {
	case s.state == stateClosed:
		q.respond(l, (&RequestError{Code: CodeUnknownSession}).response(false, nil))
	case p == nil || p.moving:
		q.respond(l, (&RequestError{Code: CodeBadRequest, Name: "TRANSPORT_MISMATCH"}).response(false, nil))
	case p.get != nil:
		q.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(TransportError, ErrPollOverlap)
	case s.state == stateClosing && len(p.queue) == 0:
		p.get = q
		p.queue = append(p.queue, controlPacket(engineio.Noop))
		s.close(ForcedClose, nil)
	default:
		p.get = q
		if len(p.queue) > 0 {
			s.answerPoll()
		}
	}
}

// servePost takes a POST on its connection's loop.
func (s *Session) servePost(c *loop.Conn, r *loop.Request) {
	q := &request{conn: c, session: s, header: s.server.corsHeader(nil, r)}
	c.Attach(q)
	t := &postTask{request: q, body: r.Body, opaque: string(r.Get("Content-Type")) == "application/octet-stream"}
	if s.owner.Load() == c.Loop() {
		t.Run(c.Loop())
		return
	}
	t.body = append([]byte(nil), r.Body...) // it is a view of this turn's input
	s.Post(t)
}

type postTask struct {
	request *request
	body    []byte
	opaque  bool
}

func (t *postTask) Run(l *loop.Loop) {
	if t.request.session.Owned(l, t) {
		t.request.session.onPost(l, t)
	}
}

func (s *Session) onPost(l *loop.Loop, t *postTask) {
	switch {
	case s.state == stateClosed:
		t.request.respond(l, (&RequestError{Code: CodeUnknownSession}).response(false, nil))
		return
	case s.polling == nil:
		t.request.respond(l, (&RequestError{Code: CodeBadRequest, Name: "TRANSPORT_MISMATCH"}).response(false, nil))
		return
	case t.opaque:
		t.request.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(TransportError, ErrInvalidContent)
		return
	}
	if err := s.onPayload(t.body); err != nil {
		t.request.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(ParseError, err)
		return
	}
	t.request.respond(l, loop.Response{Status: http.StatusOK, ContentType: postedType, Body: []byte("ok")})
}

// onPayload handles the packets of a POST, up to the first bad one.
func (s *Session) onPayload(body []byte) error {
	packets := engineio.NewPayloadReader(body, s.server.opts.MaxPacketsPerPayload)
	for s.receives() { // once the session is over, it does not matter what follows
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.onPacket(p)
	}
	return nil
}

// queuePolling queues a message for the next poll. It takes over one reference.
func (s *Session) queuePolling(m Message) {
	p := s.polling
	if size := m.Size(); p.size > 0 && p.size+size > s.server.opts.MaxPending {
		m.Release()
		s.close(TransportError, loop.ErrSlowConsumer)
		return
	}
	p.queue = append(p.queue, m)
	p.size += m.Size()
	s.flushPolling()
}

// flushPolling answers the waiting GET behind all else that this turn has for
// it, so that it leaves as one payload.
func (s *Session) flushPolling() {
	if p := s.polling; p != nil && p.get != nil && !p.flushing && !p.moving {
		p.flushing = true
		s.owner.Load().Post((*flushTask)(s))
	}
}

type flushTask Session

func (t *flushTask) Run(l *loop.Loop) {
	s := (*Session)(t)
	if s.owner.Load() != l || s.polling == nil {
		return
	}
	s.polling.flushing = false
	if len(s.polling.queue) > 0 {
		s.answerPoll()
	}
}

// answerPoll sends what is queued to the GET that waits, if any.
func (s *Session) answerPoll() {
	p := s.polling
	if p.get == nil {
		return
	}
	get, body := p.get, loop.NewBuffer()
	p.get = nil
	for i, m := range p.queue {
		if i > 0 {
			body.B = append(body.B, engineio.Separator)
		}
		body.B = m.appendTo(body.B)
	}
	p.discard()
	get.respondBuffer(s.owner.Load(), loop.Response{Status: http.StatusOK, ContentType: payloadType}, body)
}

// discard empties the queue. Its memory goes, too: a session that waits holds none.
func (p *polling) discard() {
	for _, m := range p.queue {
		m.Release()
	}
	p.queue, p.size = nil, 0
}

// runOrPost runs t here if this loop owns the session.
func (s *Session) runOrPost(l *loop.Loop, t loop.Task) {
	if s.owner.Load() == l {
		t.Run(l)
		return
	}
	s.Post(t)
}
