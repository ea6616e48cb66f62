package engine

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/clientaddr"
	"github.com/sio-gnet/sio-gnet/loop"
)

// RequestInfo is what a session keeps of the request that opened it: one
// compact copy, parsed when somebody asks. It is immutable.
type RequestInfo struct {
	// Target is the request target, path with query.
	Target string
	// Remote is the client's address, as far as trusted proxies tell it; the zero
	// value on a unix socket.
	Remote netip.AddrPort
	// Secure says that the client's own connection is encrypted.
	Secure bool
	// Opened is when the request came.
	Opened time.Time

	head string // "Name: value\n" for each header
}

func newRequestInfo(r *loop.Request, client clientaddr.Peer, now time.Time) *RequestInfo {
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
	return &RequestInfo{
		Target: all[:n], Remote: client.Addr, Secure: client.Secure, Opened: now, head: all[n:],
	}
}

// client returns who a request is from.
func (s *Server) client(c *loop.Conn, r *loop.Request) clientaddr.Peer {
	return s.clients.Resolve(clientaddr.Peer{Addr: c.RemoteAddrPort(), Secure: c.Secure()}, headerLines{r})
}

// headerLines are a request's headers as clientaddr reads them.
type headerLines struct{ *loop.Request }

// Values copies the values of all header lines of a name.
func (h headerLines) Values(name string) (values []string) {
	for _, line := range h.Headers {
		if bytes.EqualFold(line.Name, []byte(name)) {
			values = append(values, string(line.Value))
		}
	}
	return values
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
