package engine

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/loop"
)

// RequestInfo is what a session keeps of the request that opened it: one
// compact copy, parsed when somebody asks. It is immutable.
type RequestInfo struct {
	// Target is the request target, path with query.
	Target string
	// Remote is the peer's address; the zero value on a unix socket.
	Remote netip.AddrPort
	// Opened is when the request came.
	Opened time.Time

	head string // "Name: value\n" for each header
}

func newRequestInfo(c *loop.Conn, r *loop.Request) *RequestInfo {
	size := len(r.Target)
	for _, h := range r.Headers {
		size += len(h.Name) + len(h.Value) + 3
	}
	var b strings.Builder
	b.Grow(size)
	b.Write(r.Target)
	for _, h := range r.Headers {
		b.Write(h.Name)
		b.WriteString(": ")
		b.Write(h.Value)
		b.WriteByte('\n')
	}
	all, n := b.String(), len(r.Target)
	info := &RequestInfo{Target: all[:n], head: all[n:], Opened: time.Now()}
	if addr, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		port := addr.AddrPort()
		info.Remote = netip.AddrPortFrom(port.Addr().Unmap(), port.Port())
	}
	return info
}

// Header returns the request's headers, made anew on each call.
func (i *RequestInfo) Header() http.Header {
	h := make(http.Header)
	for line := range strings.Lines(i.head) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		h.Add(name, value)
	}
	return h
}

// Query returns the query's parameters, made anew on each call. What can't be
// decoded is left out.
func (i *RequestInfo) Query() url.Values {
	_, query, _ := strings.Cut(i.Target, "?")
	values, _ := url.ParseQuery(query) // it returns all that could be decoded
	return values
}
