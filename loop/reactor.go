package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/sio-gnet/sio-gnet/internal/occasional"
	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// Handler is what a reactor serves with.
type Handler interface {
	// ServeRequest is called on the connection's loop for each complete request,
	// body included. It answers with [Conn.Respond] or [Conn.AcceptWebSocket],
	// now or later from a task of the same loop; the connection's next request
	// waits until then. r is only valid until ServeRequest returns.
	ServeRequest(c *Conn, r *Request)
}

// An Announcer is a [Handler] that wants to know of a request whose body is
// still to come: it may attach a [Stream] to the connection, which is told if
// the peer cuts the request, and which is still attached in ServeRequest.
type Announcer interface {
	// AnnounceRequest is called on the connection's loop. r has no Body, and is
	// only valid until AnnounceRequest returns.
	AnnounceRequest(c *Conn, r *Request)
}

// Reactor is a set of event loops and the listeners that feed them. All its
// methods may be called from any goroutine.
type Reactor struct {
	opts    Options
	limits  http1.Limits
	handler Handler
	// announced is the handler, if it is an Announcer.
	announced Announcer
	// locator is the handler, if it is a Locator; placed counts the guests else.
	locator Locator
	placed  atomic.Uint64
	// front serves http.Handlers; nil if the handler is no Router.
	front   *front
	client  *gnet.Client
	loops   []*Loop
	byGnet  map[gnet.EventLoop]*Loop // fixed before the first connection
	watcher *writeWatcher
	clock   clock

	conns      atomic.Int64
	counts     counters
	perAddress *perAddress
	windows    atomic.Int64    // bytes that windows of connections may take
	refusals   occasional.Line // over MaxConnections
	badProxies occasional.Line // of connections without a good PROXY header

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	state     reactorState
	failed    chan struct{} // closed when a loop ended by itself
	stopped   chan struct{}
	accepting sync.WaitGroup

	guests    visits // calls of ServeHTTP, and goroutines of sockets
	enrolling visits // those that hand a connection over just now
}

type reactorState int

const (
	stateRunning reactorState = iota
	stateStopping
	stateFailed
)

// New starts the loops of a reactor. It accepts nothing until [Reactor.Serve].
// The caller must end it with [Reactor.Stop].
func New(opts Options, h Handler) (*Reactor, error) {
	limit, err := raiseDescriptorLimit()
	if err != nil {
		return nil, fmt.Errorf("loop: raising the descriptor limit: %w", err)
	}
	opts = opts.withDefaults()
	if err := opts.Deflate.validate(); err != nil {
		return nil, err
	}
	setDefault(&opts.MaxConnections, connectionCap(limit, opts.Loops))
	r := &Reactor{
		opts:       opts,
		limits:     opts.limits(),
		perAddress: newPerAddress(&opts),
		handler:    h,
		byGnet:     make(map[gnet.EventLoop]*Loop, opts.Loops),
		listeners:  make(map[net.Listener]struct{}),
		failed:     make(chan struct{}),
		stopped:    make(chan struct{}),
	}
	r.clock.started = time.Now()
	r.announced, _ = h.(Announcer)
	r.locator, _ = h.(Locator)
	r.client, err = gnet.NewClient(&gnetHandler{reactor: r},
		gnet.WithNumEventLoop(opts.Loops),
		gnet.WithLogger(gnetLogger{opts.Logger}))
	if err != nil {
		return nil, fmt.Errorf("loop: %w", err)
	}
	if r.watcher, err = newWriteWatcher(); err != nil {
		return nil, fmt.Errorf("loop: %w", err)
	}
	if err = r.client.Start(); err != nil {
		r.watcher.stop()
		return nil, fmt.Errorf("loop: starting event loops: %w", err)
	}
	if err = r.anchorLoops(); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	if router, ok := h.(Router); ok {
		r.front = newFront(router, &r.opts)
	}
	return r, nil
}

// Loops returns the reactor's loops. The slice must not be changed.
func (r *Reactor) Loops() []*Loop { return r.loops }

// Connections returns how many connections are open now.
func (r *Reactor) Connections() int { return int(r.conns.Load()) }

func (r *Reactor) stopping() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state != stateRunning
}

// ending returns what the reactor ends with, or nil while it runs.
func (r *Reactor) ending() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.state {
	case stateStopping:
		return ErrServerClosed
	case stateFailed:
		return ErrReactorStopped
	default:
		return nil
	}
}

// Serve accepts connections from ln until the reactor stops, and closes ln
// then. It returns [ErrServerClosed] after Stop or CloseListeners,
// [ErrReactorStopped] if an event loop ended by itself, or the listener's own
// error. It takes TCP and unix listeners, as they
// are or from [ProxyProtocol]. Several may be served at once.
func (r *Reactor) Serve(ln net.Listener) error {
	r.mu.Lock()
	if r.state != stateRunning {
		r.mu.Unlock()
		return errors.Join(r.ending(), ln.Close())
	}
	r.listeners[ln] = struct{}{}
	r.accepting.Add(1)
	r.mu.Unlock()
	defer r.accepting.Done()

	err := r.accept(ln)
	r.mu.Lock()
	_, ours := r.listeners[ln]
	delete(r.listeners, ln)
	failed := r.state == stateFailed
	r.mu.Unlock()
	switch {
	case failed:
		return ErrReactorStopped
	case !ours:
		return ErrServerClosed
	}
	return errors.Join(err, ln.Close())
}

// CloseListeners stops accepting; open connections go on.
func (r *Reactor) CloseListeners() error {
	r.mu.Lock()
	var errs []error
	for ln := range r.listeners {
		errs = append(errs, ln.Close())
		delete(r.listeners, ln)
	}
	r.mu.Unlock()
	r.accepting.Wait()
	return errors.Join(errs...)
}

// Stop closes the listeners and all connections at once, ends the loops and
// waits for them, and for calls of ServeHTTP. Further calls wait for the first.
func (r *Reactor) Stop() error {
	r.mu.Lock()
	first := r.state != stateStopping
	if first {
		r.state = stateStopping
	}
	r.mu.Unlock()
	if !first {
		<-r.stopped
		return nil
	}
	defer close(r.stopped)
	r.guests.refuse()
	r.enrolling.refuse()
	err := r.CloseListeners()
	r.enrolling.wait()
	err = errors.Join(err, r.client.Stop())
	r.guests.wait()
	if r.front != nil {
		err = errors.Join(err, r.front.stop())
	}
	r.watcher.stop()
	for _, l := range r.loops {
		l.stopAlarm()
	}
	return err
}

// Drain ends the connections that are only kept for a further request, or that an
// http.Handler has hijacked, and lets the others end with the response that they
// are at. It does not wait.
func (r *Reactor) Drain() {
	if r.front != nil {
		r.front.server.SetKeepAlivesEnabled(false)
	}
	for _, l := range r.loops {
		l.Post(TaskFunc(func(l *Loop) {
			l.draining = true
			for c := l.conns; c != nil; c = c.next {
				if c.mode == modeHTTP && c.http != nil && c.http.phase == phaseTunnel {
					c.closeTunnel()
				} else if c.mode == modeProxy || c.mode == modeHTTP && (c.http == nil || c.http.phase == phaseHead) {
					c.finish()
				}
			}
		}))
	}
}

// fail is called when a loop ended without Stop.
func (r *Reactor) fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != stateRunning {
		return
	}
	r.state = stateFailed
	r.opts.Logger.Error("loop: an event loop ended by itself; the server stops")
	close(r.failed)
	for ln := range r.listeners {
		if err := ln.Close(); err != nil {
			r.opts.Logger.Error("loop: closing a listener failed", "error", err)
		}
	}
}

// Await runs f as a task on l and waits for it, or for ctx, or for the end of
// the reactor. If it returns [ErrReactorStopped] because a loop ended by itself,
// f may still run on another one. It must not be called on a loop.
func (r *Reactor) Await(ctx context.Context, l *Loop, f func(l *Loop)) error {
	done := make(chan struct{})
	l.Post(TaskFunc(func(l *Loop) {
		defer close(done)
		f(l)
	}))
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.failed:
		return ErrReactorStopped
	case <-r.stopped:
		return ErrServerClosed
	}
}
