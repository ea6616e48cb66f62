package engine

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/addrlimit"
	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Handler is told of new sessions.
type Handler interface {
	// OnOpen is called on the session's loop once its handshake is answered. The
	// Receiver that it returns gets what the session receives.
	OnOpen(s *Session) Receiver
}

// Receiver gets what happens to one session, on the loop that owns it then.
type Receiver interface {
	// OnMessage receives a message. data may be kept or changed until it returns.
	OnMessage(s *Session, data []byte, binary bool)
	// OnMove says that the session is about to move to the loop to. Whatever was
	// posted to the old loop for the session until OnMove returns is still done
	// there first. It is called under the session's lock: all it may do is to tell
	// those that post to the session's loop by themselves.
	OnMove(s *Session, to *loop.Loop)
	// OnClose is called once, last of all. err says more for [TransportError].
	OnClose(s *Session, reason CloseReason, err error)
}

// Server answers the requests under one path. It is a [loop.Handler].
type Server struct {
	opts     Options
	handler  Handler
	cors     *cors
	clients  clientaddr.Resolver
	held     *addrlimit.Counter // sessions by address
	asked    *addrlimit.Rate    // handshakes by address
	sessions *registry
	stats    counters
	closing  atomic.Bool
	working  atomic.Int64 // goroutines that ask hooks or compress
}

var (
	_ loop.Handler   = (*Server)(nil)
	_ loop.Announcer = (*Server)(nil)
	_ loop.Locator   = (*Server)(nil)
)

// New returns a server that tells h of its sessions.
func New(opts Options, h Handler) *Server {
	opts = opts.withDefaults()
	opts.Path = "/" + strings.Trim(opts.Path, "/")
	opts.Hooks = opts.Hooks.guarded(opts.Logger)
	clients := clientaddr.New(clientaddr.Options{
		Trusted: opts.TrustedProxies, TrustUnix: opts.TrustUnixPeers, Forwarded: opts.UseForwarded,
	})
	return &Server{
		opts: opts, handler: h, cors: newCORS(opts.CORS), clients: clients, sessions: newRegistry(),
		held:  addrlimit.NewCounter(opts.MaxSessionsPerAddress),
		asked: addrlimit.NewRate(opts.HandshakesPerSecond, opts.HandshakeBurst, time.Now()),
	}
}

// Sessions returns how many sessions are open. Any goroutine may call it.
func (s *Server) Sessions() int { return int(s.stats.open.Load()) }

// Working returns how many hooks and compressions are running on goroutines of
// their own. Any goroutine may call it.
func (s *Server) Working() int { return int(s.working.Load()) }

// Matches reports whether a request with that path is this server's: all that
// is the server's path or below it.
func (s *Server) Matches(path []byte) bool {
	p := s.opts.Path
	return len(path) >= len(p) && string(path[:len(p)]) == p && (len(path) == len(p) || path[len(p)] == '/')
}

// Locate returns the loop of the session that a request is for.
func (s *Server) Locate(r *loop.Request) *loop.Loop {
	if session := s.sessions.get(r.QueryValue("sid")); session != nil {
		return session.Home()
	}
	return nil
}

// CloseAll refuses new sessions from now on and closes all there are with
// reason [ForcedClose]. It does not wait. Any goroutine may call it.
func (s *Server) CloseAll() {
	s.closing.Store(true)
	for _, session := range s.sessions.all() {
		session.Discard()
	}
}

// ServeRequest answers a request under the server's path.
func (s *Server) ServeRequest(c *loop.Conn, r *loop.Request) {
	x := &exchange{server: s, conn: c, request: r, upgrade: len(r.Upgrade) > 0}
	if len(s.opts.Middleware) > 0 {
		x.passMiddleware()
		return
	}
	x.serve()
}

// exchange is a request on its way to its answer, on the loop of its
// connection.
type exchange struct {
	server  *Server
	conn    *loop.Conn
	request *loop.Request
	header  []byte // lines that every answer to it has
	upgrade bool   // it asks to become a WebSocket
}

// serve gives the request to what it is for.
func (x *exchange) serve() {
	s, r := x.server, x.request
	x.header = s.cors.appendHeader(x.header, r)
	if s.cors != nil && string(r.Method) == http.MethodOptions {
		x.respond(s.cors.answerPreflight(r, x.header))
		return
	}
	session, err := s.verify(r, x.upgrade)
	switch {
	case err != nil:
		x.refuse(err)
	case session == nil && s.closing.Load():
		x.respond(loop.Response{Status: http.StatusServiceUnavailable, Header: x.header, Close: true})
	case session == nil:
		if !x.hasty() {
			x.handshake()
		}
	case x.upgrade:
		x.considerUpgrade(session)
	case string(r.Method) == http.MethodGet:
		session.servePoll(x)
	case string(r.Method) == http.MethodPost:
		session.servePost(x)
	default:
		x.respond(loop.Response{Status: http.StatusMethodNotAllowed, Header: append(x.header, "Allow: GET, POST\r\n"...)})
	}
}

// verify judges a request in the reference's order, and finds its session: nil
// for a handshake.
func (s *Server) verify(r *loop.Request, upgrade bool) (*Session, *RequestError) {
	var websocket bool
	switch transport := r.QueryValue("transport"); {
	case string(transport) == "polling" && !s.opts.NoPolling:
	case string(transport) == "websocket" && !s.opts.NoWebSocket:
		websocket = true
	default:
		return nil, newRefusal(CodeUnknownTransport, "transport", string(transport))
	}
	if origin := r.Get("Origin"); !validOrigin(origin) {
		return nil, badRequest("INVALID_ORIGIN", "origin", string(origin))
	}
	if sid := r.QueryValue("sid"); len(sid) > 0 {
		return s.verifySession(r, sid, upgrade, websocket)
	}
	switch {
	case string(r.Method) != http.MethodGet:
		return nil, newRefusal(CodeBadHandshakeMethod, "method", string(r.Method))
	case websocket && !upgrade:
		return nil, badRequest("TRANSPORT_HANDSHAKE_ERROR")
	case upgrade && !websocket:
		return nil, badRequest("TRANSPORT_MISMATCH", "transport", "polling")
	case s.protocol(r) == 0:
		return nil, newRefusal(CodeUnsupportedVersion, "protocol", "3")
	}
	return nil, nil
}

// verifySession judges a request that names a session.
func (s *Server) verifySession(r *loop.Request, sid []byte, upgrade, websocket bool) (*Session, *RequestError) {
	session := s.sessions.get(sid)
	switch {
	case session == nil:
		return nil, newRefusal(CodeUnknownSession, "sid", string(sid))
	case upgrade != websocket, !upgrade && session.onWebSocket.Load():
		return nil, badRequest("TRANSPORT_MISMATCH", "transport", string(r.QueryValue("transport")), "previousTransport", session.Transport())
	case s.protocol(r) != session.protocol:
		return nil, badRequest("PROTOCOL_MISMATCH", "protocol", string(r.QueryValue("EIO")), "previousProtocol", session.protocol.String())
	}
	return session, nil
}

// refuse answers with an error and tells of it.
func (x *exchange) refuse(err *RequestError) {
	s := x.server
	s.stats.refuse(err.Code)
	s.opts.Logger.Debug("engine: request refused", "code", int(err.Code), "reason", err.Error(), "remote", x.conn.RemoteAddr())
	x.tell(err)
	x.respond(err.response(x.upgrade, append(x.header, noStore...)))
}

// tell tells the program of a refusal.
func (x *exchange) tell(err *RequestError) {
	hook := x.server.opts.Hooks.ConnectionError
	if hook == nil {
		return
	}
	if r, bad := x.conn.HTTPRequest(x.request); bad == nil {
		hook(&ConnectionError{RequestError: err, Request: r})
	}
}

// respond answers a request that does not get to a session.
func (x *exchange) respond(res loop.Response) {
	if u, ok := x.conn.Stream().(*upload); ok {
		u.OnClose(x.conn, loop.ErrRefused) // the session may know of it
	}
	x.server.respond(x.conn, res)
}

// respond answers on the connection's own loop. It can only fail when the
// connection is gone, which its Stream is told.
func (s *Server) respond(c *loop.Conn, res loop.Response) {
	if err := c.Respond(res); err != nil {
		s.opts.Logger.Debug("engine: response not sent", "error", err)
	}
}
