package sio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// answering makes an http.Handler the server's, for other paths than its own.
func answering(h http.HandlerFunc) func(*sio.Options) {
	return func(o *sio.Options) { o.Handler = h }
}

// keptAlive is a client that sends all on one connection.
type keptAlive struct {
	net.Conn

	t  *testing.T
	br *bufio.Reader
}

func dialKeptAlive(t *testing.T, addr string) *keptAlive {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &keptAlive{c, t, bufio.NewReader(c)}
}

// reset ends the connection in both directions at once. Close would look like the end
// of the client's half alone, whose other half still waits for a response.
func (c *keptAlive) reset() {
	c.t.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		c.t.Fatal(err)
	}
	c.Close()
}

// ask sends a request and returns what came for it.
func (c *keptAlive) ask(method, target, body string) string {
	c.t.Helper()
	c.send(method, target, body)
	return c.next()
}

func (c *keptAlive) send(method, target, body string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body); err != nil {
		c.t.Fatal(err)
	}
}

func (c *keptAlive) next() string {
	c.t.Helper()
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", string(all))
}

// TestHandlerSharesConnections has a polling session, client files and the program's
// handler on one connection, and a body that no message may have.
func TestHandlerSharesConnections(t *testing.T) {
	f := serve(t, withBundle, func(o *sio.Options) { o.MaxPayload = 1000 }, answering(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Method, " ", n, " ", err)
	}))
	f.on(t, "echo", echo)
	c := dialKeptAlive(t, f.addr)
	open := c.ask("GET", "/socket.io/?EIO=4&transport=polling", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("open: %q", open)
	}
	session := "/socket.io/?EIO=4&transport=polling&sid=" + sid
	for _, step := range []struct{ method, target, body, want string }{
		{"PUT", "/upload", strings.Repeat("x", 100_000), "200 PUT 100000 <nil>"},
		{"POST", session, "40", "200 ok"},
		{"GET", session, "", ""},
		{"GET", "/socket.io/socket.io.min.js", "", "200 min"},
		{"POST", session, `421["echo","a"]`, "200 ok"},
		{"GET", "/other", "", "200 GET 0 <nil>"},
		{"GET", session, "", `200 431["a"]`},
		{"POST", session, strings.Repeat("4", 1001), "413 body too large\n"},
	} {
		if got := c.ask(step.method, step.target, step.body); step.want != "" && got != step.want {
			t.Errorf("%s %s: %q, want %q", step.method, step.target, got, step.want)
		}
	}
	f.wantNoErrors(t)
}

// TestUploadOverlap has a POST come in while another one is: the session ends as it
// does under Engine.IO alone.
func TestUploadOverlap(t *testing.T) {
	f := serve(t)
	a, b := dialKeptAlive(t, f.addr), dialKeptAlive(t, f.addr)
	open := a.ask("GET", "/socket.io/?EIO=4&transport=polling", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	session := "/socket.io/?EIO=4&transport=polling&sid=" + sid
	if _, err := fmt.Fprintf(a, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n4", session); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the session", func() bool {
		b.send("POST", session, "40")
		return strings.HasPrefix(b.next(), "400 ") && f.Clients() == 0
	})
}

// TestShutdownWaitsForHTTPHandlers even where the client has gone, but for no longer than it
// may, and closes what they have hijacked.
func TestShutdownWaitsForHTTPHandlers(t *testing.T) {
	entered, release := make(chan struct{}, 4), make(chan struct{})
	slow := answering(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		if r.URL.Path == "/hijack" {
			if _, _, err := http.NewResponseController(w).Hijack(); err != nil {
				t.Error(err)
			}
			return
		}
		<-release
		fmt.Fprint(w, "done")
	})
	f := serve(t, slow)
	stays, goes, hijacked := dialKeptAlive(t, f.addr), dialKeptAlive(t, f.addr), dialKeptAlive(t, f.addr)
	stays.send("GET", "/", "")
	goes.send("GET", "/", "")
	hijacked.send("GET", "/hijack", "")
	for range 3 {
		<-entered
	}
	goes.reset()
	eventually(t, "the client to go", func() bool { return f.Stats().Connections.Open == 2 })
	done := make(chan error, 1)
	go func() { done <- f.Shutdown(t.Context()) }()
	if all, err := io.ReadAll(hijacked); err != nil || len(all) > 0 {
		t.Errorf("the hijacked connection: %q, %v", all, err)
	}
	hijacked.Close()
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	close(release)
	if got := stays.next(); got != "200 done" {
		t.Errorf("got %q", got)
	}
	stays.Close()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}

	release = make(chan struct{})
	f = serve(t, slow)
	gone := dialKeptAlive(t, f.addr)
	gone.send("GET", "/", "")
	<-entered
	gone.reset()
	eventually(t, "the client to go", func() bool { return f.Stats().Connections.Open == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	close(release)
}

// TestCloseCutsHTTPHandlers ends their requests' contexts.
func TestCloseCutsHTTPHandlers(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	f := serve(t, answering(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(ended)
	}))
	dialKeptAlive(t, f.addr).send("GET", "/", "")
	<-entered
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}

// TestMaxHeaderBytes is for all requests.
func TestMaxHeaderBytes(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.MaxHeaderBytes = 50_000 }, answering(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, len(r.Header.Get("X")))
	}))
	url := "http://" + f.addr + "/"
	if got := request(t, "GET", url, "X", strings.Repeat("x", 40_000)); got.body != "40000" {
		t.Errorf("got %d %q", got.status, got.body)
	}
	if got := request(t, "GET", url, "X", strings.Repeat("x", 60_000)); got.status != 431 {
		t.Errorf("got %d", got.status)
	}
}
