package loop

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/bytebufferpool"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// Request is a request as [Handler.ServeRequest] sees it: views of the input.
type Request struct {
	http1.Request

	// Body is the whole body, with any chunked coding taken off.
	Body []byte
}

// Clone returns a copy that does not end with the callback that r came to.
func (r *Request) Clone() *Request {
	return &Request{Request: r.Request.Clone(), Body: bytes.Clone(r.Body)}
}

// httpState is a connection's place in the request that it is sending. It only
// exists from a request's first byte to its response.
type httpState struct {
	head  http1.HeadScanner
	chunk http1.ChunkDecoder
	// saved is the head while the body is still coming in.
	saved *bytebufferpool.ByteBuffer
	body  *bytebufferpool.ByteBuffer
	phase httpPhase
	// waiting says that the clock runs for the rest of the head.
	waiting bool
	// left is how much of a body with a length is still to come.
	left int64
	// front is the request's connection to an http.Handler, if one answers it.
	front *frontConn

	// What the response needs to know of the request.
	keepAlive, isHead, http10 bool
}

type httpPhase uint8

const (
	phaseHead httpPhase = iota
	phaseBody
	phaseChunked
	phaseServing // the handler has it; the response is still to come
	// An http.Handler has it, and gets the body as it comes.
	phaseFrontBody
	phaseFrontChunked
	phaseFrontBroken // the rest of the body can't be had
	phaseTunnel      // the handler has hijacked the connection
)

// maxPipelined bounds what a connection may send ahead of a pending response.
const maxPipelined = 64 << 10

type timerKind uint8

const (
	timerHeader timerKind = iota
	timerBody
	timerIdle
	timerLinger
)

// startTimer bounds the wait for the connection's next step.
func (c *Conn) startTimer(kind timerKind) {
	o := &c.loop.reactor.opts
	d := [...]time.Duration{o.HeaderTimeout, o.BodyTimeout, o.IdleTimeout, o.CloseTimeout}[kind]
	c.loop.Schedule(&c.timer, d, (*connTimer)(c))
}

var errTooLong = &http1.Error{Status: http.StatusRequestTimeout, Reason: "the request took too long"}

type connTimer Conn

// OnTimer ends a connection that took too long. Who has sent a part of a
// request is told so.
func (t *connTimer) OnTimer(*Loop, *Timer) {
	c := (*Conn)(t)
	if c.mode == modeHTTP && !c.lastWrite && c.http != nil && c.http.front != nil {
		c.checkProgress(c.http.front)
		return
	}
	if c.mode == modeHTTP && !c.lastWrite && c.http != nil && c.http.phase != phaseServing {
		c.refuse(errTooLong)
		return
	}
	if c.mode == modeProxy {
		c.failProxy(errProxyTimeout)
		return
	}
	c.Abort(ErrTimeout)
}

// consumeHTTP takes the next step in a request.
func (c *Conn) consumeHTTP(buf []byte) (n int, more bool) {
	if c.http == nil {
		if len(buf) == 0 {
			return 0, false
		}
		c.http = c.loop.takeHTTP()
	}
	var err error
	switch c.http.phase {
	case phaseHead:
		n, more, err = c.consumeHead(buf)
	case phaseBody:
		n, more = c.consumeBody(buf)
	case phaseChunked:
		n, more, err = c.consumeChunks(buf)
	case phaseFrontBody, phaseFrontChunked, phaseTunnel:
		n, more = c.passOn(buf)
	case phaseFrontBroken:
		return len(buf), false
	case phaseServing:
		if len(buf) > maxPipelined && (c.http.front == nil || !c.pauseInput()) {
			c.loop.log.Debug("loop: pipelined input over the limit", "remote", c.RemoteAddr())
			c.Abort(ErrPipelineOverflow)
		}
		return 0, false
	}
	if err != nil {
		c.refuse(err)
		return len(buf), false
	}
	return n, more
}

func (c *Conn) consumeHead(buf []byte) (n int, more bool, err error) {
	l, h := c.loop, c.http
	limits := l.reactor.limits
	end, err := h.head.Scan(buf, limits)
	if err == nil && end == 0 && !h.waiting {
		h.waiting = true
		c.startTimer(timerHeader)
	}
	if err != nil || end == 0 {
		return 0, false, err
	}
	r := &l.request
	if err := http1.ParseHead(buf[:end], &r.Request, limits); err != nil {
		return 0, false, err
	}
	h.http10 = r.Minor == 0
	h.keepAlive = r.KeepAlive && c.guest() == nil // further requests are for the server that it came from
	h.isHead = string(r.Method) == http.MethodHead
	if fr := l.reactor.front; fr != nil && c.guest() == nil {
		r.Body = nil
		if handler := fr.router.RouteRequest(c, r); handler != nil {
			n, more = c.handOver(handler, r, buf[:end], buf[end:])
			return end + n, more, nil
		}
	}
	if err := r.CheckBody(limits); err != nil {
		return 0, false, err
	}
	length := max(r.ContentLength, 0)
	if !r.Chunked && int64(len(buf)-end) >= length {
		n = end + int(length)
		c.serve(r, buf[end:n])
		return n, true, nil
	}
	h.saved, h.body = inputBytes.Get(), inputBytes.Get()
	h.saved.B = append(h.saved.B[:0], buf[:end]...)
	h.body.B = h.body.B[:0]
	h.left, h.phase = length, phaseBody
	if r.Chunked {
		h.phase = phaseChunked
	}
	c.startTimer(timerBody)
	if r.ExpectContinue && len(buf) == end {
		c.write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	}
	if announced := l.reactor.announced; announced != nil {
		r.Body = nil
		announced.AnnounceRequest(c, r)
	}
	return end, true, nil
}

func (c *Conn) consumeBody(buf []byte) (n int, more bool) {
	h := c.http
	n = int(min(int64(len(buf)), h.left))
	h.body.B = append(h.body.B, buf[:n]...)
	h.left -= int64(n)
	if h.left > 0 {
		return n, false
	}
	c.serveSaved()
	return n, true
}

func (c *Conn) consumeChunks(buf []byte) (n int, more bool, err error) {
	h := c.http
	var done bool
	h.body.B, n, done, err = h.chunk.Decode(h.body.B, buf, c.loop.reactor.limits.Body)
	if err != nil || !done {
		return n, false, err
	}
	c.serveSaved()
	return n, true, nil
}

// serveSaved serves a request whose body came in parts. The head is parsed once
// more: views of it can't be kept while nothing else is.
func (c *Conn) serveSaved() {
	h := c.http
	saved, body := h.saved, h.body
	h.saved, h.body = nil, nil // the request may outlive its response
	defer inputBytes.Put(saved)
	defer inputBytes.Put(body)
	r := &c.loop.request
	if err := http1.ParseHead(saved.B, &r.Request, c.loop.reactor.limits); err != nil {
		c.refuse(err)
		return
	}
	c.serve(r, body.B)
}

func (c *Conn) serve(r *Request, body []byte) {
	c.loop.Cancel(&c.timer)
	c.http.phase = phaseServing
	r.Body = body
	c.loop.reactor.handler.ServeRequest(c, r)
}

// refuse answers a request that breaks the protocol or a limit, and closes: what
// follows it can't be trusted.
func (c *Conn) refuse(err error) {
	bad := &http1.Error{Status: http.StatusBadRequest, Reason: err.Error()}
	errors.As(err, &bad)
	c.loop.reactor.counts.refuse(bad.Status)
	c.loop.log.Debug("loop: request refused", "status", bad.Status, "reason", bad.Reason, "remote", c.RemoteAddr())
	if c.http == nil {
		c.http = c.loop.takeHTTP()
	}
	c.http.phase = phaseServing
	c.detach(ErrRefused)
	_ = c.Respond(Response{
		Status:      bad.Status,
		ContentType: "text/plain; charset=utf-8",
		Body:        []byte(bad.Reason + "\n"),
		Close:       true,
	})
}

// Response is a complete response to a request.
type Response struct {
	Status      int
	ContentType string
	// Header holds further header lines, each ended by CRLF.
	Header []byte
	// Body is copied.
	Body []byte
	// Close ends the connection after the response.
	Close bool
}

// Respond answers the request that is being served, and lets the connection's
// next one go on. It returns [ErrState] if none is being served. On the loop.
func (c *Conn) Respond(res Response) error {
	if c.Closed() || c.mode != modeHTTP || c.http == nil || c.http.phase != phaseServing || c.lastWrite {
		return ErrState
	}
	if k := c.call(); k != nil {
		k.respond(res)
		return nil
	}
	b := c.tail(len(res.Header) + len(res.Body) + 512)
	if b == nil {
		return ErrSlowConsumer
	}
	keep := c.http.keepAlive && !res.Close && !c.loop.draining
	b.B = c.appendHead(b.B, res.Status, keep)
	if res.ContentType != "" {
		b.B = append(append(append(b.B, "Content-Type: "...), res.ContentType...), "\r\n"...)
	}
	b.B = append(b.B, res.Header...)
	if res.Status != http.StatusNoContent && res.Status != http.StatusNotModified {
		b.B = strconv.AppendInt(append(b.B, "Content-Length: "...), int64(len(res.Body)), 10)
		b.B = append(b.B, "\r\n"...)
	}
	b.B = append(b.B, "\r\n"...)
	if !c.http.isHead {
		b.B = append(b.B, res.Body...)
	}
	c.grew()
	c.responded(keep)
	return nil
}

// appendHead appends a status line and the headers that every response has.
func (c *Conn) appendHead(dst []byte, status int, keep bool) []byte {
	dst = http1.AppendStatusLine(dst, status)
	dst = c.loop.date.append(dst, c.loop.Now())
	switch {
	case !keep:
		dst = append(dst, "Connection: close\r\n"...)
	case c.http.http10:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return dst
}

// responded ends a request. Its successor may have been waiting.
func (c *Conn) responded(keep bool) {
	c.stream = nil
	c.dropHTTP()
	if !keep || c.loop.draining {
		c.finish()
		return
	}
	c.startTimer(timerIdle)
	c.resumeLater()
}

func (c *Conn) dropHTTP() {
	if c.http == nil {
		return
	}
	c.http.dropBuffers()
	c.loop.giveHTTP(c.http)
	c.http = nil
}

func (h *httpState) dropBuffers() {
	if h.saved != nil {
		inputBytes.Put(h.saved)
		inputBytes.Put(h.body)
		h.saved, h.body = nil, nil
	}
}

func (l *Loop) takeHTTP() *httpState {
	if n := len(l.https); n > 0 {
		h := l.https[n-1]
		l.https = l.https[:n-1]
		return h
	}
	return new(httpState)
}

func (l *Loop) giveHTTP(h *httpState) {
	*h = httpState{}
	if len(l.https) < keepQueue {
		l.https = append(l.https, h)
	}
}

// dateCache is the Date header line, made once a second.
type dateCache struct {
	second int64
	line   []byte
}

func (d *dateCache) append(dst []byte, now time.Time) []byte {
	if now.Unix() != d.second || d.line == nil {
		d.second = now.Unix()
		d.line = append(now.UTC().AppendFormat(append(d.line[:0], "Date: "...), http.TimeFormat), "\r\n"...)
	}
	return append(dst, d.line...)
}

// AppendHeader appends a line to a [Response]'s Header, or to what
// [Conn.AcceptWebSocket] adds. A name or value that can't be in one is an error,
// and dst stays as it was.
func AppendHeader(dst []byte, name, value string) ([]byte, error) {
	return http1.AppendHeader(dst, name, value) //nolint:wrapcheck // it says all there is
}
