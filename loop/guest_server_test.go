package loop

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// host serves a reactor as a guest and returns the server with clients of it, one
// for each version of HTTP.
func host(tb testing.TB, h http.Handler, secure bool, change ...func(*http.Server)) (*testhost.Server, map[string]*http.Client) {
	tb.Helper()
	s := testhost.Start(tb, h, secure, change...)
	clients := map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{TLSClientConfig: s.ClientConfig("http/1.1")}}}
	if secure {
		clients["HTTP/2.0"] = &http.Client{Transport: &http.Transport{TLSClientConfig: s.ClientConfig(), ForceAttemptHTTP2: true}}
	}
	tb.Cleanup(func() {
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	})
	return s, clients
}

// eachHTTP runs a test for plain HTTP/1.1, the same over TLS, and HTTP/2.
func eachHTTP(t *testing.T, h func(t *testing.T) http.Handler, test func(t *testing.T, url string, client *http.Client)) {
	t.Helper()
	for _, secure := range []bool{false, true} {
		handler := h(t)
		s, clients := host(t, handler, secure)
		url := "http://" + s.Addr
		if secure {
			url = "https://" + s.Addr
		}
		for version, client := range clients {
			t.Run(fmt.Sprintf("%s, TLS %v", version, secure), func(t *testing.T) {
				client.Timeout = patience
				test(t, url, client)
			})
		}
	}
}

// reply is what these tests look at of a response.
type reply struct {
	status int
	proto  string
	header http.Header
	conn   net.Addr // the client's end of the connection
}

// do sends a request and returns the response and its body.
func do(tb testing.TB, client *http.Client, method, url string, body io.Reader) (reply, string) {
	tb.Helper()
	var conn net.Addr
	ctx := httptrace.WithClientTrace(tb.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn.LocalAddr() },
	})
	req, err := http.NewRequestWithContext(ctx, method, url, body)
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
	return reply{res.StatusCode, res.Proto, res.Header, conn}, string(got)
}

func TestGuestRequests(t *testing.T) {
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, func(c *Conn, r *Request) {
			switch string(r.Path) {
			case "/none":
				_ = c.Respond(Response{Status: 204, Header: []byte("X-A: 1\r\nX-A: 2\r\n")})
			case "/large":
				_ = c.Respond(Response{Status: 200, Body: make([]byte, 300_000)})
			case "/close":
				_ = c.Respond(Response{Status: 400, Body: []byte("bad"), Close: true})
			default:
				echo(c, r)
			}
		})
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		var conn net.Addr
		for _, tt := range []struct {
			method, path string
			body         io.Reader
			status       int
			want         string
		}{
			{"GET", "/a%20b?c=d&e", nil, 200, "GET /a%20b?c=d&e "},
			{"GET", "", nil, 200, "GET / "},
			{"HEAD", "/", nil, 200, ""},
			{"POST", "/", strings.NewReader("with a length"), 200, "POST / with a length"},
			{"POST", "/", io.MultiReader(strings.NewReader("without "), strings.NewReader("one")), 200, "POST / without one"},
			{"POST", "/", http.NoBody, 200, "POST / "},
			{"PUT", "/", strings.NewReader(strings.Repeat("x", 500_000)), 200, "PUT / " + strings.Repeat("x", 500_000)},
			{"GET", "/none", nil, 204, ""},
			{"GET", "/large", nil, 200, strings.Repeat("\x00", 300_000)},
			{"GET", "/close", nil, 400, "bad"},
			{"GET", "/again", nil, 200, "GET /again "},
		} {
			res, body := do(t, client, tt.method, url+tt.path, tt.body)
			if res.status != tt.status || body != tt.want {
				t.Errorf("%s %s: got %d %.100q, want %d %.100q", tt.method, tt.path, res.status, body, tt.status, tt.want)
			}
			if want := "text/plain"; body != "" && strings.HasPrefix(tt.want, tt.method) && res.header.Get("Content-Type") != want {
				t.Errorf("%s %s: header %v", tt.method, tt.path, res.header)
			}
			if tt.path == "/none" && fmt.Sprint(res.header["X-A"]) != "[1 2]" {
				t.Errorf("header %v", res.header)
			}
			if tt.path == "/again" && res.proto == "HTTP/2.0" && res.conn.String() != conn.String() {
				t.Error("one stream's end has ended them all")
			}
			conn = res.conn
			if tt.path == "/large" && res.header.Get("Content-Type") != "" {
				t.Errorf("a content type was guessed: %v", res.header)
			}
		}
	})
}

// What the reactor refuses is refused here, too.
func TestGuestRefusals(t *testing.T) {
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, echo, func(o *Options) { o.MaxBody, o.MaxHeaderBytes, o.MaxRequestLine = 100, 1000, 500 })
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		for _, tt := range []struct {
			name, path, header string
			body               io.Reader
			status             int
			want               string
		}{
			{name: "body with a length", body: strings.NewReader(strings.Repeat("x", 101)), status: 413, want: "body too large\n"},
			{name: "body without", body: io.MultiReader(strings.NewReader(strings.Repeat("x", 101))), status: 413, want: "body too large\n"},
			{name: "body at the limit", path: "/", body: strings.NewReader(strings.Repeat("x", 100)), status: 200, want: "POST / " + strings.Repeat("x", 100)},
			{name: "headers", header: strings.Repeat("x", 1000), status: 431, want: "headers too large\n"},
			{name: "target", path: "/" + strings.Repeat("x", 500), status: 414, want: "request line too long\n"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+tt.path, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Large", tt.header)
			res, err := client.Do(req)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != tt.status || string(body) != tt.want {
				t.Errorf("%s: got %d %q, %v", tt.name, res.StatusCode, body, err)
			}
		}
	})
}

// A client that goes away ends its request, however it does.
func TestGuestClientGone(t *testing.T) {
	r := newRecord()
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, func(c *Conn, _ *Request) {
			c.Attach(r)
			r.conn <- c
		})
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			res, err := client.Do(req)
			if err == nil {
				res.Body.Close()
			}
			ended <- err
		}()
		c := receive(t, "the request", r.conn)
		cancel()
		r.wantClosed(t, io.EOF)
		if err := receive(t, "the client", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("the client got %v", err)
		}
		eventually(t, "nothing to be counted", func() bool { return c.loop.reactor.Connections() == 0 })
	})
}

// What is cut off ends without a response, and over HTTP/2 alone.
func TestGuestAbort(t *testing.T) {
	held := make(chan *Conn, 1)
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, func(c *Conn, r *Request) {
			switch string(r.Path) {
			case "/abort":
				c.Abort(ErrTimeout)
			case "/panic":
				panic("on purpose")
			case "/raw":
				c.write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
			case "/hold":
				held <- c
			default:
				echo(c, r)
			}
		})
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		client.Timeout = 0
		waiting := make(chan string, 1)
		go func() {
			_, body := do(t, client, http.MethodGet, url+"/hold", nil)
			waiting <- body
		}()
		c := receive(t, "a request that waits", held)
		for _, path := range []string{"/abort", "/panic", "/raw"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := client.Do(req); err == nil {
				res.Body.Close()
				t.Errorf("%s: got %d", path, res.StatusCode)
			}
		}
		c.loop.Post(TaskFunc(func(*Loop) { _ = c.Respond(Response{Status: 200, Body: []byte("held")}) }))
		if got := receive(t, "the request that waited", waiting); got != "held" {
			t.Errorf("it got %q", got)
		}
	})
}

// A server's timeouts are too short for requests that wait.
func TestGuestOutlastsWriteTimeout(t *testing.T) {
	f := start(t, func(c *Conn, _ *Request) {
		c.loop.Schedule(&c.timer, 200*time.Millisecond, timerFunc(func(*Loop, *Timer) {
			_ = c.Respond(Response{Status: 200, Body: []byte("late")})
		}))
	})
	s, clients := host(t, f.Reactor, true, func(s *http.Server) {
		s.WriteTimeout, s.ReadTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	for version, client := range clients {
		for range 2 {
			if res, body := do(t, client, http.MethodGet, "https://"+s.Addr, nil); body != "late" || res.proto != version {
				t.Errorf("%s: got %s %q", version, res.proto, body)
			}
		}
	}
}

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

func TestGuestLimits(t *testing.T) {
	held := make(chan *Conn, 4)
	hold := func(c *Conn, r *Request) {
		if r.Upgrade != nil {
			accept(c, r, new(echoStream))
		}
		held <- c
	}
	for _, tt := range []struct {
		name   string
		change func(*Options)
	}{
		{"all", func(o *Options) { o.MaxConnections = 2 }},
		{"of one address", func(o *Options) { o.MaxConnectionsPerAddress = 2 }},
	} {
		for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
			t.Run(tt.name+", "+string(mode), func(t *testing.T) {
				f := start(t, hold, tt.change)
				addr := testhost.Serve(t, mode, f.Reactor)
				first := dial(t, "tcp", addr).upgrade()
				receive(t, "a websocket", held)
				second := dial(t, "tcp", addr)
				second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				c := receive(t, "a request", held)
				for _, request := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", upgradeRequest} {
					third := dial(t, "tcp", addr)
					third.send(request)
					third.want(503, "too many connections\n")
				}
				first.Close()
				f.wantConnections(t, 1)
				c.loop.Post(TaskFunc(func(*Loop) { _ = c.Respond(Response{Status: 200}) }))
				second.want(200, "")
				f.wantConnections(t, 0)
				for range 3 { // nothing is counted for good
					c := dial(t, "tcp", addr).upgrade()
					receive(t, "a websocket", held)
					c.Close()
					f.wantConnections(t, 0)
				}
			})
		}
	}
}

// Stop ends whatever is going on, and waits for it.
func TestGuestStop(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			r := newRecord()
			f := start(t, func(c *Conn, req *Request) {
				if req.Upgrade != nil {
					accept(c, req, r)
				} else {
					c.Attach(r)
				}
				r.conn <- c
			})
			inside := make(chan struct{}, 4)
			s, clients := host(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				f.ServeHTTP(w, req)
				inside <- struct{}{}
			}), secure)
			conn := must(s.Dial(t.Context()))
			t.Cleanup(func() { conn.Close() })
			c := &client{Conn: conn, tb: t, br: bufio.NewReader(conn)}
			c.upgrade()
			receive(t, "the websocket", r.conn)
			receive(t, "the end of its call", inside)
			url := "http" + map[bool]string{true: "s"}[secure] + "://" + s.Addr
			answers := make(chan int, 4)
			for _, client := range clients {
				go func() {
					res, _ := do(t, client, http.MethodGet, url, nil)
					answers <- res.status
				}()
				receive(t, "a request", r.conn)
			}
			if err := f.Stop(); err != nil {
				t.Error(err)
			}
			f.guests.mu.Lock()
			if got := f.Connections(); got != 0 || f.guests.n != 0 {
				t.Errorf("%d connections are left, and %d calls and goroutines", got, f.guests.n)
			}
			f.guests.mu.Unlock()
			c.wantEnd()
			for _, client := range clients {
				if got := receive(t, "an answer", answers); got != 503 {
					t.Errorf("a request that waited got %d", got)
				}
				if res, body := do(t, client, http.MethodGet, url, nil); res.status != 503 || body != "server closed\n" {
					t.Errorf("behind Stop: %d %q", res.status, body)
				}
				r.wantClosed(t, ErrServerClosed)
			}
			r.wantClosed(t, ErrServerClosed)
		})
	}
}

// What is on a loop that ends by itself ends with it, and what comes later.
func TestGuestOfALoopThatEnds(t *testing.T) {
	for _, mode := range []testhost.Mode{testhost.Plain, testhost.TLS} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRecord()
			f := start(t, func(c *Conn, req *Request) {
				if req.Upgrade != nil {
					accept(c, req, r)
				}
				r.conn <- c
			})
			addr := testhost.Serve(t, mode, f.Reactor)
			c := dial(t, "tcp", addr).upgrade()
			conn := receive(t, "the websocket", r.conn)
			waiting := dial(t, "tcp", addr)
			waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			receive(t, "a request", r.conn)
			f.end(t, conn.loop)
			r.wantClosed(t, ErrReactorStopped)
			c.wantEnd()
			waiting.want(503, "server closed\n")
			late := dial(t, "tcp", addr)
			late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			late.want(503, "server closed\n")
		})
	}
}

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

func TestGuestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		remote string
		local  net.Addr
		want   string
		valid  bool
	}{
		{"192.0.2.1:80", nil, "192.0.2.1:80", true},
		{"[::ffff:192.0.2.1]:80", nil, "192.0.2.1:80", true},
		{"[2001:db8::1]:80", nil, "[2001:db8::1]:80", true},
		{"192.0.2.1", nil, "192.0.2.1:0", true}, // as some handlers set it
		{"2001:db8::1", nil, "[2001:db8::1]:0", true},
		{"@", &net.UnixAddr{Name: "/s", Net: "unix"}, "@", false},
		{"", &net.UnixAddr{Name: "/s", Net: "unix"}, "", false},
		{"pipe", nil, "0.0.0.0:0", true}, // nobody's, lest it counts as a unix socket's
		{"", &net.TCPAddr{}, "0.0.0.0:0", true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		if tt.local != nil {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tt.local))
		}
		addr, ip := clientOf(r)
		if addr.String() != tt.want || ip.IsValid() != tt.valid || addrPort(addr).Addr() != ip && ip != (netip.Addr{}) {
			t.Errorf("%q: got %v, %v", tt.remote, addr, ip)
		}
	}
}

type contextKey struct{}

// Hooks see the request as the handlers around left it.
func TestGuestOriginalRequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	for _, secure := range []bool{false, true} {
		f := start(t, func(c *Conn, r *Request) {
			got <- must(c.HTTPRequest(r))
			echo(c, r)
		})
		s, clients := host(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, "value")))
		}), secure)
		check := func(r *http.Request, body string) {
			t.Helper()
			if r.Context().Value(contextKey{}) != "value" || (r.TLS != nil) != secure {
				t.Errorf("got %v, TLS %v", r.Context(), r.TLS)
			}
			if read, err := io.ReadAll(r.Body); string(read) != body || err != nil {
				t.Errorf("body %q, %v", read, err)
			}
			if err := r.Context().Err(); err != nil { // ServeHTTP has returned
				t.Error(err)
			}
		}
		for _, client := range clients {
			do(t, client, http.MethodPost, "http"+map[bool]string{true: "s"}[secure]+"://"+s.Addr, strings.NewReader("body"))
			check(<-got, "body")
		}
		conn := must(s.Dial(t.Context()))
		c := &client{Conn: conn, tb: t, br: bufio.NewReader(conn)}
		c.upgrade()
		check(<-got, "")
		conn.Close()
	}
}

func TestGuestConnect(t *testing.T) {
	f := start(t, echo)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodConnect, "/", nil)
	r.Header[":protocol"] = []string{"websocket"} // WebSocket over HTTP/2
	f.ServeHTTP(w, r)
	if w.Code != http.StatusNotImplemented {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
