package loop

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// latecomer is a handler that answers when it is told to.
type latecomer struct{ served chan *Conn }

func newLatecomer() *latecomer { return &latecomer{make(chan *Conn, 8)} }

func (h *latecomer) ServeRequest(c *Conn, r *Request) {
	c.Attach(&pending{target: string(r.Target)})
	h.served <- c
}

// pending is a request that was not answered yet.
type pending struct {
	echoStream

	target string
	closed chan error
}

func (p *pending) OnClose(_ *Conn, err error) {
	if p.closed != nil {
		p.closed <- err
	}
}

// answer answers the request that a connection is at, with its target.
func answer(tb testing.TB, c *Conn) {
	tb.Helper()
	done := make(chan error, 1)
	c.loop.Post(TaskFunc(func(*Loop) {
		done <- c.Respond(Response{Status: 200, Body: []byte(c.stream.(*pending).target)})
	}))
	if err := receive(tb, "Respond", done); err != nil {
		tb.Errorf("Respond: %v", err)
	}
}

func get(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n" }

func TestRequestsInAnyPieces(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t)
	conn := f.conn(t)
	for _, tt := range []struct{ name, request, body string }{
		{"no body", get("/a?b=c"), "GET /a?b=c "},
		{"empty line in front", "\r\n" + get("/a"), "GET /a "},
		{"body", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world", "POST /a hello world"},
		{"empty body", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST /a "},
		{
			"chunked",
			"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n",
			"POST /a hello world",
		},
		{"empty chunked", "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "PUT /a "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, parts := range splits(tt.request) {
				f.feed(t, conn, parts...)
				c.tb = t
				if c.want(200, tt.body); t.Failed() {
					t.Fatalf("parts %q", parts)
				}
				f.wantIdle(t, conn)
			}
		})
	}
}

// TestPipelinedInAnyPieces has the second request's first bytes in each packet
// with the first one's last.
func TestPipelinedInAnyPieces(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t)
	conn := f.conn(t)
	requests := get("/1") + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get("/3")
	for _, parts := range splits(requests) {
		f.feed(t, conn, parts...)
		c.want(200, "GET /1 ")
		c.want(200, "POST /2 abc")
		if c.want(200, "GET /3 "); t.Failed() {
			t.Fatalf("parts %q", parts)
		}
	}
	f.wantIdle(t, conn)
}

func TestPipelinedAnsweredLate(t *testing.T) {
	h := newLatecomer()
	f := serve(t, h.ServeRequest)
	c := f.dial(t)
	c.send(get("/1"), get("/2"), get("/3"))
	for i := 1; i <= 3; i++ {
		conn := receive(t, "a request", h.served)
		f.on(t, func(*Loop) {
			if got, want := conn.stream.(*pending).target, fmt.Sprintf("/%d", i); got != want {
				t.Errorf("serving %s, want %s", got, want)
			}
		})
		select {
		case <-h.served:
			t.Fatal("the next request was served before the response")
		default:
		}
		answer(t, conn)
		c.want(200, fmt.Sprintf("/%d", i))
	}
	f.wantIdle(t, f.conn(t))
}

// TestRequestOutlivesResponse reads a request behind its response, which
// Handler allows until it returns, also for a body that came in parts.
func TestRequestOutlivesResponse(t *testing.T) {
	seen := make(chan string, 2)
	f := serve(t, func(c *Conn, r *Request) {
		_ = c.Respond(Response{Status: 200})
		for range 64 { // who gets the buffers if they have been given back; it keeps them
			b := inputBytes.Get()
			b.B = b.B[:cap(b.B)]
			copy(b.B, strings.Repeat("#", len(b.B)))
		}
		seen <- string(r.Method) + " " + string(r.Target) + " " + string(r.Body)
	})
	c := f.dial(t)
	conn := f.conn(t)
	f.feed(t, conn, "POST /outlives HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello", " world")
	c.want(200, "")
	if got := receive(t, "the request", seen); got != "POST /outlives hello world" {
		t.Errorf("the request became %q", got)
	}
}

// TestRequestSurvivesAnotherConnections has a handler answer for another
// connection, on which a further request waits.
func TestRequestSurvivesAnotherConnections(t *testing.T) {
	var first *Conn // on the loop
	seen := make(chan string, 1)
	f := serve(t, func(c *Conn, r *Request) {
		switch string(r.Target) {
		case "/wait":
			first = c
		case "/release":
			_ = first.Respond(Response{Status: 200, Body: []byte("released")})
			seen <- string(r.Target)
			fallthrough
		default:
			echo(c, r)
		}
	})
	a, b := f.dial(t), f.dial(t)
	a.send(get("/wait"), get("/next-in-line"))
	f.wantConnections(t, 2)
	eventually(t, "the first request", func() bool {
		var waits bool
		f.on(t, func(*Loop) { waits = first != nil && first.input != nil })
		return waits
	})
	b.send(get("/release"))
	if got := receive(t, "the request", seen); got != "/release" {
		t.Errorf("the request became %q", got)
	}
	b.want(200, "GET /release ")
	a.want(200, "released")
	a.want(200, "GET /next-in-line ")
}

func TestExpectContinue(t *testing.T) {
	f := serve(t, echo)
	const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
	t.Run("told to go on", func(t *testing.T) {
		c := f.dial(t)
		c.send(head)
		if res := c.response("POST"); res.StatusCode != 100 {
			t.Fatalf("got %d", res.StatusCode)
		}
		c.send("hello")
		c.want(200, "POST / hello")
	})
	t.Run("did not wait", func(t *testing.T) {
		c := f.dial(t)
		c.send(head + "hello")
		c.want(200, "POST / hello")
	})
	t.Run("did not wait, but has not sent all", func(t *testing.T) {
		c := f.dial(t)
		f.wantConnections(t, 1)
		f.feed(t, f.conn(t), head+"hel", "lo")
		c.want(200, "POST / hello")
	})
	t.Run("too large", func(t *testing.T) {
		c := f.dial(t)
		c.send(strings.Replace(head, "5", "5000000", 1))
		c.want(413, "body too large\n")
		c.wantEnd()
	})
}

func TestConnectionPersistence(t *testing.T) {
	f := serve(t, echo)
	for _, tt := range []struct {
		name, version, header string
		connection            string // of the response
		closes                bool
	}{
		{"1.1", "1.1", "", "", false},
		{"1.1 close", "1.1", "Connection: close\r\n", "close", true},
		{"1.1 close in a list", "1.1", "Connection: foo, Close\r\n", "close", true},
		{"1.0", "1.0", "", "close", true},
		{"1.0 keep-alive", "1.0", "Connection: keep-alive\r\n", "keep-alive", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := f.dial(t)
			c.send("GET / HTTP/" + tt.version + "\r\nHost: a\r\n" + tt.header + "\r\n")
			res := c.want(200, "GET / ")
			if got := res.Header.Get("Connection"); got != tt.connection && !res.Close {
				t.Errorf("Connection: %q, want %q", got, tt.connection)
			}
			if res.Close != tt.closes {
				t.Errorf("close: %t, want %t", res.Close, tt.closes)
			}
			if tt.closes {
				c.wantEnd()
				return
			}
			c.send(get("/again"))
			c.want(200, "GET /again ")
		})
	}
}

func TestResponses(t *testing.T) {
	f := serve(t, func(c *Conn, r *Request) {
		switch string(r.Path) {
		case "/204":
			_ = c.Respond(Response{Status: 204})
		case "/304":
			_ = c.Respond(Response{Status: 304, Header: []byte("ETag: \"x\"\r\n")})
		case "/close":
			_ = c.Respond(Response{Status: 200, Close: true})
			if err := c.Respond(Response{Status: 200}); !errors.Is(err, ErrState) {
				panic(err)
			}
		default:
			echo(c, r)
		}
	})
	c := f.dial(t)
	c.send("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n")
	if res := c.response("HEAD"); res.StatusCode != 200 || res.ContentLength != 11 || res.Header.Get("Date") == "" {
		t.Errorf("HEAD: %d, length %d, header %v", res.StatusCode, res.ContentLength, res.Header)
	}
	c.send(get("/204"), get("/304"))
	if res := c.want(204, ""); res.Header.Get("Content-Length") != "" {
		t.Errorf("204 with a length: %v", res.Header)
	}
	if res := c.want(304, ""); res.Header.Get("Etag") != `"x"` || res.Header.Get("Content-Length") != "" {
		t.Errorf("304: %v", res.Header)
	}
	c.send(get("/close"), get("/never-served"))
	c.want(200, "")
	c.wantEnd()
}

func TestHalfClosedPeer(t *testing.T) {
	t.Run("between requests", func(t *testing.T) {
		f := serve(t, echo)
		c := f.dial(t)
		c.send(get("/"))
		c.want(200, "GET / ")
		c.closeWrite()
		c.wantEnd()
		f.wantConnections(t, 0)
	})
	t.Run("in a request", func(t *testing.T) {
		f := serve(t, echo)
		c := f.dial(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
		c.closeWrite()
		c.wantEnd()
		f.wantConnections(t, 0)
	})
	t.Run("behind a request", func(t *testing.T) {
		f := serve(t, echo)
		c := f.dial(t)
		c.send(get("/"))
		c.closeWrite()
		c.want(200, "GET / ")
		c.wantEnd()
	})
	t.Run("while the response is still to come", func(t *testing.T) {
		p := &pending{closed: make(chan error, 1)}
		f := serve(t, func(c *Conn, _ *Request) { c.Attach(p) })
		c := f.dial(t)
		c.send(get("/"))
		c.closeWrite()
		if err := receive(t, "OnClose", p.closed); !errors.Is(err, io.EOF) {
			t.Errorf("closed with %v", err)
		}
		c.wantEnd()
	})
}

func TestTimeouts(t *testing.T) {
	short := 30 * time.Millisecond
	shortBody := func(o *Options) { o.BodyTimeout = short; o.HeaderTimeout = time.Hour }
	for _, tt := range []struct {
		name   string
		change func(o *Options)
		input  string
		status int // 0: none
	}{
		{"nothing sent", func(o *Options) { o.HeaderTimeout = short }, "", 0},
		{"part of a head", func(o *Options) { o.HeaderTimeout = short }, "GET / HT", 408},
		{"no blank line", func(o *Options) { o.HeaderTimeout = short }, "GET / HTTP/1.1\r\nHost: a\r\n", 408},
		{"no body", shortBody, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 408},
		{"part of a body", shortBody, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", 408},
		{"part of a chunk", shortBody, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na", 408},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serve(t, echo, tt.change)
			c := f.dial(t)
			c.send(tt.input)
			if tt.status > 0 {
				c.want(tt.status, "the request took too long\n")
				f.log.want(t, "request refused", "408", "took too long")
			}
			c.wantEnd()
		})
	}
	t.Run("between requests", func(t *testing.T) {
		f := serve(t, echo, func(o *Options) { o.IdleTimeout = short })
		c := f.dial(t)
		c.send(get("/1"), get("/2"))
		c.want(200, "GET /1 ")
		c.want(200, "GET /2 ")
		c.wantEnd()
	})
	t.Run("a head that starts late", func(t *testing.T) { // each byte does not get new time
		f := serve(t, echo, func(o *Options) { o.HeaderTimeout = short; o.IdleTimeout = time.Hour })
		c := f.dial(t)
		c.send(get("/"))
		c.want(200, "GET / ")
		c.send("GET /slow HT")
		c.want(408, "the request took too long\n")
		c.wantEnd()
	})
	t.Run("none while the response is still to come", func(t *testing.T) {
		h := newLatecomer()
		f := serve(t, h.ServeRequest, func(o *Options) {
			o.HeaderTimeout, o.BodyTimeout, o.IdleTimeout = short, short, short
		})
		c := f.dial(t)
		c.send(get("/late"))
		conn := receive(t, "the request", h.served)
		f.on(t, func(*Loop) {
			if conn.timer.Active() {
				t.Error("a timer runs")
			}
		})
		answer(t, conn)
		c.want(200, "/late")
	})
}

func TestPipelineOverflow(t *testing.T) {
	p := &pending{closed: make(chan error, 1)}
	f := serve(t, func(c *Conn, _ *Request) { c.Attach(p) })
	c := f.dial(t)
	c.send(get("/"), strings.Repeat(get("/more"), maxPipelined/len(get("/more"))+1))
	if err := receive(t, "OnClose", p.closed); !errors.Is(err, ErrPipelineOverflow) {
		t.Errorf("closed with %v", err)
	}
	f.log.want(t, "pipelined input over the limit")
	c.wantEnd()
}

func TestCallsThatDoNotFit(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t)
	conn := f.conn(t)
	f.on(t, func(*Loop) {
		if err := conn.Respond(Response{Status: 200}); !errors.Is(err, ErrState) {
			t.Errorf("Respond without a request: %v", err)
		}
		if err := conn.AcceptWebSocket(Handshake{}, nil, nil); !errors.Is(err, ErrState) {
			t.Errorf("AcceptWebSocket without a request: %v", err)
		}
		conn.WriteFrame(1, []byte("not a WebSocket"))
		conn.CloseWebSocket(CloseNormal, "")
	})
	c.send(get("/"))
	c.want(200, "GET / ")
	f.on(t, func(l *Loop) {
		if conn.Loop() != l || conn.RemoteAddr().String() != c.LocalAddr().String() {
			t.Errorf("loop %p, remote %v", conn.Loop(), conn.RemoteAddr())
		}
	})
}
