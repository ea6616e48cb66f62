package sio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Server is a Socket.IO server. Make one with [New]; what it offers for events
// and broadcasts acts on the namespace "/".
type Server struct {
	opts    Options
	reactor *loop.Reactor
	engine  *engine.Server
	files   http.Handler // the client bundle; nil if it is not served
	limits  socketio.Limits
	root    *Namespace

	mu         sync.RWMutex
	namespaces map[string]*Namespace
	listeners  []net.Listener

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
	o := opts.withDefaults()
	s := &Server{
		opts:       o,
		namespaces: make(map[string]*Namespace),
		limits:     socketio.Limits{Attachments: o.MaxAttachments, Depth: o.MaxDepth},
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
		Logger:                   o.Logger,
	}, router{s})
	if err != nil {
		return nil, fmt.Errorf("sio: %w", err)
	}
	s.reactor = reactor
	for _, l := range reactor.Loops() {
		l.Local = new(scratch)
	}
	s.root = s.Of("/")
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
// sockets with [ReasonShuttingDown], lets what is queued reach the clients, and
// waits for handlers that are running. When ctx ends first, it closes what is
// left and returns ctx's error. It blocks, and must not be called from a
// handler.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closing.Store(true)
	errs := []error{s.reactor.CloseListeners()}
	s.engine.CloseAll()
	errs = append(errs,
		s.await(ctx, func() bool { return s.engine.Sessions() == 0 }),
		s.await(ctx, func() bool { return s.handlers.Load() == 0 }))
	if ctx.Err() == nil {
		s.reactor.Drain()
		errs = append(errs, s.await(ctx, func() bool { return s.reactor.Connections() == 0 }))
	}
	errs = append(errs, s.reactor.Stop())
	return errors.Join(errs...)
}

// Close ends the server at once: clients are cut off, and handlers that are
// running are not waited for.
func (s *Server) Close() error {
	s.closing.Store(true)
	s.engine.CloseAll()
	return s.reactor.Stop()
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

// Of returns the namespace of that name, and makes it if there is none. The
// leading slash may be left out.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[name]
	if ns == nil {
		ns = newNamespace(s, name)
		s.namespaces[name] = ns
	}
	return ns
}

// lookup returns a namespace that clients may connect to, or nil.
func (s *Server) lookup(name []byte) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[string(name)]
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

// OnConnection is [Namespace.OnConnection] of "/".
func (s *Server) OnConnection(fn func(s *Socket), opts ...HandlerOption) {
	s.root.OnConnection(fn, opts...)
}

// OnEvent is [Namespace.OnEvent] of "/".
func (s *Server) OnEvent(event string, handler any, opts ...HandlerOption) error {
	return s.root.OnEvent(event, handler, opts...)
}

// Use is [Namespace.Use] of "/".
func (s *Server) Use(middleware func(s *Socket) error) { s.root.Use(middleware) }

// Emit is [Namespace.Emit] of "/".
func (s *Server) Emit(event string, args ...any) error { return s.root.Emit(event, args...) }

// To is [Namespace.To] of "/".
func (s *Server) To(rooms ...string) Broadcast { return s.root.To(rooms...) }

// In is another name for To.
func (s *Server) In(rooms ...string) Broadcast { return s.root.To(rooms...) }

// Except is [Namespace.Except] of "/".
func (s *Server) Except(rooms ...string) Broadcast { return s.root.Except(rooms...) }

// Sockets returns the sockets connected to "/".
func (s *Server) Sockets() []*Socket { return s.root.Sockets() }

func (s *Server) report(sock *Socket, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.opts.Logger.Error("sio: panic in OnError", "panic", v, "error", err)
		}
	}()
	s.opts.OnError(sock, err)
}

// router gives each request to the part of the server that it is for.
type router struct{ *Server }

// ServeRequest is called by the reactor.
func (s router) ServeRequest(c *loop.Conn, r *loop.Request) {
	switch {
	case s.files != nil && isClientFile(r.Path, s.opts.Path):
		c.ServeHTTP(r, s.files)
	case s.engine.Matches(r.Path):
		s.engine.ServeRequest(c, r)
	case s.opts.Handler != nil:
		c.ServeHTTP(r, s.opts.Handler)
	default:
		_ = c.Respond(loop.Response{ // the connection may be gone; then nobody waits
			Status: http.StatusNotFound, ContentType: "text/plain; charset=utf-8", Body: []byte("not found\n"),
		})
	}
}

// AnnounceRequest is called by the reactor.
func (s router) AnnounceRequest(c *loop.Conn, r *loop.Request) { s.engine.AnnounceRequest(c, r) }

// Locate is called by the reactor.
func (s router) Locate(r *loop.Request) *loop.Loop { return s.engine.Locate(r) }

// opener makes a client of each new session.
type opener struct{ *Server }

// OnOpen is called by the engine.
func (s opener) OnOpen(session *engine.Session) engine.Receiver {
	return newClient(s.Server, session)
}

// scratch is memory that one loop reuses from packet to packet.
type scratch struct{ args [][]byte }
