package loop

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// wrapped is a connection that is more than a socket.
type wrapped struct{ net.Conn }

type wrappedListener struct{ net.Listener }

func (l wrappedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return wrapped{c}, err
}

// A WebSocket works over whatever connection it came, with what its client has sent
// right behind the request.
func TestGuestWebSockets(t *testing.T) {
	for name, listen := range map[string]func(t *testing.T, h http.Handler) net.Conn{
		"plain": func(t *testing.T, h http.Handler) net.Conn {
			t.Helper()
			s := testhost.Start(t, h, false)
			return must(s.Dial(t.Context()))
		},
		"TLS": func(t *testing.T, h http.Handler) net.Conn {
			t.Helper()
			s := testhost.Start(t, h, true)
			return must(s.Dial(t.Context()))
		},
		"wrapped": func(t *testing.T, h http.Handler) net.Conn {
			t.Helper()
			return must(net.Dial("tcp", serveListener(t, wrappedListener{must(net.Listen("tcp", "127.0.0.1:0"))}, h)))
		},
		"unix": func(t *testing.T, h http.Handler) net.Conn {
			t.Helper()
			return must(net.Dial("unix", serveListener(t, must(net.Listen("unix", t.TempDir()+"/s")), h)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord()
			f := start(t, r.accepting)
			conn := listen(t, f.Reactor)
			t.Cleanup(func() { conn.Close() })
			if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
				t.Fatal(err)
			}
			c := &client{Conn: conn, tb: t, br: bufio.NewReader(conn)}
			c.send(upgradeRequest, text("early"), text("bird"))
			c.wantUpgraded()
			c.wantFrame(ws.OpText, "early")
			c.wantFrame(ws.OpText, "bird")
			c.wantEcho("later")
			c.wantEcho(strings.Repeat("long", 50_000))
			own := receive(t, "the connection", r.conn)
			var got netip.AddrPort
			f.on(t, func(*Loop) {
				got = own.RemoteAddrPort()
				if _, secure := conn.(*tls.Conn); own.Secure() != secure {
					t.Errorf("secure: %v", own.Secure())
				}
			})
			if name != "unix" && got.String() != conn.LocalAddr().String() || name == "unix" && got.IsValid() {
				t.Errorf("remote address %v, want %v", got, conn.LocalAddr())
			}
			c.send(frame(ws.OpClose, true, ""))
			c.wantClose(ws.StatusNoStatusRcvd)
			c.Close()
			f.wantConnections(t, 0)
		})
	}
}

// serveListener serves a listener until the test ends.
func serveListener(t *testing.T, ln net.Listener, h http.Handler) (addr string) {
	t.Helper()
	s := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return ln.Addr().String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// opaque is a ResponseWriter that hides what it wraps, transparent one that does not.
type opaque struct{ http.ResponseWriter }

type transparent struct{ http.ResponseWriter }

func (w transparent) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestGuestBehindHandlers(t *testing.T) {
	f := start(t, echo)
	mux := http.NewServeMux()
	mux.HandleFunc("/opaque", func(w http.ResponseWriter, r *http.Request) { f.ServeHTTP(opaque{w}, r) })
	mux.HandleFunc("/transparent", func(w http.ResponseWriter, r *http.Request) { f.ServeHTTP(transparent{w}, r) })
	mux.Handle("/strip/", http.StripPrefix("/strip", f))
	mux.HandleFunc("/forged", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-A", "a\r\nX-B: b")
		f.ServeHTTP(w, r)
	})
	s := testhost.Start(t, mux, false)
	ask := func(path string) *client {
		c := dial(t, "tcp", s.Addr)
		c.send(strings.Replace(upgradeRequest, "/ws", path, 1))
		return c
	}
	ask("/opaque").want(500, "websocket is not possible here\n")
	f.log.want(t, "ERROR", "can't be taken over")
	c := ask("/transparent")
	c.wantUpgraded()
	c.wantEcho("hello")
	c = dial(t, "tcp", s.Addr)
	c.send("GET /strip/a%2Fb?c HTTP/1.1\r\nHost: a\r\n\r\n")
	c.want(200, "GET /a%2Fb?c ")
	c.send("GET /forged HTTP/1.1\r\nHost: a\r\n\r\n")
	c.want(400, "http1: invalid header: \"X-A\"\n")
	c = dial(t, "tcp", s.Addr)
	c.send("GET /opaque HTTP/1.1\r\nHost: a\r\n\r\n")
	c.want(200, "GET /opaque ")
	f.wantConnections(t, 1)
}

// An upgrade that is refused ends the connection: further requests on it would be
// the server's.
func TestGuestRefusedUpgradeCloses(t *testing.T) {
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		t.Run(string(mode), func(t *testing.T) {
			f := start(t, func(c *Conn, _ *Request) { _ = c.Respond(Response{Status: 200, Body: []byte("no")}) })
			c := dial(t, "tcp", testhost.Serve(t, mode, f.Reactor))
			c.send(upgradeRequest, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if res := c.want(200, "no"); !res.Close {
				t.Error("the connection is to be kept")
			}
			c.wantEnd()
			c.Close()
			f.wantConnections(t, 0)
		})
	}
}

// A client that does not read takes no more memory than it may, and holds nobody up.
func TestGuestSlowConsumer(t *testing.T) {
	r := newRecord()
	f := start(t, r.accepting, func(o *Options) { o.MaxPending = 100_000 })
	c := dial(t, "tcp", testhost.Serve(t, testhost.TLS, f.Reactor)).upgrade()
	own := receive(t, "the connection", r.conn)
	drained := make(chan struct{})
	f.on(t, func(*Loop) {
		own.WriteFrame(ws.OpText, make([]byte, 10_000))
		own.NotifyDrained(func() { close(drained) })
		if own.Pending() < 10_000 {
			t.Errorf("%d bytes are pending", own.Pending())
		}
		own.flush()
		if own.Blocked() {
			t.Error("it is blocked by little output")
		}
	})
	receive(t, "the output to have left", drained)
	blocked := false
	for closed := false; !closed; {
		f.on(t, func(*Loop) {
			if closed = own.Closed(); !closed {
				own.WriteFrame(ws.OpText, make([]byte, 10_000))
				blocked = blocked || own.Blocked()
				if n := own.Pending(); n > 2*100_000+20_000 {
					t.Fatalf("%d bytes are pending", n)
				}
			}
		})
	}
	if !blocked {
		t.Error("it was never blocked")
	}
	r.wantClosed(t, ErrSlowConsumer)
	f.wantConnections(t, 0)
	c.Close()
}

// A panic ends the connection that it is about, and no other.
func TestGuestPanics(t *testing.T) {
	f := start(t, func(c *Conn, r *Request) {
		if r.Upgrade != nil && string(r.Path) == "/ws" {
			accept(c, r, new(panicStream))
			return
		}
		echo(c, r)
	})
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		t.Run(string(mode), func(t *testing.T) {
			addr := testhost.Serve(t, mode, f.Reactor)
			witness := dial(t, "tcp", addr)
			witness.send(strings.Replace(upgradeRequest, "/ws", "/witness", 1))
			witness.wantUpgraded()
			c := dial(t, "tcp", addr).upgrade()
			c.send(text("go on"))
			c.wantEnd()
			witness.wantEcho("still here")
			witness.Close()
			f.wantConnections(t, 0)
		})
	}
}

type panicStream struct{ echoStream }

func (*panicStream) OnMessage(*Conn, bool, []byte) { panic("on purpose") }
