package loop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// This file lets an ordinary http.Handler answer requests that the reactor
// received. The handler runs on a goroutine of its own; what it writes is
// handed to the loop in pieces, the next one when the last has left, so that a
// slow reader slows the handler down and takes no memory.

const (
	// bridgePiece is how much of a response is handed over at once. A response
	// that fits gets a Content-Length, a longer one without is chunked.
	bridgePiece = 32 << 10
	// maxBridged bounds the handlers that run at once; further requests get 503.
	maxBridged = 4096
)

var bridged atomic.Int64

// ServeHTTP answers the request that is being served with h. h may block; its
// request's context ends with the connection. Hijacking is not supported. On
// the loop.
func (c *Conn) ServeHTTP(r *Request, h http.Handler) {
	req, err := c.HTTPRequest(r)
	if err != nil {
		c.refuse(&http1.Error{Status: http.StatusBadRequest, Reason: "malformed request target"})
		return
	}
	if bridged.Add(1) > maxBridged {
		bridged.Add(-1)
		_ = c.Respond(Response{Status: http.StatusServiceUnavailable})
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	b := &bridge{conn: c, loop: c.loop, request: req.WithContext(ctx), ctx: ctx, cancel: cancel, header: make(http.Header)}
	c.Attach(b)
	c.loop.reactor.serving.Add(1)
	go b.run(h)
}

// HTTPRequest returns a copy of a request in the form of net/http, which stays
// valid. It fails if the target is no URL. On the loop.
func (c *Conn) HTTPRequest(r *Request) (*http.Request, error) {
	target := string(r.Target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("loop: request target: %w", err)
	}
	header := make(http.Header, len(r.Headers))
	for _, h := range r.Headers {
		if name := http.CanonicalHeaderKey(string(h.Name)); name != "Host" {
			header[name] = append(header[name], string(h.Value))
		}
	}
	req := &http.Request{
		Method: string(r.Method), URL: u, RequestURI: target, Host: string(r.Host),
		Proto: "HTTP/1." + strconv.Itoa(r.Minor), ProtoMajor: 1, ProtoMinor: r.Minor,
		Header: header, Body: http.NoBody, ContentLength: int64(len(r.Body)),
	}
	if addr := c.RemoteAddr(); addr != nil {
		req.RemoteAddr = addr.String()
	}
	if len(r.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(bytes.Clone(r.Body)))
	}
	return req, nil
}

// bridge is the ResponseWriter of one request. Its first part belongs to the
// handler's goroutine; OnMessage, OnClose and the tasks run on the loop.
type bridge struct {
	conn    *Conn
	loop    *Loop
	request *http.Request
	ctx     context.Context //nolint:containedctx // it is the request's
	cancel  context.CancelCauseFunc

	header  http.Header
	status  int
	sent    http.Header // header as it was when the handler set the status
	body    bytes.Buffer
	length  int64 // as the handler set it; -1 if it did not
	written int64
	started bool // the head is on its way
	chunked bool
	close   bool
	failed  error

	headQueued bool // on the loop: the status line is out
}

func (b *bridge) run(h http.Handler) {
	defer b.loop.reactor.serving.Add(-1)
	defer bridged.Add(-1)
	defer b.cancel(context.Canceled)
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			b.abort()
		default:
			b.loop.log.Error("loop: panic in http handler", "path", b.request.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			b.abort()
		}
	}()
	h.ServeHTTP(b, b.request)
	b.finish()
}

// Header returns the response's headers.
func (b *bridge) Header() http.Header { return b.header }

// WriteHeader sets the status.
func (b *bridge) WriteHeader(status int) {
	if b.status != 0 || status < 200 { // informational responses are not passed on
		return
	}
	b.status = status
	b.sent = b.header.Clone()
	b.length = -1
	if n, err := strconv.ParseUint(b.sent.Get("Content-Length"), 10, 63); err == nil {
		b.length = int64(n)
	} else {
		b.sent.Del("Content-Length")
	}
}

// Write adds to the body. It blocks while the peer does not read. A body that
// the status does not allow is refused with [http.ErrBodyNotAllowed], and what
// is beyond the Content-Length that was set with [http.ErrContentLength]: the
// peer would take it for the next response.
func (b *bridge) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if b.failed != nil {
		return 0, b.failed
	}
	if b.bodyless() {
		return 0, http.ErrBodyNotAllowed
	}
	var tooMuch error
	if b.length >= 0 && int64(len(p)) > b.length-b.written {
		p, tooMuch = p[:b.length-b.written], http.ErrContentLength
	}
	b.written += int64(len(p))
	b.body.Write(p)
	if b.body.Len() >= bridgePiece {
		b.push(false)
	}
	return len(p), errors.Join(b.failed, tooMuch)
}

// bodyless says that the status allows no body.
func (b *bridge) bodyless() bool {
	return b.status == http.StatusNoContent || b.status == http.StatusNotModified
}

// Flush sends what was written so far.
func (b *bridge) Flush() {
	b.WriteHeader(http.StatusOK)
	b.push(false)
}

// Hijack is refused: the connection belongs to the reactor.
func (b *bridge) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, fmt.Errorf("loop: hijacking a reactor's connection: %w", errors.ErrUnsupported)
}

func (b *bridge) finish() {
	b.WriteHeader(http.StatusOK)
	if b.failed != nil {
		return
	}
	if b.written < b.length && b.request.Method != http.MethodHead && !b.bodyless() {
		b.close = true // or the next response would be taken for the rest of this one
		b.loop.log.Warn("loop: http handler wrote less than its Content-Length",
			"path", b.request.URL.Path, "length", b.length, "written", b.written)
	}
	b.push(true)
}

// push hands what is in body to the loop, and waits until it has left.
func (b *bridge) push(last bool) {
	if b.failed != nil {
		return
	}
	out := NewBuffer()
	if !b.started {
		b.started = true
		b.appendHead(out, last)
	}
	b.appendBody(out, last)
	done := make(chan struct{})
	b.loop.Post(TaskFunc(func(*Loop) { b.deliver(out, last, done) }))
	if last {
		return
	}
	select {
	case <-done:
	case <-b.ctx.Done():
		b.failed = context.Cause(b.ctx)
	}
}

func (b *bridge) appendHead(out *Buffer, last bool) {
	h := b.sent
	if h.Get("Content-Type") == "" && b.body.Len() > 0 && h.Get("Content-Encoding") == "" {
		h.Set("Content-Type", http.DetectContentType(b.body.Bytes()))
	}
	h.Del("Transfer-Encoding")
	h.Del("Date") // like Connection, it is in what every response has
	switch {
	case b.bodyless():
		h.Del("Content-Length")
	case h.Get("Content-Length") != "":
	case last:
		h.Set("Content-Length", strconv.Itoa(b.body.Len()))
	case b.request.ProtoMinor == 1:
		h.Set("Transfer-Encoding", "chunked") //nolint:gosec // there is no Content-Length: see the case above
		b.chunked = true
	default:
		h.Set("Connection", "close") // HTTP/1.0: the end of the connection ends the body
	}
	b.close = b.close || strings.EqualFold(h.Get("Connection"), "close")
	h.Del("Connection") // the connection's own head says it
	for name, values := range h {
		for _, v := range values {
			// One that is no header line, whatever is replaced, is left out.
			out.B, _ = http1.AppendHeader(out.B, name, headerValue.Replace(v))
		}
	}
	out.B = append(out.B, "\r\n"...)
}

// headerValue keeps a handler from splitting the response.
var headerValue = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")

func (b *bridge) appendBody(out *Buffer, last bool) {
	defer b.body.Reset()
	if b.request.Method == http.MethodHead {
		return
	}
	if b.chunked && b.body.Len() > 0 {
		out.B = append(strconv.AppendInt(out.B, int64(b.body.Len()), 16), "\r\n"...)
	}
	out.B = append(out.B, b.body.Bytes()...)
	if b.chunked && b.body.Len() > 0 {
		out.B = append(out.B, "\r\n"...)
	}
	if b.chunked && last {
		out.B = append(out.B, "0\r\n\r\n"...)
	}
}

// deliver queues a piece of the response. On the loop.
func (b *bridge) deliver(piece *Buffer, last bool, done chan struct{}) {
	c := b.conn
	if c.stream != b || c.http == nil {
		piece.Release() // the connection is gone, and OnClose has said so
		return
	}
	keep := c.http.keepAlive && !b.close
	if !b.headQueued {
		b.headQueued = true
		c.write(c.appendHead(nil, b.status, keep))
	}
	if c.stream != b { // over the budget
		piece.Release()
		return
	}
	c.Enqueue(piece, 0, len(piece.B))
	if last {
		c.responded(keep)
		return
	}
	c.drained = func() { close(done) }
}

// abort ends the connection: the response can't be completed.
func (b *bridge) abort() {
	if b.started {
		b.loop.Post(TaskFunc(func(*Loop) {
			if b.conn.stream == b {
				b.conn.Abort(ErrPanic)
			}
		}))
		return
	}
	b.header = http.Header{"Connection": {"close"}}
	b.status, b.sent, b.written = 0, nil, 0
	b.body.Reset()
	b.WriteHeader(http.StatusInternalServerError)
	b.push(true)
}

// OnMessage is not called: the connection is no WebSocket.
func (b *bridge) OnMessage(*Conn, bool, []byte) {}

// OnClose ends the request's context.
func (b *bridge) OnClose(_ *Conn, err error) { b.cancel(err) }
