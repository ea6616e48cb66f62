package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fronted leaves all requests to an http.Handler but those below /loop/ and of
// bystanders, which it echoes.
type fronted struct {
	handlerFunc

	h http.Handler
}

func (f fronted) RouteRequest(_ *Conn, r *Request) http.Handler {
	path := string(r.Path)
	if strings.HasPrefix(path, "/loop/") || path == "/ws" || path == "/still-here" {
		return nil
	}
	return f.h
}

// serveHTTP serves an http.Handler.
func serveHTTP(tb testing.TB, h http.HandlerFunc, change ...func(o *Options)) *fixture {
	tb.Helper()
	return serveWith(tb, fronted{echo, h}, change...)
}

// wantHandlers waits until so many requests are with handlers.
func (f *fixture) wantHandlers(tb testing.TB, n int) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("%d handlers", n), func() bool { return f.Handlers() == n })
}

// write writes what a handler has to say; if nobody listens, nobody waits.
func write(w io.Writer, parts ...string) {
	for _, p := range parts {
		_, _ = io.WriteString(w, p)
	}
}

// post is a request with a body.
func post(target, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
}

// cut leaves the last byte of a request out.
func cut(request string) string { return request[:len(request)-1] }

// echoBody answers with what the request was.
func echoBody(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %q %v", r.Method, r.RequestURI, body, err)
}

// TestConnectionsAreShared has requests for the loop and for handlers take turns on
// one connection, in every way that input can be cut.
func TestConnectionsAreShared(t *testing.T) {
	f := serveHTTP(t, echoBody)
	all := []struct{ send, want string }{
		{get("/loop/1"), "GET /loop/1 "},
		{get("/2"), `GET /2 "" <nil>`},
		{post("/loop/3", "three"), "POST /loop/3 three"},
		{post("/4", "four"), `POST /4 "four" <nil>`},
		{"\r\n" + chunkedPost("/5", "5\r\nabcde\r\n", "0\r\n\r\n"), `POST /5 "abcde" <nil>`},
		{chunkedPost("/6", "1;x=y\r\na\r\n", "0\r\nX: y\r\n\r\n"), `POST /6 "a" <nil>`},
		{get("/7"), `GET /7 "" <nil>`},
		{chunkedPost("/loop/8", "1\r\na\r\n", "0\r\n\r\n"), "POST /loop/8 a"},
		{"POST /9 HTTP/1.1\r\nHost: a\r\n\r\n", `POST /9 "" <nil>`},
		{get("/loop/10"), "GET /loop/10 "},
	}
	t.Run("one by one", func(t *testing.T) {
		c := f.dial(t)
		for _, r := range all {
			c.send(r.send)
			c.want(200, r.want)
		}
		f.wantHandlers(t, 0)
		f.wantIdle(t, f.conn(t))
		c.Close()
		f.wantConnections(t, 0)
	})
	var input strings.Builder
	for _, r := range all {
		input.WriteString(r.send)
	}
	t.Run("pipelined", func(t *testing.T) {
		c := f.dial(t)
		c.send(input.String())
		for _, r := range all {
			c.want(200, r.want)
		}
		c.Close()
		f.wantConnections(t, 0)
	})
	for _, size := range []int{1, 7, 64, 300} {
		t.Run(fmt.Sprintf("in pieces of %d", size), func(t *testing.T) {
			c := f.dial(t)
			f.wantConnections(t, 1)
			conn := f.conn(t)
			var pieces []string
			for rest := input.String(); rest != ""; {
				n := min(size, len(rest))
				pieces, rest = append(pieces, rest[:n]), rest[n:]
			}
			f.feed(t, conn, pieces...)
			for _, r := range all {
				c.want(200, r.want)
			}
			f.wantIdle(t, conn)
			c.Close()
			f.wantConnections(t, 0)
		})
	}
}

// chunkedPost is a request with a chunked body.
func chunkedPost(target string, parts ...string) string {
	return "POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Join(parts, "")
}

// TestHandlersGetNoBadRequests has what is ambiguous refused before a handler
// sees it; see TestBadRequests for how.
func TestHandlersGetNoBadRequests(t *testing.T) {
	f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("got %s %s", r.Method, r.RequestURI) })
	for _, tt := range []struct {
		name, input string
		status      int
	}{
		{"length and coding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
		{"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		{"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
		{"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{"unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417},
		{"malformed target", get("/%zz"), 400},
		{"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"headers too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 17<<10) + "\r\n\r\n", 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := f.dial(t)
			c.send(tt.input, get("/smuggled"))
			if res := c.response("GET"); res.StatusCode != tt.status || !res.Close {
				t.Errorf("got %d, close %t", res.StatusCode, res.Close)
			}
			c.wantEnd()
			c.Close()
			f.wantConnections(t, 0)
		})
	}
	f.wantHandlers(t, 0)
}

// TestMalformedBody fails where net/http would have repaired.
func TestMalformedBody(t *testing.T) {
	f := serveHTTP(t, echoBody)
	for _, tt := range []struct{ name, body, got string }{
		{"size", "1\r\na\r\nxyz\r\n", "a"},
		{"bare LF", "1\r\na\r\n1\nb\r\n0\r\n\r\n", "a"},
		{"space behind the size", "1\r\na\r\n1 \r\nb\r\n0\r\n\r\n", "a"},
		{"no CRLF behind the data", "1\r\nab\r\n0\r\n\r\n", "a"},
		{"trailer", "1\r\na\r\n0\r\nno colon\r\n\r\n", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := f.dial(t)
			c.send(chunkedPost("/", tt.body), get("/smuggled"))
			res := c.response("GET")
			if !strings.HasPrefix(res.body, fmt.Sprintf("POST / %q ", tt.got)) || strings.HasSuffix(res.body, "<nil>") || !res.Close {
				t.Errorf("got %q, close %t", res.body, res.Close)
			}
			c.wantEnd()
			c.Close()
			f.wantConnections(t, 0)
		})
	}
}

func TestHandlerRequest(t *testing.T) {
	type key struct{}
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		fmt.Fprint(w, r.RemoteAddr, " ", local, " ", r.TLS == nil, " ", r.Context().Value(key{}), " ", r.URL)
	}, func(o *Options) {
		o.HTTP.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, key{}, "value for "+c.RemoteAddr().String())
		}
	})
	c := f.dial(t)
	for _, target := range []string{"/a%20b?c=d", "http://host/a"} {
		c.send(get(target))
		c.want(200, fmt.Sprint(c.LocalAddr(), " ", c.RemoteAddr(), " true value for ", c.LocalAddr(), " ", target))
	}
}

// TestHandlerBehindProxyProtocol sees the client's address.
func TestHandlerBehindProxyProtocol(t *testing.T) {
	f := startWith(t, fronted{echo, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { write(w, r.RemoteAddr) })})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.serveOn(t, ProxyProtocol(ln))
	c := dial(t, "tcp", ln.Addr().String())
	c.send("PROXY TCP4 203.0.113.7 192.0.2.1 1234 80\r\n", get("/"))
	c.want(200, "203.0.113.7:1234")
}

func TestHandlerContext(t *testing.T) {
	entered, causes := make(chan struct{}, 4), make(chan error, 4)
	wait := func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
		causes <- context.Cause(r.Context())
	}
	for _, tt := range []struct{ name, request string }{
		{"the peer goes", get("/")},
		{"the peer goes before its body", cut(post("/", "body"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serveHTTP(t, wait)
			c := f.dial(t)
			c.send(tt.request)
			receive(t, "the handler", entered)
			c.Close()
			if err := receive(t, "the context's end", causes); !errors.Is(err, io.EOF) {
				t.Errorf("cause %v", err)
			}
			f.wantHandlers(t, 0)
		})
	}
	t.Run("the reactor stops", func(t *testing.T) {
		f := serveHTTP(t, wait)
		f.dial(t).send(get("/"))
		receive(t, "the handler", entered)
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		if err := receive(t, "the context's end", causes); !errors.Is(err, ErrServerClosed) {
			t.Errorf("cause %v", err)
		}
		f.wantHandlers(t, 0)
	})
	t.Run("the handler returns", func(t *testing.T) {
		contexts := make(chan context.Context, 1)
		f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { contexts <- r.Context() })
		c := f.dial(t)
		c.send(get("/"))
		c.want(200, "")
		receive(t, "the context's end", receive(t, "the context", contexts).Done())
	})
}

// TestContextOfTheLate is the one of a connection that has ended before its handler is
// called.
func TestContextOfTheLate(t *testing.T) {
	f := serveHTTP(t, echoBody)
	f.dial(t)
	late := f.front.newConn(f.conn(t), nil)
	late.OnClose(nil, ErrTimeout)
	if err := context.Cause(late.bind(t.Context())); !errors.Is(err, ErrTimeout) {
		t.Errorf("cause %v", err)
	}
}

// TestWriteBehindTheEnd has a handler whose connection is gone.
func TestWriteBehindTheEnd(t *testing.T) {
	failed := make(chan error, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		write(w, "x")
		failed <- http.NewResponseController(w).Flush()
	})
	c := f.dial(t)
	c.send(get("/"))
	f.wantHandlers(t, 1)
	conn := f.conn(t)
	f.on(t, func(*Loop) {
		if err := unix.Shutdown(conn.fd, unix.SHUT_RDWR); err != nil {
			t.Error(err)
		}
	})
	if err := receive(t, "the handler", failed); !errors.Is(err, unix.EPIPE) {
		t.Errorf("Flush behind the end: %v", err)
	}
	f.wantHandlers(t, 0)
}

func TestTooManyHandlers(t *testing.T) {
	release := make(chan struct{})
	f := serveHTTP(t, func(http.ResponseWriter, *http.Request) { <-release }, func(o *Options) { o.HTTP.MaxHandlers = 2 })
	busy := []*client{f.dial(t), f.dial(t)}
	for _, c := range busy {
		c.send(get("/"))
	}
	f.wantHandlers(t, 2)
	c := f.dial(t)
	c.send(get("/"))
	if res := c.want(503, "too many requests\n"); res.Close || res.Header.Get("Retry-After") == "" {
		t.Errorf("close %t, header %v", res.Close, res.Header)
	}
	c.send(get("/loop/"))
	c.want(200, "GET /loop/ ")
	c.send(post("/", "body")) // which was not looked at, so nothing can follow it
	if res := c.want(503, "too many requests\n"); !res.Close {
		t.Error("the connection goes on behind a body")
	}
	c.wantEnd()
	close(release)
	for _, c := range busy {
		c.want(200, "")
	}
	f.wantHandlers(t, 0)
	busy[0].send(get("/"))
	busy[0].want(200, "")
}

func TestPanicInHTTPHandler(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/before":
			panic("in the handler")
		case "/behind":
			write(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("in the handler")
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	})
	for _, tt := range []struct {
		path, answer string
		logged       int
	}{{"/before", "", 1}, {"/behind", "4\r\nhalf\r\n", 2}, {"/abort", "", 2}} {
		c := f.dial(t)
		c.send(get(tt.path))
		all, err := io.ReadAll(c.br)
		if err != nil || !strings.HasSuffix(string(all), tt.answer) || tt.answer == "" && len(all) > 0 {
			t.Errorf("%s: got %q, %v", tt.path, all, err)
		}
		f.wantHandlers(t, 0)
		if n := f.log.count("ERROR", "panic in http handler", "in the handler", "TestPanicInHTTPHandler"); n != tt.logged {
			t.Errorf("%s: %d log lines, want %d", tt.path, n, tt.logged)
		}
	}
}

// TestHandlersAndDrain lets what is running end, and tells the peers.
func TestHandlersAndDrain(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
		echoBody(w, r)
	})
	whole, part := f.dial(t), f.dial(t)
	whole.send(get("/"), get("/pipelined"))
	part.send(cut(post("/", "body")))
	receive(t, "a handler", entered)
	receive(t, "a handler", entered)
	f.Drain()
	f.on(t, func(l *Loop) {
		if !l.draining {
			t.Error("the loop does not drain")
		}
	})
	close(release)
	if res := whole.want(200, `GET / "" <nil>`); !res.Close {
		t.Error("the response does not say that the connection ends")
	}
	whole.wantEnd()
	part.send("y")
	if res := part.want(200, `POST / "body" <nil>`); !res.Close {
		t.Error("the response does not say that the connection ends")
	}
	part.wantEnd()
	f.wantHandlers(t, 0)
	whole.Close()
	part.Close()
	f.wantConnections(t, 0)
}

// TestHandlerLogs has net/http's own complaints in the reactor's log.
func TestHandlerLogs(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
		w.WriteHeader(205)
	})
	c := f.dial(t)
	c.send(get("/"))
	c.want(204, "")
	f.log.want(t, "WARN", "superfluous response.WriteHeader")
}

// TestDeadlines has handlers that don't wait for their peers.
func TestDeadlines(t *testing.T) {
	failed := make(chan error, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		ctl := http.NewResponseController(w)
		switch r.URL.Path {
		case "/read":
			if err := ctl.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Error(err)
			}
			_, err := io.ReadAll(r.Body)
			failed <- err
		case "/write":
			if err := ctl.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Error(err)
			}
			for piece := make([]byte, 32<<10); ; {
				if _, err := w.Write(piece); err != nil {
					failed <- err
					return
				}
			}
		}
	})
	for _, request := range []string{cut(post("/read", "body")), get("/write")} {
		c := f.dial(t)
		c.send(request)
		var timeout net.Error
		if err := receive(t, "an error", failed); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
		f.wantHandlers(t, 0)
		c.reset()
		f.wantConnections(t, 0)
	}
	t.Run("of all requests", func(t *testing.T) {
		f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			failed <- err
		}, func(o *Options) { o.HTTP.ReadTimeout = time.Millisecond })
		c := f.dial(t)
		c.send(cut(post("/read", "body")))
		var timeout net.Error
		if err := receive(t, "an error", failed); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
	})
}

// TestPeersThatStandStill does not keep handlers forever.
func TestPeersThatStandStill(t *testing.T) {
	failed := make(chan error, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, err := io.ReadAll(r.Body)
			failed <- err
			return
		}
		for piece := make([]byte, 32<<10); ; {
			if _, err := w.Write(piece); err != nil {
				failed <- err
				return
			}
		}
	}, func(o *Options) { o.BodyTimeout = 20 * time.Millisecond })
	t.Run("sending", func(t *testing.T) {
		c := f.dial(t)
		c.send(cut(post("/", "body")))
		var timeout net.Error
		if err := receive(t, "an error", failed); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
		if res := c.response("POST"); !res.Close {
			t.Error("the response does not say that the connection ends")
		}
		c.wantEnd()
	})
	t.Run("reading", func(t *testing.T) {
		f.dial(t).send(get("/"))
		if err := receive(t, "an error", failed); !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v", err)
		}
	})
	f.wantHandlers(t, 0)
}
