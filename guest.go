package sio

import "net/http"

// ServeHTTP makes the server a guest of a net/http server, which has the listeners
// and connections then:
//
//	mux.Handle("/socket.io/", io)
//
// Nothing needs to be served by [Server.Serve], though it can be beside it. Polling
// works over HTTP/1.1 and HTTP/2, plain and with TLS. WebSockets need HTTP/1.1, which
// clients use for them by themselves: their connections are hijacked. Over plain
// TCP and unix sockets they go to the event loops as they are, and cost what they cost
// there; over TLS, or where the listener has wrapped them, each takes a goroutine.
//
// What the options say holds in both modes, Handler included, which answers what is
// not for Path. What necessarily differs is:
//
//   - The path is that of r.URL. It must arrive in full, or as much of it as Path says:
//     behind http.StripPrefix("/api", io), clients use "/api/socket.io/" and Path is
//     "/socket.io". Where nothing of Path is left, the answer is 404.
//   - The client's address is r.RemoteAddr, and [Handshake.Secure] says that r.TLS is set.
//     Hooks get the request as the handlers around have left it, with its context's values.
//   - HTTP itself is net/http's: malformed requests get its answers, heads have
//     its limits and timeouts as well as ours, header lines come in another order, and a
//     body that came without a length is known to be too large only when it is. A server's
//     ReadTimeout and WriteTimeout do not cut polls off.
//   - A POST is known to the session before its body is read, even if all has come at once.
//   - MaxConnections and MaxConnectionsPerAddress count requests in progress and WebSockets, not
//     idle connections.
//   - Headers that the handlers around have set are in every answer but that to a WebSocket's
//     handshake.
//   - ResponseWriters around the server's own must have Unwrap or Hijack; else a WebSocket
//     gets 500 and a log line. WebSocket over HTTP/2 (RFC 8441) gets 501.
//   - A request that is cut off, such as a POST of a session that has ended meanwhile, ends with
//     a panic of [http.ErrAbortHandler], which net/http expects.
//
// A net/http server's Shutdown knows nothing of hijacked connections and waits for polls, so
// call [Server.Shutdown] first:
//
//	err := errors.Join(io.Shutdown(ctx), httpServer.Shutdown(ctx))
//
// After it, everything gets 503. Shutdown and Close wait for requests in progress.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := []byte(r.URL.EscapedPath())
	switch {
	case s.closing.Load():
		if r.ProtoMajor == 1 { // in HTTP/2, it would end all streams
			w.Header().Set("Connection", "close")
		}
		http.Error(w, "server closed", http.StatusServiceUnavailable)
	case s.files != nil && isClientFile(path, s.opts.Path):
		s.files.ServeHTTP(w, r)
	case s.engine.Matches(path):
		s.reactor.ServeHTTP(w, r)
	case s.opts.Handler != nil:
		s.opts.Handler.ServeHTTP(w, r)
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
}
