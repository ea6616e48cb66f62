package engine

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
	"github.com/sio-gnet/sio-gnet/loop"
)

// heldRetry is when an address with too many sessions should try again: when one
// of them may have ended.
const heldRetry = 5 * time.Second

// limits reports whether a client's address can be held responsible: it is that
// of one client, as far as the server knows.
func (s *Server) limits(a netip.Addr) bool { return a.IsValid() && !s.clients.Trusts(a) }

// hasty answers a handshake of an address that asks too often, and reports
// whether it did.
func (x *exchange) hasty() bool {
	s := x.server
	if s.asked == nil {
		return false
	}
	client := s.client(x.conn, x.request)
	if !s.limits(client.Addr.Addr()) {
		return false
	}
	wait := s.asked.Allow(client.Addr.Addr(), x.conn.Loop().Now())
	if wait > 0 {
		x.tooMany("handshakes", "TOO_MANY_HANDSHAKES", client, wait)
	}
	return wait > 0
}

// tooMany answers a handshake that is over a limit, and says when to try again.
// The program is told a [CodeForbidden] of that name.
func (x *exchange) tooMany(what, name string, client clientaddr.Peer, wait time.Duration) {
	s := x.server
	s.stats.limited.Add(1)
	s.opts.Logger.Debug("engine: handshake refused: too many "+what+" of one address", "client", client.Addr, "remote", x.conn.RemoteAddr())
	x.tell(&RequestError{
		Code: CodeForbidden, Message: "too many " + what,
		Context: map[string]any{"name": name, "client": client.Addr.Addr().String()},
	})
	seconds := int64((wait + time.Second - 1) / time.Second)
	x.respond(loop.Response{
		Status: http.StatusTooManyRequests, ContentType: "text/plain; charset=utf-8",
		Header: append(appendLine(x.header, "Retry-After", strconv.FormatInt(seconds, 10)), noStore...),
		Body:   []byte("too many " + what + "\n"), Close: x.upgrade,
	})
}

// hold counts a session of a client, unless there are too many.
func (s *Server) hold(client clientaddr.Peer) bool {
	return s.held == nil || !s.limits(client.Addr.Addr()) || s.held.Acquire(client.Addr.Addr())
}

// release undoes hold.
func (s *Server) release(client clientaddr.Peer) {
	if s.held != nil && s.limits(client.Addr.Addr()) {
		s.held.Release(client.Addr.Addr())
	}
}

// forget ends what newSession began.
func (s *Server) forget(session *Session) {
	s.sessions.remove(session)
	s.release(clientaddr.Peer{Addr: session.info.Remote})
}
