package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/internal/ids"
	"github.com/sio-gnet/sio-gnet/loop"
)

// The program may be asked about a request: by Middleware about any, by
// AllowRequest and GenerateID about a handshake. All may block, so they are
// called on a goroutine, and the exchange goes on by a task of its loop. Where
// none is set, nothing of this happens.

// maxAsking bounds the requests that hooks are being asked about at once, in
// all servers; further ones get 503.
const maxAsking = 4096

var asking atomic.Int64

// errHookTimeout ends the context of hooks that took too long.
var errHookTimeout = errors.New("engine: hooks took too long")

// question is the Stream of a connection while hooks are asked about its
// request.
type question struct {
	exchange *exchange
	cancel   context.CancelCauseFunc
	timer    loop.Timer
	before   loop.Stream // what was attached
}

// ask calls f on a goroutine of its own, and then next on the loop with what f
// returned, unless the connection has ended or f took too long.
func (x *exchange) ask(f func(ctx context.Context, r *http.Request) *RequestError, next func(refused *RequestError)) {
	s, c := x.server, x.conn
	r, err := c.HTTPRequest(x.request)
	if err != nil {
		next(badRequest("INVALID_URL"))
		return
	}
	if asking.Add(1) > maxAsking {
		asking.Add(-1)
		x.respond(loop.Response{Status: http.StatusServiceUnavailable, Header: x.header, Close: true})
		return
	}
	x.request = x.request.Clone() // it outlives the turn
	ctx, cancel := context.WithCancelCause(r.Context())
	q := &question{exchange: x, cancel: cancel, before: c.Stream()}
	c.Attach(q)
	c.Loop().Schedule(&q.timer, s.opts.HookTimeout, q)
	s.working.Add(1)
	go func() {
		defer s.working.Add(-1)
		defer asking.Add(-1)
		defer cancel(context.Canceled)
		refused := s.guard(func() *RequestError { return f(ctx, r.WithContext(ctx)) })
		c.Loop().Post(loop.TaskFunc(func(l *loop.Loop) {
			if c.Attached(q) {
				l.Cancel(&q.timer)
				c.Attach(q.before)
				next(refused)
			}
		}))
	}()
}

// guard makes a refusal of a panic.
func (s *Server) guard(f func() *RequestError) (refused *RequestError) {
	defer func() {
		if v := recover(); v != nil {
			s.opts.Logger.Error("engine: panic in hook", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			refused = badRequest("MIDDLEWARE_FAILURE")
		}
	}()
	return f()
}

// OnTimer gives up on hooks that take too long.
func (q *question) OnTimer(*loop.Loop, *loop.Timer) {
	x := q.exchange
	if !x.conn.Attached(q) {
		return
	}
	x.conn.Attach(q.before)
	q.cancel(errHookTimeout)
	x.refuse(&RequestError{Code: CodeForbidden, Context: map[string]any{"message": errHookTimeout.Error()}})
}

// OnMessage is not called: the connection is no WebSocket yet.
func (q *question) OnMessage(*loop.Conn, bool, []byte) {}

// OnClose ends the hooks' context.
func (q *question) OnClose(c *loop.Conn, err error) {
	c.Loop().Cancel(&q.timer)
	q.cancel(err)
	if q.before != nil {
		q.before.OnClose(c, err)
	}
}

// passMiddleware asks the middlewares, and serves the request if they let it
// pass.
func (x *exchange) passMiddleware() {
	answer := new(recorder)
	x.ask(func(_ context.Context, r *http.Request) *RequestError {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			// Whatever w was wrapped in, its headers are the recorder's.
			answer.passed = w.Header().Clone()
			if answer.passed == nil {
				answer.passed = make(http.Header)
			}
		})
		for i := len(x.server.opts.Middleware) - 1; i >= 0; i-- {
			h = x.server.opts.Middleware[i](h)
		}
		h.ServeHTTP(answer, r)
		return nil
	}, func(refused *RequestError) {
		switch {
		case refused != nil:
			x.refuse(refused)
		case answer.passed == nil:
			x.respond(answer.response(x.upgrade))
		default:
			x.header = appendHeaders(x.header, answer.passed)
			x.serve()
		}
	})
}

// recorder is the ResponseWriter of middlewares.
type recorder struct {
	header http.Header
	status int
	sent   http.Header // header as it was when the status was set
	body   bytes.Buffer
	passed http.Header // set once the request was let pass
}

// Header returns the headers.
func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

// WriteHeader sets the status.
func (a *recorder) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status, a.sent = status, a.Header().Clone()
	}
}

// Write adds to the body. Behind the next handler there is nobody to read it.
func (a *recorder) Write(p []byte) (int, error) {
	if a.passed != nil {
		return len(p), nil
	}
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p) //nolint:wrapcheck // it never fails
}

func (a *recorder) response(closes bool) loop.Response {
	a.WriteHeader(http.StatusOK)
	contentType := a.sent.Get("Content-Type")
	if contentType == "" && a.body.Len() > 0 {
		contentType = http.DetectContentType(a.body.Bytes())
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Transfer-Encoding", "Connection"} {
		a.sent.Del(name)
	}
	return loop.Response{
		Status: a.status, ContentType: contentType, Close: closes,
		Header: appendHeaders(nil, a.sent), Body: a.body.Bytes(),
	}
}

// handshake opens a session, if the program agrees.
func (x *exchange) handshake() {
	o := &x.server.opts
	if o.AllowRequest == nil && o.GenerateID == nil {
		x.open(ids.New())
		return
	}
	var id string
	x.ask(func(ctx context.Context, r *http.Request) (refused *RequestError) {
		if refused = allow(ctx, o.AllowRequest, r); refused == nil {
			id, refused = generateID(o.GenerateID, r)
		}
		return refused
	}, func(refused *RequestError) {
		switch {
		case refused != nil:
			x.refuse(refused)
		case x.server.closing.Load():
			x.respond(loop.Response{Status: http.StatusServiceUnavailable, Header: x.header, Close: true})
		default:
			x.open(id)
		}
	})
}

func allow(ctx context.Context, f func(context.Context, *http.Request) error, r *http.Request) *RequestError {
	if f == nil {
		return nil
	}
	err := f(ctx, r)
	if err == nil {
		return nil
	}
	var refused *RequestError
	if errors.As(err, &refused) {
		return refused
	}
	return &RequestError{Code: CodeForbidden, Message: err.Error(), Context: map[string]any{"message": err.Error()}}
}

func generateID(f func(*http.Request) (string, error), r *http.Request) (string, *RequestError) {
	if f == nil {
		return ids.New(), nil
	}
	id, err := f(r)
	if err == nil && !validID(id) {
		err = fmt.Errorf("engine: generated id %q", id)
	}
	if err != nil {
		return "", badRequest("ID_GENERATION_ERROR", "error", err.Error())
	}
	return id, nil
}

// maxIDLength bounds the ids of GenerateID.
const maxIDLength = 256

// validID reports whether an id needs no escapes, in JSON, a query or a cookie.
func validID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxIDLength
}
