package engine

import (
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

const (
	postedType = "text/html"
	opaqueType = "application/octet-stream"
)

// upload is the Stream of a connection from the head of a POST until all of
// its body has come. Of a session there is one at a time.
type upload struct {
	session *Session
	conn    *loop.Conn
}

// AnnounceRequest notes a POST whose body is still to come.
func (s *Server) AnnounceRequest(c *loop.Conn, r *loop.Request) {
	if string(r.Method) != http.MethodPost || !s.Matches(r.Path) {
		return
	}
	session := s.sessions.get(r.QueryValue("sid"))
	if session == nil {
		return // it is refused when it is complete, as it would be now
	}
	u := &upload{session: session, conn: c}
	c.Attach(u)
	session.runOrPost(c.Loop(), &uploadTask{upload: u})
}

// OnMessage is not called: the connection is no WebSocket.
func (u *upload) OnMessage(*loop.Conn, bool, []byte) {}

// OnClose tells the owner that the body will not come.
func (u *upload) OnClose(c *loop.Conn, err error) {
	u.session.runOrPost(c.Loop(), &uploadTask{upload: u, over: true, refused: errors.Is(err, loop.ErrRefused)})
}

type uploadTask struct {
	upload  *upload
	over    bool // the body will not come
	refused bool // it was the reactor that refused it
}

func (t *uploadTask) Run(l *loop.Loop) {
	s := t.upload.session
	if !s.Owned(l, t) || s.polling == nil || s.state == stateClosed {
		return
	}
	p := s.polling
	switch {
	case !t.over && p.upload == nil:
		p.upload = t.upload
	case !t.over:
		s.close(TransportError, ErrPostOverlap)
	case p.upload != t.upload:
	case t.refused:
		p.upload = nil // its sender was told, and may go on
	default:
		p.upload = nil
		s.close(TransportError, ErrPostAborted)
	}
}

// cut ends a POST that is coming in, unanswered.
func (u *upload) cut(on *loop.Loop) {
	end := func(*loop.Loop) {
		if u.conn.Attached(u) {
			u.conn.Attach(nil)
			u.conn.Abort(ErrSessionClosed)
		}
	}
	if u.conn.Loop() == on {
		end(on)
		return
	}
	u.conn.Loop().Post(loop.TaskFunc(end))
}

// servePost takes a whole POST on its connection's loop.
func (s *Session) servePost(x *exchange) {
	q := x.newRequest(s)
	q.upload, _ = x.conn.Stream().(*upload)
	x.conn.Attach(q)
	r := x.request
	t := &postTask{request: q, body: r.Body, opaque: string(r.Get("Content-Type")) == opaqueType}
	if s.owner.Load() == x.conn.Loop() {
		t.Run(x.conn.Loop())
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
	s.checkHeartbeat(l)
	p, q := s.polling, t.request
	switch {
	case s.state == stateClosed:
		q.refuse(l, newRefusal(CodeUnknownSession, "sid", s.id))
		return
	case p == nil:
		q.refuseUpgraded(l)
		return
	case p.upload != q.upload:
		q.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(TransportError, ErrPostOverlap)
		return
	}
	p.upload = nil
	if t.opaque && s.protocol == protocol4 {
		q.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(TransportError, ErrInvalidContent)
		return
	}
	if err := s.onPayload(t); err != nil {
		q.respond(l, loop.Response{Status: http.StatusBadRequest})
		s.close(ParseError, err)
		return
	}
	if s.polling != nil && s.polling.leaving && s.polling.farewell == nil {
		s.polling.farewell = q
		return
	}
	q.respondPosted(l)
}

// respondPosted tells the sender of a POST that its packets were handled.
func (q *request) respondPosted(on *loop.Loop) {
	q.respond(on, loop.Response{Status: http.StatusOK, ContentType: postedType, Body: []byte("ok")})
}

// onPayload handles the packets of a POST, up to the first bad one.
func (s *Session) onPayload(t *postTask) error {
	body := t.body
	if s.polling.jsonp != nil {
		var ok bool
		if body, ok = engineio.DecodeJSONPBody(body); !ok {
			return nil
		}
	}
	limit := s.server.opts.MaxPacketsPerPayload
	var packets engineio.PayloadReader
	switch {
	case s.protocol == protocol4:
		packets = engineio.NewPayloadReader(validText(body), limit)
	case t.opaque:
		packets = engineio.NewBinaryPayloadReaderV3(body, limit)
	default:
		packets = engineio.NewPayloadReaderV3(body, limit)
	}
	for s.state != stateClosed && !s.polling.leaving {
		p, err := packets.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case s.receives() && err != nil:
			return err //nolint:wrapcheck // it is the session's error
		case s.receives():
			s.onPacket(p)
		case err != nil:
			return nil //nolint:nilerr // the session is over but for its last packets: it does not matter what comes
		case p.Type == engineio.Close:
			s.onClosePacket() // nobody is going to fetch those
		}
	}
	return nil
}

// validText makes U+FFFD of each byte that does not belong to UTF-8.
func validText(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return []byte(string([]rune(string(b))))
}
