package loop

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// This file lets ordinary http.Handlers answer requests that the reactor
// received. It is net/http that serves them: an http.Server for the reactor, with
// a net.Conn in memory for each request (see frontConn). The reactor finds out
// where a request goes, where it ends, and that its framing can be trusted; the
// bytes that it judged are what the server reads.

// Router is a [Handler] that leaves some requests to http.Handlers.
type Router interface {
	Handler

	// RouteRequest is called on the connection's loop with the head of each
	// request, before its body has come. If it returns nil, ServeRequest gets the
	// request once it is complete, and MaxBody applies. Else the http.Handler answers it,
	// on a goroutine, and its body is read as it comes, however large it is. r has no
	// Body and is only valid until RouteRequest returns.
	RouteRequest(c *Conn, r *Request) http.Handler
}

// HTTPOptions are for the requests that a [Router] leaves to http.Handlers. A zero
// field means its default.
type HTTPOptions struct {
	// ReadTimeout bounds the time for a whole request, WriteTimeout the time from
	// its head to the end of its response, as in [http.Server]; default: none. A
	// handler may set its own with [http.ResponseController]. Where there are none, a
	// peer that a handler waits for has 30 to 60 s for its next bytes, and as long to
	// take some of the response.
	ReadTimeout, WriteTimeout time.Duration
	// MaxHandlers is how many requests are with handlers at once, hijacked
	// connections included; further ones get 503. Default 4096.
	MaxHandlers int
	// ConnContext may add values to the context of a request, as in [http.Server].
	// Here, each request has a net.Conn of its own. It must not block.
	ConnContext func(ctx context.Context, c net.Conn) context.Context
}

const defaultMaxHandlers = 4096

// front is the http.Server of a reactor.
type front struct {
	router   Router
	log      *slog.Logger
	server   http.Server
	listener frontListener
	window   int // bytes that may wait in each direction of a request
	max      int64
	running  atomic.Int64 // requests that are with handlers
	served   chan struct{}
}

// frontKey finds a request's frontConn in its context.
type frontKey struct{}

func newFront(router Router, o *Options) *front {
	fr := &front{
		router: router, log: o.Logger,
		window: min(frontWindow, o.MaxPending), max: int64(o.HTTP.MaxHandlers),
		served: make(chan struct{}),
	}
	fr.listener.ready.L = &fr.listener.mu
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	fr.server = http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f := r.Context().Value(frontKey{}).(*frontConn)
			f.handler.ServeHTTP(w, r)
			f.returned()
		}),
		// The loop has seen the head already; ReadTimeout is for the body then.
		ReadTimeout:  o.HTTP.ReadTimeout,
		WriteTimeout: o.HTTP.WriteTimeout,
		ErrorLog:     log.New(slogWriter{fr.log}, "", 0),
		Protocols:    protocols,
		ConnState:    func(c net.Conn, s http.ConnState) { c.(*frontConn).enter(s) },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			ctx = c.(*frontConn).bind(ctx)
			if more := o.HTTP.ConnContext; more != nil {
				ctx = more(ctx, c)
			}
			return ctx
		},
	}
	go func() {
		defer close(fr.served)
		if err := fr.server.Serve(&fr.listener); !errors.Is(err, http.ErrServerClosed) {
			fr.log.Error("loop: http server ended", "error", err)
		}
	}()
	return fr
}

// stop ends the server, and all its connections. It does not wait for handlers.
func (fr *front) stop() error {
	err := fr.server.Close()
	<-fr.served
	return err //nolint:wrapcheck // it is the listener's, which has none
}

// acquire counts a request, if there may be one more.
func (fr *front) acquire() bool {
	if fr.running.Add(1) > fr.max {
		fr.running.Add(-1)
		return false
	}
	return true
}

// Handlers returns how many requests are with http.Handlers, or were hijacked by
// them. A handler may outlive its connection.
func (r *Reactor) Handlers() int {
	if r.front == nil {
		return 0
	}
	return int(r.front.running.Load())
}

// frontListener hands connections in memory to the server.
type frontListener struct {
	mu      sync.Mutex
	ready   sync.Cond
	waiting []*frontConn
	next    int // index of the first that was not accepted yet
	closed  bool
}

// push never blocks. It fails once the listener is closed.
func (ln *frontListener) push(f *frontConn) bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.closed {
		return false
	}
	ln.waiting = append(ln.waiting, f)
	ln.ready.Signal()
	return true
}

// Accept is called by the server only.
func (ln *frontListener) Accept() (net.Conn, error) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	for ln.next == len(ln.waiting) && !ln.closed {
		ln.ready.Wait()
	}
	if ln.closed {
		return nil, net.ErrClosed
	}
	f := ln.waiting[ln.next]
	ln.waiting[ln.next] = nil
	if ln.next++; ln.next == len(ln.waiting) {
		ln.waiting, ln.next = ln.waiting[:0], 0
		if cap(ln.waiting) > keepQueue {
			ln.waiting = nil
		}
	}
	return f, nil
}

// Close gives up those that were not accepted.
func (ln *frontListener) Close() error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.closed = true
	for _, f := range ln.waiting[ln.next:] {
		f.release()
	}
	ln.waiting, ln.next = nil, 0
	ln.ready.Broadcast()
	return nil
}

// Addr is for BaseContext, which nobody sets.
func (ln *frontListener) Addr() net.Addr { return new(net.UnixAddr) }

// slogWriter turns the lines that net/http logs into the reactor's. Only those
// about panics have more than one line.
type slogWriter struct{ log *slog.Logger }

func (w slogWriter) Write(p []byte) (int, error) {
	line, stack, _ := strings.Cut(strings.TrimSuffix(string(p), "\n"), "\n")
	if stack != "" {
		w.log.Error("loop: panic in http handler", "error", line, "stack", stack)
	} else {
		w.log.Warn("loop: http server", "error", line)
	}
	return len(p), nil
}
