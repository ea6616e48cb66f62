package engine

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
	"github.com/sio-gnet/sio-gnet/internal/ids"
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
	clients  clientaddr.Resolver
	sessions *registry
	count    atomic.Int64
	closing  atomic.Bool
}

var _ loop.Handler = (*Server)(nil)

// New returns a server that tells h of its sessions.
func New(opts Options, h Handler) *Server {
	opts = opts.withDefaults()
	opts.Path = "/" + strings.Trim(opts.Path, "/")
	clients := clientaddr.New(clientaddr.Options{
		Trusted: opts.TrustedProxies, TrustUnix: opts.TrustUnixPeers, Forwarded: opts.UseForwarded,
	})
	return &Server{opts: opts, handler: h, clients: clients, sessions: newRegistry()}
}

// Sessions returns how many sessions are open. Any goroutine may call it.
func (s *Server) Sessions() int { return int(s.count.Load()) }

// Matches reports whether a request with that path is this server's: all that
// is the server's path or below it.
func (s *Server) Matches(path []byte) bool {
	p := s.opts.Path
	return len(path) >= len(p) && string(path[:len(p)]) == p && (len(path) == len(p) || path[len(p)] == '/')
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
	if string(r.Method) == http.MethodOptions && len(s.opts.Origins) > 0 {
		s.preflight(c, r)
		return
	}
	upgrade := len(r.Upgrade) > 0
	transport := r.QueryValue("transport")
	session, err := s.verify(r, transport, upgrade)
	if err != nil {
		s.opts.Logger.Debug("engine: request refused", "code", int(err.Code), "reason", err.Error(), "remote", c.RemoteAddr())
		s.respond(c, err.response(upgrade, append(s.corsHeader(nil, r), noStore...)))
		return
	}
	switch {
	case session == nil && s.closing.Load():
		s.respond(c, loop.Response{Status: http.StatusServiceUnavailable, Close: true})
	case upgrade:
		s.serveUpgrade(c, r, session)
	case session == nil:
		s.openPolling(c, r)
	case string(r.Method) == http.MethodGet:
		session.servePoll(c, r)
	case string(r.Method) == http.MethodPost:
		session.servePost(c, r)
	default:
		s.respond(c, loop.Response{Status: http.StatusMethodNotAllowed, Header: append(s.corsHeader(nil, r), "Allow: GET, POST\r\n"...)})
	}
}

// verify judges a request in the reference's order, and finds its session: nil
// for a handshake.
func (s *Server) verify(r *loop.Request, transport []byte, upgrade bool) (*Session, *RequestError) {
	var websocket bool
	switch {
	case string(transport) == "polling" && !s.opts.NoPolling:
	case string(transport) == "websocket" && !s.opts.NoWebSocket:
		websocket = true
	default:
		return nil, &RequestError{Code: CodeUnknownTransport}
	}
	if !validOrigin(r.Get("Origin")) {
		return nil, &RequestError{Code: CodeBadRequest, Name: "INVALID_ORIGIN"}
	}
	if sid := r.QueryValue("sid"); len(sid) > 0 {
		session := s.sessions.get(sid)
		switch {
		case session == nil:
			return nil, &RequestError{Code: CodeUnknownSession}
		case upgrade != websocket, !upgrade && session.onWebSocket.Load():
			return nil, &RequestError{Code: CodeBadRequest, Name: "TRANSPORT_MISMATCH"}
		case string(r.QueryValue("EIO")) != "4":
			return nil, &RequestError{Code: CodeBadRequest, Name: "PROTOCOL_MISMATCH"}
		}
		return session, nil
	}
	switch {
	case string(r.Method) != http.MethodGet:
		return nil, &RequestError{Code: CodeBadHandshakeMethod}
	case websocket && !upgrade:
		return nil, &RequestError{Code: CodeBadRequest, Name: "TRANSPORT_HANDSHAKE_ERROR"}
	case upgrade && !websocket:
		return nil, &RequestError{Code: CodeBadRequest, Name: "TRANSPORT_MISMATCH"}
	case string(r.QueryValue("EIO")) != "4":
		return nil, &RequestError{Code: CodeUnsupportedVersion}
	}
	return nil, nil
}

// respond answers on the connection's own loop. It can only fail when the
// connection is gone, which its Stream is told.
func (s *Server) respond(c *loop.Conn, res loop.Response) {
	if err := c.Respond(res); err != nil {
		s.opts.Logger.Debug("engine: response not sent", "error", err)
	}
}

// newSession makes a session that c's loop owns.
func (s *Server) newSession(c *loop.Conn, r *loop.Request) *Session {
	session := &Session{id: ids.New(), server: s, info: newRequestInfo(r, s.client(c, r)), home: c.Loop()}
	session.owner.Store(c.Loop())
	return session
}

// open makes a session known, after its handshake was answered.
func (s *Server) open(session *Session) {
	s.count.Add(1)
	session.startHeartbeat()
	session.receiver = s.handler.OnOpen(session)
	if s.closing.Load() { // CloseAll may not have seen it yet
		session.Discard()
	}
}
