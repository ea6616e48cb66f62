package loop

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/bytebufferpool"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// visit is one call of [Reactor.ServeHTTP]: what is known of the request before it
// gets to a loop.
type visit struct {
	reactor *Reactor
	w       http.ResponseWriter
	request *http.Request
	client  net.Addr // as the server says
	addr    netip.Addr
	secure  bool
	counted bool // in the count of its address

	// head is the request's head as it is on an HTTP/1 connection; parsed has views
	// of it.
	head   *bytebufferpool.ByteBuffer
	parsed *Request
}

var (
	errClosed  = &http1.Error{Status: http.StatusServiceUnavailable, Reason: "server closed"}
	errTooMany = &http1.Error{Status: http.StatusServiceUnavailable, Reason: "too many connections"}
)

// parsedRequests are requests whose headers have room.
var parsedRequests = sync.Pool{New: func() any { return new(Request) }}

// ServeHTTP answers a request that a net/http server received, as if it had come
// over a connection of the reactor's own: with the Handler, which must answer with
// [Conn.Respond] or [Conn.AcceptWebSocket]; that it may be a [Router], too, is not asked:
// what others answer is for the server to give to them. It blocks until the response is
// written, or until the connection belongs to the reactor.
//
// The path that counts is the one in req.URL, so [http.StripPrefix] has its usual
// effect. The client's address is req.RemoteAddr. A connection is hijacked if the
// request has a valid Upgrade header; a ResponseWriter around the server's own must
// have an Unwrap or Hijack method for that, or the answer is 500.
//
// The server's timeouts hold for the requests' heads and between requests, the
// reactor's for bodies, responses and WebSockets. A request that the reactor cuts off
// ends with a panic of [http.ErrAbortHandler], as net/http wants it.
func (r *Reactor) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	v := &visit{reactor: r, w: w, request: req, secure: req.TLS != nil}
	if !r.guests.enter() {
		v.refuse(errClosed)
		return
	}
	defer r.guests.leave()
	v.head, v.parsed = inputBytes.Get(), parsedRequests.Get().(*Request)
	err := v.parse()
	switch {
	case err != nil:
		r.counts.refuse(statusOf(err))
		v.refuse(err)
	case !v.admit():
		v.refuse(errTooMany)
	case len(v.parsed.Upgrade) > 0:
		v.hijack()
		return
	default:
		v.exchange()
		return
	}
	v.giveBack()
}

// giveBack is called when nobody has views of the head any more.
func (v *visit) giveBack() {
	inputBytes.Put(v.head)
	parsedRequests.Put(v.parsed)
	v.head, v.parsed = nil, nil
}

// parse judges the request's head as the reactor judges any.
func (v *visit) parse() error {
	if v.request.Method == http.MethodConnect {
		// Such as WebSocket over HTTP/2 (RFC 8441).
		return &http1.Error{Status: http.StatusNotImplemented, Reason: "CONNECT is not supported"}
	}
	v.client, v.addr = clientOf(v.request)
	var err error
	if v.head.B, err = appendRequestHead(v.head.B[:0], v.request); err != nil {
		return err
	}
	v.parsed.Body = nil
	if err := http1.ParseHead(v.head.B, &v.parsed.Request, v.reactor.limits); err != nil {
		return err //nolint:wrapcheck // it says all there is
	}
	return v.parsed.CheckBody(v.reactor.limits) //nolint:wrapcheck // as above
}

// admit counts a connection, if there may be one more.
func (v *visit) admit() bool {
	r := v.reactor
	if r.conns.Add(1) > int64(r.opts.MaxConnections) {
		r.conns.Add(-1)
		r.counts.turnedAway.Add(1)
		r.opts.Logger.Warn("loop: connection refused: too many", "limit", r.opts.MaxConnections, "remote", v.client)
		return false
	}
	ok, counted := r.perAddress.acquire(v.addr)
	if !ok {
		r.conns.Add(-1)
		r.opts.Logger.Debug("loop: connection refused: too many of one address", "remote", v.client)
	}
	v.counted = counted
	return ok
}

// dismiss undoes admit.
func (v *visit) dismiss() {
	v.reactor.conns.Add(-1)
	if v.counted {
		v.reactor.perAddress.counter.Release(v.addr)
	}
}

// place chooses a loop.
func (v *visit) place() *Loop {
	r := v.reactor
	if r.locator != nil {
		if l := r.locator.Locate(v.parsed); l != nil {
			return l
		}
	}
	return r.loops[r.placed.Add(1)%uint64(len(r.loops))]
}

func statusOf(err error) int {
	var bad *http1.Error
	if errors.As(err, &bad) {
		return bad.Status
	}
	return http.StatusBadRequest
}

// refuse answers a request that gets to no loop.
func (v *visit) refuse(err error) {
	bad := &http1.Error{Status: http.StatusBadRequest, Reason: err.Error()}
	errors.As(err, &bad)
	v.reactor.opts.Logger.Debug("loop: request refused", "status", bad.Status, "reason", bad.Reason, "remote", v.request.RemoteAddr)
	res := Response{Status: bad.Status, ContentType: "text/plain; charset=utf-8", Body: []byte(bad.Reason + "\n"), Close: true}
	if bad.Status == http.StatusServiceUnavailable {
		res.Header = []byte("Retry-After: 5\r\n")
	}
	v.respond(&res)
}

// appendRequestHead writes a request as HTTP/1.1 has it, or 1.0. It fails where a
// header that the program around has put there can't be written.
func appendRequestHead(dst []byte, r *http.Request) ([]byte, error) {
	dst = append(append(dst, r.Method...), ' ')
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	dst = append(dst, path...)
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		dst = append(append(dst, '?'), r.URL.RawQuery...)
	}
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		dst = append(dst, " HTTP/1.0\r\n"...)
	} else {
		dst = append(dst, " HTTP/1.1\r\n"...)
	}
	var err error
	if r.Host != "" || r.ProtoAtLeast(1, 1) {
		if dst, err = http1.AppendHeader(dst, "Host", r.Host); err != nil {
			return dst, err //nolint:wrapcheck // it says all there is
		}
	}
	switch {
	case r.ContentLength < 0 || len(r.TransferEncoding) > 0:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case r.ContentLength > 0 || r.Header["Content-Length"] != nil:
		dst = append(strconv.AppendInt(append(dst, "Content-Length: "...), r.ContentLength, 10), "\r\n"...)
	}
	for name, values := range r.Header {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding":
			continue
		}
		for _, value := range values {
			if dst, err = http1.AppendHeader(dst, name, value); err != nil {
				return dst, err //nolint:wrapcheck // it says all there is
			}
		}
	}
	return append(dst, "\r\n"...), nil
}

// clientOf returns who a request is from, as the server has it in RemoteAddr, which
// programs around may have changed, also to an address without a port. On a unix
// socket, there is none. Whatever else it is, it is nobody that could be trusted:
// the unspecified address.
func clientOf(r *http.Request) (net.Addr, netip.Addr) {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		var ip netip.Addr
		if ip, err = netip.ParseAddr(r.RemoteAddr); err == nil {
			addr = netip.AddrPortFrom(ip, 0)
		}
	}
	if err != nil {
		if unix, ok := r.Context().Value(http.LocalAddrContextKey).(*net.UnixAddr); ok {
			return &net.UnixAddr{Name: r.RemoteAddr, Net: unix.Net}, netip.Addr{}
		}
		addr = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return net.TCPAddrFromAddrPort(addr), addr.Addr().Unmap()
}

// abort ends the connection, or the stream of HTTP/2, without an answer. gone says that
// the client has ended it already.
func (v *visit) abort(gone bool) {
	if v.request.ProtoMajor == 1 {
		// What net/http offers for it is a panic, which is for all handlers around.
		if conn, _, err := http.NewResponseController(v.w).Hijack(); err == nil {
			conn.Close()
			return
		}
	}
	if !gone {
		panic(http.ErrAbortHandler)
	}
}

// smallResponse is the size of a body up to which a response is sure to fit into the
// buffer that net/http sends behind the handler.
const smallResponse = 2 << 10

// respond writes a response. A peer that does not take it within IdleTimeout is cut
// off, as the reactor's own connections are.
func (v *visit) respond(res *Response) {
	r, h := v.request, v.w.Header()
	for line := res.Header; len(line) > 0; {
		var name, value string
		name, value, line = cutHeaderLine(line)
		h.Add(name, value)
	}
	if res.ContentType != "" {
		h.Set("Content-Type", res.ContentType)
	} else {
		h["Content-Type"] = nil // nothing is to be guessed
	}
	bodyless := res.Status == http.StatusNoContent || res.Status == http.StatusNotModified
	if !bodyless {
		h.Set("Content-Length", strconv.Itoa(len(res.Body)))
	}
	if res.Close && r.ProtoMajor == 1 { // in HTTP/2, it would end all streams
		h.Set("Connection", "close")
	}
	// The deadline stays with a connection of HTTP/1, for whatever comes next.
	control, large := http.NewResponseController(v.w), len(res.Body) > smallResponse
	if large || r.ProtoMajor != 1 || v.writeTimeout() {
		_ = control.SetWriteDeadline(time.Now().Add(v.reactor.opts.IdleTimeout)) // what can't have one has none
	}
	v.w.WriteHeader(res.Status)
	if bodyless || r.Method == http.MethodHead {
		return
	}
	if _, err := v.w.Write(res.Body); err != nil {
		return // the peer is gone
	}
	if large && r.ProtoMajor == 1 && !v.writeTimeout() {
		if control.Flush() == nil {
			_ = control.SetWriteDeadline(time.Time{})
		}
	}
}

// cutHeaderLine takes a line off those of a Response.
func cutHeaderLine(lines []byte) (name, value string, rest []byte) {
	line, rest, _ := bytes.Cut(lines, []byte("\r\n"))
	before, after, _ := bytes.Cut(line, []byte(":"))
	return string(before), string(bytes.TrimSpace(after)), rest
}

// writeTimeout reports whether the server sets a deadline for each response, which
// begins when the request came: too short for one that waits.
func (v *visit) writeTimeout() bool {
	server, ok := v.request.Context().Value(http.ServerContextKey).(*http.Server)
	return !ok || server.WriteTimeout > 0
}

// visits counts what must have ended before the reactor has.
type visits struct {
	mu     sync.Mutex
	n      int
	over   bool
	nobody chan struct{} // closed when nobody is left, once it is over
}

// enter counts one more, unless it is over.
func (n *visits) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return false
	}
	n.n++
	return true
}

// add counts one more for somebody who has not left yet.
func (n *visits) add() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
}

func (n *visits) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.n--; n.n == 0 && n.over {
		close(n.nobody)
	}
}

// refuse lets nobody enter any more.
func (n *visits) refuse() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	n.over, n.nobody = true, make(chan struct{})
	if n.n == 0 {
		close(n.nobody)
	}
}

// wait is called after refuse.
func (n *visits) wait() { <-n.nobody }
