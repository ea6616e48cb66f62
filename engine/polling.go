package engine

import (
	"net/http"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// polling is the state of a session that polls.
type polling struct {
	get       *request   // the GET that waits for something to say
	upload    *upload    // a POST whose body is coming in
	queue     []Message  // what waits for a GET, or for the upgrade
	size      int        // bytes in queue
	candidate *candidate // the WebSocket that the session may upgrade to
	jsonp     []byte     // the index of the page's callback; nil without JSONP
	flushing  bool       // a task to answer the GET is under way
	moving    bool       // the session is on its way to its WebSocket's loop
	leaving   bool       // the peer has closed: the session waits for its last poll
	farewell  *request   // the POST that closed it, answered last
}

// maxJSONPIndex bounds the digits of a callback's index.
const maxJSONPIndex = 20

// newPolling makes the state of a session that the request opens.
func newPolling(r *loop.Request) *polling {
	p := new(polling)
	if j := r.QueryValue("j"); j != nil {
		p.jsonp = engineio.AppendJSONPIndex([]byte{}, j, maxJSONPIndex)
	}
	return p
}

// request is a GET or POST of a session while its response is still to come. It
// belongs to the loop of its connection; the session's owner only hands responses
// to it.
type request struct {
	conn     *loop.Conn
	session  *Session
	header   []byte        // further response header lines
	hooked   *http.Request // for the program's header hooks; nil if there are none
	encoding string        // the content coding that the peer likes best
	upload   *upload       // of a POST that was announced
	first    bool          // it opens the session
	// late says that the poll came when the upgrade's probe was answered: its
	// client has sent, or is about to send, the end of the upgrade on the other
	// connection, which may be seen second.
	late bool
}

// newRequest takes what the answer to a request will need of it.
func (x *exchange) newRequest(s *Session) *request {
	q := &request{conn: x.conn, session: s, header: quirks(x.header, x.request), hooked: x.hooked()}
	if x.server.opts.CompressionThreshold >= 0 {
		q.encoding = contentCoding(x.request)
	}
	return q
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

// refuse answers with an error that closes nothing but the request.
func (q *request) refuse(on *loop.Loop, err *RequestError) {
	q.session.server.stats.refuse(err.Code)
	q.respond(on, err.response(false, nil))
}

// respond answers the request, from the owner's loop.
func (q *request) respond(on *loop.Loop, res loop.Response) {
	if q.conn.Loop() == on {
		q.answer(res)
		return
	}
	q.conn.Loop().Post(loop.TaskFunc(func(*loop.Loop) { q.answer(res) }))
}

// respondPayload answers a GET with a payload, which is given back once it was
// sent, and compressed if that is worth it.
func (q *request) respondPayload(on *loop.Loop, contentType string, body *loop.Buffer, compress bool) {
	if compress && q.encoding != "" && len(body.B) >= q.session.server.opts.CompressionThreshold {
		q.respondCompressed(contentType, body)
		return
	}
	res := loop.Response{Status: http.StatusOK, ContentType: contentType}
	if q.conn.Loop() == on {
		q.answerBuffer(res, body)
		return
	}
	q.conn.Loop().Post(loop.TaskFunc(func(*loop.Loop) { q.answerBuffer(res, body) }))
}

func (q *request) answerBuffer(res loop.Response, body *loop.Buffer) {
	res.Body = body.B
	q.answer(res)
	body.Release()
}

// answer is called on the loop of the request's connection.
func (q *request) answer(res loop.Response) {
	if !q.conn.Attached(q) {
		return
	}
	res.Header = append(append(res.Header, q.header...), noStore...)
	if res.ContentType == scriptType {
		res.Header = append(res.Header, "X-Content-Type-Options: nosniff\r\n"...)
	}
	if res.Status == http.StatusOK {
		q.session.server.editHeaders(&res, q.hooked, q.first)
	}
	q.session.server.respond(q.conn, res)
}

// queuePolling queues the messages of a packet for the next poll. It takes over one
// reference to each. Over the byte budget, the session is closed; one packet may pass
// it.
func (s *Session) queuePolling(first Message, rest []Message) {
	p, size := s.polling, first.Size()
	for _, m := range rest {
		size += m.Size()
	}
	if p.size > 0 && p.size+size > s.server.opts.MaxPending {
		first.Release()
		releaseAll(rest)
		s.close(TransportError, loop.ErrSlowConsumer)
		return
	}
	s.created(first)
	for _, m := range rest {
		s.created(m)
	}
	p.queue = append(append(p.queue, first), rest...)
	p.size += size
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
	s.flushing()
	contentType := s.appendPayload(body, p.queue)
	compress := false
	for _, m := range p.queue {
		compress = compress || m.compressible()
	}
	p.discard()
	get.respondPayload(s.owner.Load(), contentType, body, compress)
	s.drained()
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
