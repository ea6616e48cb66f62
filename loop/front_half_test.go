package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A peer that ends its half of the connection behind a request gets the response, and
// then the end.
func TestHandlerOfHalfClosed(t *testing.T) {
	large := strings.Repeat("large ", 1<<20)
	half := make(chan struct{}) // sent when the peer has closed its half
	hear := func(r *http.Request) { <-r.Context().Done() }
	for _, tt := range []struct {
		name    string
		request string
		handler http.HandlerFunc
		want    string
	}{
		{"before the response", get("/"), func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			write(w, context.Cause(r.Context()).Error())
		}, "EOF"},
		{"a body", post("/", "body"), func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			echoBody(w, r)
		}, `POST / "body" <nil>`},
		{"a chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			echoBody(w, r)
		}, `POST / "ab" <nil>`},
		{"a part of a body", cut(post("/", "body")), echoBody, `POST / "bod" unexpected EOF`},
		{"a chunked body that is bad", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			write(w, "all the same")
		}, "all the same"},
		{"within the response", get("/"), func(w http.ResponseWriter, r *http.Request) {
			write(w, "first ")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			hear(r)
			write(w, "second")
		}, "first second"},
		{"a large response", get("/"), func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			write(w, large)
		}, large},
		{"while output is blocked", get("/"), func(w http.ResponseWriter, _ *http.Request) { write(w, large) }, large},
		{"nobody waits for it", get("/"), func(w http.ResponseWriter, _ *http.Request) {
			<-half
			write(w, "late")
		}, "late"},
		{"further requests", get("/") + get("/loop/") + get("/"), func(w http.ResponseWriter, r *http.Request) {
			hear(r)
			write(w, "only one")
		}, "only one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serveHTTP(t, tt.handler)
			c := f.dial(t)
			c.send(tt.request)
			switch tt.name {
			case "while output is blocked":
				eventually(t, "output that the kernel does not take", func() (blocked bool) {
					f.on(t, func(l *Loop) { blocked = l.conns != nil && l.conns.Blocked() })
					return blocked
				})
				c.closeWrite()
				f.wantHalf(t)
			case "nobody waits for it":
				c.closeWrite()
				f.wantHalf(t)
				half <- struct{}{}
			default:
				c.closeWrite()
			}
			if res := c.response(http.MethodGet); res.StatusCode != 200 || res.body != tt.want {
				t.Errorf("got %d, %d bytes %.50q", res.StatusCode, len(res.body), res.body)
			}
			c.wantEnd()
			f.wantHandlers(t, 0)
			f.wantConnections(t, 0)
			f.watcher.mu.Lock()
			defer f.watcher.mu.Unlock()
			if n := len(f.watcher.waiting); n != 0 {
				t.Errorf("%d connections are watched", n)
			}
		})
	}
}

// A handler that has hijacked a connection may answer what came before the peer's end.
func TestHijackOfHalfClosed(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		c, rw := hijack(t, w)
		defer c.Close()
		write(c, "welcome ")
		all, err := io.ReadAll(rw)
		if err != nil {
			t.Errorf("reading to the end: %v", err)
		}
		write(c, strings.ToUpper(string(all)))
	})
	c := f.dial(t)
	c.send(get("/"))
	want := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c.br, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	want("welcome ")
	c.send("all of it")
	c.closeWrite()
	want("ALL OF IT")
	c.wantEnd()
	f.wantHandlers(t, 0)
	f.wantConnections(t, 0)
}

// wantHalf waits until the reactor has noticed that its one peer has closed its half.
func (f *fixture) wantHalf(tb testing.TB) {
	tb.Helper()
	eventually(tb, "the end of the peer's half", func() (half bool) {
		f.on(tb, func(l *Loop) { half = l.conns != nil && l.conns.half })
		return half
	})
}

// A connection of which a half is left ends in any way that others do.
func TestEndsOfHalfClosed(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, f *fixture, c *client, conn *Conn)
		err  error // of Flush
	}{
		{"the peer resets", func(_ *testing.T, _ *fixture, c *client, _ *Conn) { c.reset() }, nil},
		{"the reactor stops", func(t *testing.T, f *fixture, _ *client, _ *Conn) {
			t.Helper()
			if err := f.Stop(); err != nil {
				t.Error(err)
			}
		}, nil},
		{"abort", func(t *testing.T, f *fixture, c *client, conn *Conn) {
			t.Helper()
			var paused bool
			var addr net.Addr
			f.on(t, func(*Loop) {
				paused, addr = conn.pauseInput(), conn.RemoteAddr()
				conn.resumeInput()
				conn.Abort(ErrTimeout)
				conn.Abort(ErrPanic)
			})
			if !paused || addr == nil || addr.String() != c.LocalAddr().String() {
				t.Errorf("paused: %t, the peer is %v", paused, addr)
			}
		}, ErrTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entered, failed := make(chan struct{}), make(chan error, 1)
			f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
				entered <- struct{}{}
				for {
					write(w, strings.Repeat("x", 1000))
					if err := http.NewResponseController(w).Flush(); err != nil {
						failed <- err
						return
					}
				}
			})
			c := f.dial(t)
			c.send(get("/"))
			receive(t, "the handler", entered)
			c.closeWrite()
			f.wantHalf(t)
			tt.end(t, f, c, f.conn(t))
			if err := receive(t, "the handler's end", failed); tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("Flush: %v", err)
			}
			f.wantHandlers(t, 0)
			f.wantConnections(t, 0)
		})
	}
}

// Whatever else waits for a response ends with the peer's half: a poll is over then,
// E45.
func TestHalfClosedWithoutHandler(t *testing.T) {
	r := newRecord()
	f := serve(t, func(c *Conn, _ *Request) { c.Attach(r) })
	c := f.dial(t)
	c.send(get("/"))
	c.closeWrite()
	r.wantClosed(t, io.EOF)
	c.wantEnd()
	f.wantConnections(t, 0)
}
