package sio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Server is a Socket.IO server. Make one with [New]. It is also the namespace
// "/": all methods of [Namespace] and [Broadcast] act on that.
type Server struct {
	*Namespace

	opts    Options
	reactor *loop.Reactor
	engine  *engine.Server
	files   http.Handler // the client bundle; nil if it is not served
	limits  socketio.Limits
	coding  *coding // nil: the one built in

	mu          sync.RWMutex
	namespaces  map[string]*Namespace
	parents     []*ParentNamespace
	onNamespace []func(*Namespace)
	listeners   []net.Listener
	over        bool // all namespaces were closed

	rations  rations
	ended    chan struct{} // closed when the server begins to end
	closing  atomic.Bool
	handlers atomic.Int64 // goroutines that run handlers
}

// New makes a server and starts its event loops. It takes connections from
// [Server.Serve] or [Server.ListenAndServe] on, or requests by [Server.ServeHTTP], and must be
// ended with [Server.Shutdown] or [Server.Close]. Nil opts means all defaults.
func New(opts *Options) (*Server, error) {
	if opts == nil {
		opts = new(Options)
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	s := &Server{
		opts:       o,
		namespaces: make(map[string]*Namespace),
		ended:      make(chan struct{}),
		limits:     socketio.Limits{Attachments: o.MaxAttachments, Depth: o.MaxDepth},
		coding:     newCoding(&o),
	}
	if o.ClientFiles != nil {
		s.files = newClientFiles(o.ClientFiles, o.ClientVersion)
	}
	s.engine = engine.New(engine.Options{
		Path:                  o.Path,
		PingInterval:          o.PingInterval,
		PingTimeout:           o.PingTimeout,
		UpgradeTimeout:        o.UpgradeTimeout,
		MaxPayload:            o.MaxPayload,
		MaxPending:            o.MaxPending,
		NoPolling:             o.NoPolling,
		NoWebSocket:           o.NoWebSocket,
		NoUpgrade:             o.NoUpgrade,
		AllowEIO3:             o.AllowEIO3,
		CORS:                  o.CORS,
		Cookie:                o.Cookie,
		Middleware:            o.Middleware,
		AllowRequest:          o.AllowRequest,
		GenerateID:            o.GenerateID,
		HookTimeout:           o.HookTimeout,
		Hooks:                 o.Hooks,
		TrustedProxies:        o.TrustedProxies,
		MaxSessionsPerAddress: o.MaxConnectionsPerAddress,
		HandshakesPerSecond:   o.HandshakesPerSecond,
		HandshakeBurst:        o.HandshakeBurst,
		TrustUnixPeers:        o.TrustUnixPeers,
		UseForwarded:          o.UseForwarded,
		Logger:                o.Logger,

		CompressionThreshold: o.CompressionThreshold,
	}, opener{s})
	reactor, err := loop.New(loop.Options{
		Loops:                    o.Loops,
		MaxConnections:           o.MaxConnections,
		MaxConnectionsPerAddress: o.MaxConnectionsPerAddress,
		TrustedProxies:           o.TrustedProxies,
		MaxBody:                  o.MaxPayload,
		MaxPending:               o.MaxPending,
		Deflate:                  o.PerMessageDeflate,
		MaxHeaderBytes:           o.MaxHeaderBytes,
		HTTP:                     o.HTTP,
		Logger:                   o.Logger,
	}, router{s})
	if err != nil {
		return nil, fmt.Errorf("sio: %w", err)
	}
	s.reactor = reactor
	for _, l := range reactor.Loops() {
		l.Local = new(scratch)
	}
	s.Namespace = s.Of("/")
	return s, nil
}

// ListenAndServe listens on a TCP address such as ":3000" and serves it until
// the server ends. It blocks; see [Server.Serve] for what it returns.
func (s *Server) ListenAndServe(addr string) error {
	// The heartbeat finds peers that vanished; TCP's own keep-alive would cost
	// system calls for each connection.
	config := net.ListenConfig{KeepAlive: -1}
	ln, err := config.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("sio: %w", err)
	}
	return s.Serve(ln)
}

// Run serves a TCP address until ctx ends, and then shuts the server down, for
// which it takes up to grace. It blocks, and returns nil if the end was in order:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//	defer stop()
//	err := io.Run(ctx, ":3000", 10*time.Second)
func (s *Server) Run(ctx context.Context, addr string, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- s.ListenAndServe(addr) }()
	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(limited)
	if failed == nil {
		failed = <-served
	}
	if !errors.Is(failed, ErrServerClosed) {
		err = errors.Join(failed, err)
	}
	return err
}

// Serve accepts connections from ln, which it closes in the end. It takes TCP
// and unix listeners, as they are or from [ProxyProtocol], and several may be
// served at once. It blocks until the
// server ends: with [ErrServerClosed] after Shutdown or Close, or with what
// went wrong.
func (s *Server) Serve(ln net.Listener) error {
	s.mu.Lock()
	s.listeners = append(s.listeners, ln)
	s.mu.Unlock()
	err := s.reactor.Serve(ln)
	if err == nil || errors.Is(err, loop.ErrServerClosed) {
		return ErrServerClosed
	}
	return fmt.Errorf("sio: %w", err)
}

// Addr returns the address of the first listener, or nil before Serve.
func (s *Server) Addr() net.Addr {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.listeners) == 0 {
		return nil
	}
	return s.listeners[0].Addr()
}

// Shutdown ends the server in order: it stops accepting, disconnects all
// sockets with [ReasonShuttingDown] (clients see "transport close", and try to
// connect again), lets what is queued reach the clients, and
// waits for handlers that are running, those of [Options].Handler included. The
// connections that they have hijacked end at once. When ctx ends first, it closes
// what is left and returns ctx's error. It blocks, and must not be called from a
// handler.
func (s *Server) Shutdown(ctx context.Context) error {
	s.begin()
	errs := []error{s.reactor.CloseListeners()}
	s.engine.CloseAll()
	errs = append(errs,
		s.await(ctx, func() bool { return s.engine.Sessions() == 0 }),
		s.await(ctx, func() bool { return s.handlers.Load() == 0 }))
	s.closeNamespaces()
	if ctx.Err() == nil {
		s.reactor.Drain()
		errs = append(errs, s.await(ctx, func() bool { return s.reactor.Connections() == 0 && s.reactor.Handlers() == 0 }))
	}
	errs = append(errs, s.reactor.Stop())
	return errors.Join(errs...)
}

// Close ends the server at once: clients are cut off, and handlers that are
// running are not waited for.
func (s *Server) Close() error {
	s.begin()
	s.engine.CloseAll()
	s.closeNamespaces()
	return s.reactor.Stop()
}

// begin begins the server's end.
func (s *Server) begin() {
	if !s.closing.Swap(true) {
		close(s.ended)
	}
}

func (s *Server) closeNamespaces() {
	s.mu.Lock()
	s.over = true
	all := slices.Collect(maps.Values(s.namespaces))
	s.mu.Unlock()
	for _, ns := range all {
		ns.close()
	}
}

// shutdownPoll is how often Shutdown looks whether it is done.
const shutdownPoll = 2 * time.Millisecond

func (s *Server) await(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(shutdownPoll)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// Namespaces returns the namespaces that there are, in no order.
func (s *Server) Namespaces() []*Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.namespaces))
}

// Clients returns how many clients are connected, in whatever namespaces.
func (s *Server) Clients() int { return s.engine.Sessions() }

// Stats are counts since a server was made, and of what is open now: of its
// Engine.IO sessions, and of the connections below them.
type Stats struct {
	Sessions    engine.Stats
	Connections loop.Stats
}

// Stats returns the server's counts.
func (s *Server) Stats() Stats {
	return Stats{Sessions: s.engine.Stats(), Connections: s.reactor.Stats()}
}

// protect runs a function of the program's, which is named for a panic.
func (s *Server) protect(in string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.report(nil, &PanicError{in, v, debug.Stack()})
		}
	}()
	f()
}

// router gives each request to the part of the server that it is for.
type router struct{ *Server }

// RouteRequest is called by the reactor with the head of each request.
func (s router) RouteRequest(_ *loop.Conn, r *loop.Request) http.Handler {
	switch {
	case s.files != nil && isClientFile(r.Path, s.opts.Path):
		return s.files
	case s.engine.Matches(r.Path):
		return nil
	default:
		return s.opts.Handler
	}
}

// Locate is called by the reactor in guest mode.
func (s router) Locate(r *loop.Request) *loop.Loop { return s.engine.Locate(r) }

// AnnounceRequest is called by the reactor when the body of a request is still to
// come.
func (s router) AnnounceRequest(c *loop.Conn, r *loop.Request) { s.engine.AnnounceRequest(c, r) }

// ServeRequest is called by the reactor with each request that has no http.Handler.
func (s router) ServeRequest(c *loop.Conn, r *loop.Request) {
	if s.engine.Matches(r.Path) {
		s.engine.ServeRequest(c, r)
		return
	}
	_ = c.Respond(loop.Response{ // the connection may be gone; then nobody waits
		Status: http.StatusNotFound, ContentType: "text/plain; charset=utf-8", Body: []byte("not found\n"),
	})
}

// opener makes a client of each new session.
type opener struct{ *Server }

// OnOpen is called by the engine.
func (s opener) OnOpen(session *engine.Session) engine.Receiver {
	return newClient(s.Server, session)
}

// scratch is memory that one loop reuses from packet to packet.
type scratch struct {
	args [][]byte
	name []byte // of an event that came through a parser
}
