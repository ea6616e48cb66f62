package loop

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// announcing is a Handler that tells what it was told of requests.
type announcing struct {
	handlerFunc
	*record

	announced chan string
}

func (h *announcing) AnnounceRequest(c *Conn, r *Request) {
	h.announced <- string(r.Target)
	c.Attach(h.record)
}

// A request is known before its body has come, and is told of what becomes of it.
func TestGuestBodies(t *testing.T) {
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		for _, tt := range []struct {
			name string
			head string
			then func(f *fixture, c *client, own *record)
		}{
			{"complete", "Content-Length: 5", func(_ *fixture, c *client, _ *record) {
				c.send("llo")
				c.want(200, "POST /a hello")
			}},
			{"nothing at first", "Content-Length: 5", func(_ *fixture, c *client, _ *record) {
				c.send("hello")
				c.want(200, "POST /a hello")
			}},
			{"cut", "Content-Length: 5", func(_ *fixture, c *client, own *record) {
				c.closeWrite()
				own.wantClosed(c.tb, io.EOF)
				c.wantEnd()
			}},
			{"too late", "Content-Length: 5", func(_ *fixture, c *client, own *record) {
				c.want(408, "the request took too long\n")
				own.wantClosed(c.tb, ErrRefused)
				c.wantEnd()
			}},
			{"too large", "Transfer-Encoding: chunked", func(_ *fixture, c *client, own *record) {
				c.send("he\r\n64\r\n", strings.Repeat("x", 100), "\r\n")
				c.want(413, "body too large\n")
				own.wantClosed(c.tb, ErrRefused)
			}},
			{"malformed", "Transfer-Encoding: chunked", func(_ *fixture, c *client, own *record) {
				c.send("he\r\nxyz\r\n")
				c.want(400, "malformed body\n")
				own.wantClosed(c.tb, ErrRefused)
			}},
			{"ended by the server", "Content-Length: 5", func(f *fixture, c *client, own *record) {
				f.on(c.tb, func(l *Loop) { l.conns.Abort(ErrTimeout) })
				own.wantClosed(c.tb, ErrTimeout)
				c.wantEnd()
			}},
		} {
			t.Run(tt.name+", "+string(mode), func(t *testing.T) {
				h := &announcing{echo, newRecord(), make(chan string, 1)}
				f := start(t, echo, func(o *Options) {
					o.MaxBody = 100
					if tt.name == "too late" {
						o.BodyTimeout = 50 * time.Millisecond
					}
				})
				f.handler, f.announced = h, h
				c := dial(t, "tcp", testhost.Serve(t, mode, f.Reactor))
				c.send("POST /a HTTP/1.1\r\nHost: a\r\n", tt.head, "\r\n\r\n")
				switch {
				case strings.HasPrefix(tt.head, "Transfer"):
					c.send("2\r\n")
				case tt.name != "nothing at first":
					c.send("he")
				}
				if got := receive(t, "the announcement", h.announced); got != "/a" {
					t.Errorf("announced %q", got)
				}
				tt.then(f, c, h.record)
				f.wantConnections(t, 0)
			})
		}
	}
}
