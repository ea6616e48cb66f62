package engine

import (
	"net/http"
	"sort"
	"strings"

	"github.com/sio-gnet/sio-gnet/loop"
)

// noStore keeps caches off answers that are for one moment only.
const noStore = "Cache-Control: no-store\r\n"

// appendHeaders appends headers of the program's, in the order of their names.
// What can't be in a header is left out.
func appendHeaders(dst []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, value := range h[name] {
			dst = appendLine(dst, name, value)
		}
	}
	return dst
}

// parseHeaders is the reverse of appendHeaders.
func parseHeaders(lines []byte) http.Header {
	h := make(http.Header)
	for line := range strings.SplitSeq(string(lines), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
	return h
}

// editHeaders lets the program's hooks change the headers of an answer that
// succeeds. first says that it is the session's first.
func (s *Server) editHeaders(res *loop.Response, r *http.Request, first bool) {
	hooks := &s.opts.Hooks
	if r == nil || hooks.Headers == nil && (!first || hooks.InitialHeaders == nil) {
		return
	}
	h := parseHeaders(res.Header)
	if res.ContentType != "" {
		h.Set("Content-Type", res.ContentType)
	}
	if first && hooks.InitialHeaders != nil {
		hooks.InitialHeaders(h, r)
	}
	if hooks.Headers != nil {
		hooks.Headers(h, r)
	}
	res.ContentType = h.Get("Content-Type")
	h.Del("Content-Type")
	h.Del("Content-Length") // it is the reactor's, as are the next
	h.Del("Transfer-Encoding")
	h.Del("Connection")
	res.Header = appendHeaders(nil, h)
}

// hooked returns the request in the form that the header hooks take, nil if
// there are none.
func (x *exchange) hooked() *http.Request {
	hooks := &x.server.opts.Hooks
	if hooks.Headers == nil && hooks.InitialHeaders == nil {
		return nil
	}
	r, err := x.conn.HTTPRequest(x.request)
	if err != nil {
		return nil // its target is no URL, as nobody's but a hostile peer's
	}
	return r
}

// quirks appends what old browsers need: Internet Explorer's filter takes the
// packets of a poll for an attack.
func quirks(dst []byte, r *loop.Request) []byte {
	agent := string(r.Get("User-Agent"))
	if strings.Contains(agent, ";MSIE") || strings.Contains(agent, "Trident/") {
		return append(dst, "X-XSS-Protection: 0\r\n"...)
	}
	return dst
}
