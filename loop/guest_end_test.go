package loop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

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
