package loop

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// hijack takes the connection.
func hijack(t *testing.T, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	t.Helper()
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Errorf("Hijack: %v", err)
	}
	return c, rw
}

// TestHijack makes a connection the handler's, in both directions and with what
// came behind the request.
func TestHijack(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hijack" {
			echoBody(w, r)
			return
		}
		c, rw := hijack(t, w)
		defer c.Close()
		if c.RemoteAddr().String() != r.RemoteAddr {
			t.Errorf("remote address %v, want %s", c.RemoteAddr(), r.RemoteAddr)
		}
		write(rw, "welcome\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil || line == "bye\n" {
				return
			}
			write(c, strings.ToUpper(line))
		}
	})
	wantLine := func(c *client, want string) {
		t.Helper()
		if line, err := c.br.ReadString('\n'); err != nil || line != want {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
	}
	t.Run("with input behind the request", func(t *testing.T) {
		c := f.dial(t)
		c.send(get("/loop/"), get("/hijack"), "one\nGET / HTTP/1.1\n")
		c.want(200, "GET /loop/ ")
		wantLine(c, "welcome\n")
		wantLine(c, "ONE\n")
		wantLine(c, "GET / HTTP/1.1\n")
		if n := f.Handlers(); n != 1 {
			t.Errorf("%d handlers", n)
		}
		long := strings.Repeat("x", 3*frontWindow) + "\n"
		go c.send(long)
		wantLine(c, strings.ToUpper(long))
		c.send("bye\nrest")
		c.wantEnd()
		f.wantHandlers(t, 0)
		c.Close()
		f.wantConnections(t, 0)
	})
	t.Run("the peer goes", func(t *testing.T) {
		c := f.dial(t)
		c.send(get("/hijack"))
		wantLine(c, "welcome\n")
		c.Close()
		f.wantConnections(t, 0)
		f.wantHandlers(t, 0)
	})
	t.Run("the reactor drains", func(t *testing.T) {
		f := serveHTTP(t, f.front.router.(fronted).h.ServeHTTP)
		c := f.dial(t)
		c.send(get("/hijack"))
		wantLine(c, "welcome\n")
		f.Drain()
		c.wantEnd()
		f.wantHandlers(t, 0)
	})
	t.Run("the reactor stops", func(t *testing.T) {
		f := serveHTTP(t, f.front.router.(fronted).h.ServeHTTP)
		c := f.dial(t)
		c.send(get("/hijack"))
		wantLine(c, "welcome\n")
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		c.wantEnd()
		f.wantHandlers(t, 0)
	})
}

// TestHijackWhileDraining takes a connection that is to end with its response.
func TestHijackWhileDraining(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		c, _ := hijack(t, w)
		defer c.Close()
		_, err := c.Read(make([]byte, 1))
		failed <- err
	})
	c := f.dial(t)
	c.send(get("/"))
	receive(t, "the handler", entered)
	f.Drain()
	f.on(t, func(*Loop) {})
	close(release)
	if err := receive(t, "an error", failed); !errors.Is(err, ErrServerClosed) {
		t.Errorf("got %v", err)
	}
	c.wantEnd()
	f.wantHandlers(t, 0)
}

// TestDrainWhilePaused ends a hijacked connection that nobody reads from.
func TestDrainWhilePaused(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { hijack(t, w) }, func(o *Options) { o.CloseTimeout = time.Minute })
	c := f.dial(t)
	conn := f.conn(t)
	c.send(get("/"), strings.Repeat("x", 2*frontWindow))
	eventually(t, "reading to pause", func() (paused bool) {
		f.on(t, func(*Loop) { paused = conn.paused && conn.http.phase == phaseTunnel })
		return paused
	})
	f.Drain()
	if _, err := io.CopyN(c, zeros{}, 16<<20); err != nil { // a peer may finish before it looks
		t.Errorf("sending on: %v", err)
	}
	c.wantEnd()
	c.Close()
	f.wantConnections(t, 0)
	f.wantHandlers(t, 0)
}

// TestHijackedConn is a net.Conn like any other.
func TestHijackedConn(t *testing.T) {
	conns := make(chan net.Conn, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _ := hijack(t, w)
		conns <- c
	})
	c := f.dial(t)
	c.send(get("/"))
	conn := receive(t, "the connection", conns)
	past := time.Now().Add(-time.Second)
	if err := conn.SetDeadline(past); err != nil {
		t.Error(err)
	}
	_, err := conn.Read(make([]byte, 1))
	_, werr := conn.Write([]byte("x"))
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(werr, os.ErrDeadlineExceeded) {
		t.Errorf("behind the deadline: %v, %v", err, werr)
	}
	read := make(chan error, 1)
	if err := conn.SetDeadline(time.Time{}); err != nil {
		t.Error(err)
	}
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Error(err)
	}
	if err := receive(t, "a deadline that was set meanwhile", read); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Error(err)
	}
	c.send("ab")
	b := make([]byte, 2)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "ab" {
		t.Errorf("got %q, %v", b, err)
	}
	for _, want := range []string{"cd", "ef", "gh"} { // with no output between them
		c.send(want)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != want {
			t.Errorf("got %q, %v, want %q", b, err, want)
		}
	}
	if n, err := conn.Write([]byte("xyz")); n != 3 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	go func() {
		_, err := conn.Read(b)
		read <- err
	}()
	f.settle(t)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := receive(t, "a Read that waits", read); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read while closing: %v", err)
	}
	_, err = conn.Read(b)
	_, werr = conn.Write(b)
	cerr, derr := conn.Close(), conn.SetDeadline(past)
	for _, err := range []error{err, werr, cerr, derr} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("behind Close: %v", err)
		}
	}
	if got, err := io.ReadAll(c.br); string(got) != "xyz" || err != nil {
		t.Errorf("the peer got %q, %v", got, err)
	}
	f.wantHandlers(t, 0)
	c.Close()
	f.wantConnections(t, 0)
}

// TestWebSocketLibraryInHandler has another implementation serve WebSockets, straight
// and behind a reverse proxy that is a handler of ours.
func TestWebSocketLibraryInHandler(t *testing.T) {
	upgrade := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for {
			message, op, err := wsutil.ReadClientData(c)
			if err != nil {
				return
			}
			if err := wsutil.WriteServerMessage(c, op, message); err != nil {
				t.Error(err)
			}
		}
	})
	direct := serveHTTP(t, upgrade)
	behind := httptest.NewServer(upgrade)
	t.Cleanup(behind.Close)
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxied := serveHTTP(t, (&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}).ServeHTTP)
	for name, f := range map[string]*fixture{"direct": direct, "proxied": proxied} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c, _, _, err := ws.Dial(ctx, "ws://"+f.addr+"/")
			if err != nil {
				t.Fatal(err)
			}
			for _, message := range []string{"hello", strings.Repeat("x", 5*frontWindow)} {
				sent := make(chan error, 1)
				go func() { sent <- wsutil.WriteClientText(c, []byte(message)) }()
				got, err := wsutil.ReadServerText(c)
				if err != nil || string(got) != message {
					t.Errorf("got %.20q, %v", got, err)
				}
				if err := receive(t, "sending", sent); err != nil {
					t.Error(err)
				}
			}
			c.Close()
			f.wantHandlers(t, 0)
			f.wantConnections(t, 0)
		})
	}
}
