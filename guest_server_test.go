package sio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/testhost"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// guest makes a server that is only served by others.
func guest(tb testing.TB, change ...func(*sio.Options)) *sio.Server {
	tb.Helper()
	o := &sio.Options{Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(o)
	}
	io, err := sio.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
	})
	return io
}

// exchange sends a request and returns the status and body of its answer.
func exchange(tb testing.TB, client *http.Client, method, url, body string) (int, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res.StatusCode, string(got)
}

// httpClient trusts the server, and speaks HTTP/2 with it if that has TLS.
func httpClient(tb testing.TB, s *testhost.Server) (client *http.Client, url string) {
	tb.Helper()
	client, url = &http.Client{Transport: &http.Transport{}}, "http://"+s.Addr
	if s.Roots != nil {
		client.Transport = &http.Transport{TLSClientConfig: s.ClientConfig(), ForceAttemptHTTP2: true}
		url = "https://" + s.Addr
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client, url
}

const pollingPath = "/socket.io/?EIO=4&transport=polling"

// What is the server's own, a Handler's, and nobody's.
func TestGuestPaths(t *testing.T) {
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "handler %s", r.URL.Path) })
	for _, tt := range []struct {
		name, path string
		handler    http.Handler // of the options
		strip      string
		status     int
		want       string // prefix
	}{
		{name: "polling", path: pollingPath, status: 200, want: `0{"sid":`},
		{name: "client file", path: "/socket.io/socket.io.js", status: 200, want: "// client"},
		{name: "another path", path: "/other", status: 404, want: "not found\n"},
		{name: "handler", path: "/other", handler: own, status: 200, want: "handler /other"},
		{name: "what is left of a prefix", path: "/api" + pollingPath, strip: "/api", status: 200, want: `0{"sid":`},
		{name: "nothing left", path: pollingPath, strip: "/socket.io", status: 404, want: "not found\n"},
		{name: "escaped", path: "/socket%2Eio/?EIO=4&transport=polling", status: 404, want: "not found\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h http.Handler = guest(t, func(o *sio.Options) {
				o.Handler = tt.handler
				o.ClientFiles = fstest.MapFS{"socket.io.js": {Data: []byte("// client")}}
			})
			h = http.StripPrefix(tt.strip, h)
			client, url := httpClient(t, testhost.Start(t, h, false))
			if status, body := exchange(t, client, http.MethodGet, url+tt.path, ""); status != tt.status || !strings.HasPrefix(body, tt.want) {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.want)
			}
		})
	}
}

// All of a polling client's life over one connection of HTTP/2.
func TestGuestOverHTTP2(t *testing.T) {
	io := guest(t)
	if err := io.OnEvent("echo", echo); err != nil {
		t.Fatal(err)
	}
	secure := make(chan bool, 1)
	io.OnConnection(func(s *sio.Socket) { secure <- s.Handshake().Secure })
	client, url := httpClient(t, testhost.Start(t, io, true))
	_, body := exchange(t, client, http.MethodGet, url+pollingPath, "")
	sid, _, ok := strings.Cut(strings.TrimPrefix(body, `0{"sid":"`), `"`)
	if !ok {
		t.Fatalf("handshake %q", body)
	}
	url += pollingPath + "&sid=" + sid
	poll := func(prefix string) {
		t.Helper()
		if status, body := exchange(t, client, http.MethodGet, url, ""); status != 200 || !strings.HasPrefix(body, prefix) {
			t.Fatalf("poll: %d %.200q, want %.200q", status, body, prefix)
		}
	}
	post := func(packet string) {
		t.Helper()
		if status, body := exchange(t, client, http.MethodPost, url, packet); status != 200 || body != "ok" {
			t.Fatalf("POST: %d %q", status, body)
		}
	}
	post("40")
	poll(`40{"sid":`)
	if !<-secure {
		t.Error("the handshake is not secure")
	}
	large := strings.Repeat("large", 100_000)
	post(`421["echo","` + large + `"]`)
	poll(`431["` + large + `"]`)
	waits := make(chan string, 1)
	go func() { // one stream waits while another goes on
		_, body := exchange(t, client, http.MethodGet, url, "")
		waits <- body
	}()
	post(`422["echo",2]`)
	if got := <-waits; got != "432[2]" {
		t.Errorf("the poll that waited got %q", got)
	}
	post("1")
	eventually(t, "the end", func() bool { return io.Clients() == 0 })
}

// A net/http server's Shutdown waits for polls, which the guest ends, and knows
// nothing of WebSockets, which the guest ends, too.
func TestGuestShutdown(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			io := guest(t)
			s := testhost.Start(t, io, secure)
			client, url := httpClient(t, s)
			_, body := exchange(t, client, http.MethodGet, url+pollingPath, "")
			sid, _, _ := strings.Cut(strings.TrimPrefix(body, `0{"sid":"`), `"`)
			waits := make(chan string, 1)
			go func() {
				_, body := exchange(t, client, http.MethodGet, url+pollingPath+"&sid="+sid, "")
				waits <- body
			}()
			eventually(t, "the poll", func() bool { return io.Stats().Connections.Open == 1 })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			ended := make(chan error, 1)
			s.RegisterOnShutdown(func() { ended <- io.Shutdown(ctx) })
			if err := s.Shutdown(ctx); err != nil {
				t.Errorf("the http server's Shutdown: %v", err)
			}
			if err := <-ended; err != nil {
				t.Errorf("the guest's Shutdown: %v", err)
			}
			if got := <-waits; got != "1" {
				t.Errorf("the poll that waited got %q", got)
			}
			again, url := httpClient(t, testhost.Start(t, io, secure))
			if status, body := exchange(t, again, http.MethodGet, url+pollingPath, ""); status != 503 || body != "server closed\n" {
				t.Errorf("behind Shutdown: %d %q", status, body)
			}
			if status, _ := exchange(t, again, http.MethodGet, url+"/other", ""); status != 503 {
				t.Errorf("another path behind Shutdown: %d", status)
			}
		})
	}
}

type userKey struct{}

// Hooks get at what the handlers around know, and outlast them.
func TestGuestContext(t *testing.T) {
	io := guest(t, func(o *sio.Options) {
		o.AllowRequest = func(ctx context.Context, _ *http.Request) error {
			if user := ctx.Value(userKey{}); user != "alice" {
				return fmt.Errorf("user is %v", user)
			}
			return ctx.Err()
		}
	})
	s := testhost.Start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		io.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	}), false)
	dialAt(t, s.Addr, siotest.Query("user", "alice"))
	client, url := httpClient(t, s)
	for user, want := range map[string]int{"alice": 200, "bob": 403} {
		if status, body := exchange(t, client, http.MethodGet, url+pollingPath+"&user="+user, ""); status != want {
			t.Errorf("%s: got %d %q, want %d", user, status, body, want)
		}
	}
}

// Two POSTs at once end a session, also where both are still coming in: E44. The
// server may see either first, which it cuts; the other is refused when it is complete.
func TestOverlappingPosts(t *testing.T) {
	f := serve(t)
	open := dialHTTP(t, f.addr, "GET "+pollingPath+" HTTP/1.1\r\nHost: a\r\n\r\n")
	_, rest, _ := strings.Cut(open.read(), `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	head := "POST " + pollingPath + "&sid=" + sid + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
	posts := [2]*httpConn{dialHTTP(t, f.addr, head+"4"), dialHTTP(t, f.addr, head+"4")}
	eventually(t, "the end of the session", func() bool { return f.Clients() == 0 })
	var got []string
	for _, p := range posts {
		_, _ = io.WriteString(p.conn, "x") // fails on the one that was cut
		status, _, _ := strings.Cut(p.read(), "\r\n")
		got = append(got, status)
	}
	slices.Sort(got)
	if want := []string{"", "HTTP/1.1 400 Bad Request"}; !slices.Equal(got, want) {
		t.Errorf("the POSTs got %q, want %q", got, want)
	}
}

// httpConn is a client's connection, byte by byte.
type httpConn struct {
	tb   testing.TB
	conn net.Conn
}

// dialHTTP opens a connection and sends bytes.
func dialHTTP(tb testing.TB, addr, request string) *httpConn {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		tb.Fatal(err)
	}
	return &httpConn{tb, conn}
}

// read reads one packet of what comes, nothing if the connection was cut.
func (c *httpConn) read() string {
	c.tb.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		c.tb.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := c.conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.tb.Fatal(err)
	}
	return string(buf[:n])
}
