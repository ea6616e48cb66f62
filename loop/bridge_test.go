package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// serveHTTP serves everything with an http.Handler.
func serveHTTP(tb testing.TB, h http.HandlerFunc, change ...func(o *Options)) *fixture {
	tb.Helper()
	return serve(tb, func(c *Conn, r *Request) { c.ServeHTTP(r, h) }, change...)
}

func TestHandlerResponses(t *testing.T) {
	write := func(w io.Writer, parts ...string) {
		for _, p := range parts {
			_, _ = io.WriteString(w, p)
		}
	}
	large := strings.Repeat("0123456789abcdef", 3*bridgePiece/16)
	for _, tt := range []struct {
		name    string
		version string // default 1.1
		method  string // default GET
		h       http.HandlerFunc
		status  int
		body    string
		length  int64 // -1: chunked, or to the end of the connection
		header  string
		closes  bool
	}{
		{name: "nothing", h: func(http.ResponseWriter, *http.Request) {}, status: 200},
		{name: "small", h: func(w http.ResponseWriter, _ *http.Request) { write(w, "a", "", "b") }, status: 200, body: "ab", length: 2},
		{
			name: "status and header", status: 201, body: "x", length: 1, header: "v",
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("X", "v")
				w.WriteHeader(201)
				w.WriteHeader(500)
				w.Header().Set("X", "too late")
				write(w, "x")
			},
		},
		{name: "large", h: func(w http.ResponseWriter, _ *http.Request) { write(w, large) }, status: 200, body: large, length: -1},
		{
			name: "large with its length", status: 200, body: large, length: int64(len(large)),
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(large)))
				write(w, large)
			},
		},
		{
			name: "flushed", status: 200, body: "onetwo", length: -1,
			h: func(w http.ResponseWriter, _ *http.Request) {
				write(w, "one")
				w.(http.Flusher).Flush()
				w.(http.Flusher).Flush()
				write(w, "two")
			},
		},
		{
			name: "large to HTTP/1.0", version: "1.0", status: 200, body: large, length: -1, closes: true,
			h: func(w http.ResponseWriter, _ *http.Request) { write(w, large) },
		},
		{
			name: "HEAD", method: "HEAD", status: 200, length: 3,
			h: func(w http.ResponseWriter, _ *http.Request) { write(w, "abc") },
		},
		{
			name: "large HEAD", method: "HEAD", status: 200, length: -1,
			h: func(w http.ResponseWriter, _ *http.Request) { write(w, large) },
		},
		{name: "204", h: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, status: 204},
		{
			name: "304 with a body", status: 304,
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(304)
				if _, err := io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n"); !errors.Is(err, http.ErrBodyNotAllowed) {
					t.Errorf("a body of a 304: %v", err)
				}
			},
		},
		{
			name: "204 with a body", status: 204,
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(204)
				write(w, large)
				w.(http.Flusher).Flush()
			},
		},
		{
			name: "longer than its length", status: 200, body: "abc", length: 3,
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "3")
				write(w, "ab")
				if n, err := io.WriteString(w, "cHTTP/1.1 200 OK\r\n\r\n"); n != 1 || !errors.Is(err, http.ErrContentLength) {
					t.Errorf("writing more than the length: %d, %v", n, err)
				}
			},
		},
		{
			name: "close", status: 200, closes: true,
			h: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") },
		},
		{
			name: "header injection", status: 200, header: "a  Y: b  c",
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["X"] = []string{"a\r\nY: b\r\nc"}
				w.Header()["Y: y\r\nZ"] = []string{"z"}
				w.Header()["Bad Name"] = []string{"z"}
				w.Header()["Empty\r\n\r\nHTTP/1.1 200 OK"] = []string{"z"}
			},
		},
		{
			name: "framing headers", status: 200, body: "abc", length: 3,
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Transfer-Encoding", "chunked")
				w.Header().Set("Connection", "upgrade")
				w.Header().Set("Date", "never")
				write(w, "abc")
			},
		},
		{
			name: "malformed length", status: 200, body: "abc", length: 3,
			h: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "5\r\nX: y")
				write(w, "abc")
			},
		},
		{
			name: "informational status", status: 200,
			h: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103) },
		},
		{
			name: "Hijack", status: 200,
			h: func(w http.ResponseWriter, _ *http.Request) {
				if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("Hijack: %v", err)
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serveHTTP(t, tt.h)
			c := f.dial(t)
			version, method := tt.version, tt.method
			if version == "" {
				version = "1.1"
			}
			if method == "" {
				method = "GET"
			}
			c.send(method + " / HTTP/" + version + "\r\nHost: a\r\n\r\n")
			res := c.response(method)
			if res.StatusCode != tt.status || res.body != tt.body || res.ContentLength != tt.length {
				t.Errorf("got %d %.80q, length %d; want %d %.80q, length %d",
					res.StatusCode, res.body, res.ContentLength, tt.status, tt.body, tt.length)
			}
			if got := res.Header.Get("X"); got != tt.header {
				t.Errorf("X: %q, want %q", got, tt.header)
			}
			for _, name := range []string{"Y", "Z", "Bad Name"} {
				if _, ok := res.Header[name]; ok {
					t.Errorf("%s: %q", name, res.Header[name])
				}
			}
			if dates := res.Header["Date"]; len(dates) != 1 || dates[0] == "never" {
				t.Errorf("Date: %q", dates)
			}
			if tt.closes {
				c.wantEnd()
				return
			}
			c.send(method + " / HTTP/1.1\r\nHost: a\r\n\r\n")
			if res := c.response(method); res.StatusCode != tt.status || res.body != tt.body {
				t.Errorf("on the same connection again: got %d %.80q", res.StatusCode, res.body)
			}
			f.wantIdle(t, f.conn(t))
		})
	}
}

// TestHandlerWritesTooLittle cuts the connection: the next response would be
// taken for the rest of this one.
func TestHandlerWritesTooLittle(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "abc")
	})
	c := f.dial(t)
	c.send(get("/"), get("/"))
	all, _ := io.ReadAll(c.br)
	if n := strings.Count(string(all), "HTTP/1.1"); n > 1 {
		t.Errorf("got %q", all)
	}
	f.log.want(t, "less than its Content-Length", "length=10", "written=3")
	c.Close()
	f.wantConnections(t, 0)
}

func TestHandlerRequest(t *testing.T) {
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %q %v host=%s len=%d %s %v",
			r.Method, r.RequestURI, r.URL.Path, r.Proto, r.URL.Query()["b"], r.Header["X-Many"], r.Host, r.ContentLength, body, err)
		if r.RemoteAddr == "" || r.Header.Get("Host") != "" {
			t.Errorf("remote %q, header %v", r.RemoteAddr, r.Header)
		}
	})
	c := f.dial(t)
	c.send("POST /a%20b?b=c HTTP/1.1\r\nHost: example.com:80\r\nx-many: 1\r\nX-MANY: 2\r\nContent-Length: 4\r\n\r\nbody")
	c.want(200, `POST /a%20b?b=c /a b HTTP/1.1 ["c"] [1 2] host=example.com:80 len=4 body <nil>`)
	c.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
	c.want(200, `OPTIONS * * HTTP/1.1 [] [] host=a len=0  <nil>`)
	c.send(get("/%zz"))
	c.want(400, "malformed request target\n")
	c.wantEnd()
}

// TestSlowReaderSlowsTheHandler lets a handler write without end.
func TestSlowReaderSlowsTheHandler(t *testing.T) {
	ended := make(chan error, 1)
	var cause error
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/endless" {
			return
		}
		piece := make([]byte, bridgePiece)
		for {
			if _, err := w.Write(piece); err != nil {
				cause = context.Cause(r.Context())
				ended <- err
				return
			}
		}
	}, func(o *Options) { o.MaxPending = 4 * bridgePiece })
	c := f.dial(t)
	c.send(get("/endless"))
	conn := f.conn(t)
	eventually(t, "a full socket", func() (full bool) {
		f.on(t, func(*Loop) {
			full = conn.Blocked()
			if p := conn.Pending(); p > 2*bridgePiece {
				t.Errorf("%d bytes are pending", p)
			}
		})
		return full
	})
	if _, err := io.CopyN(io.Discard, c.br, 16<<20); err != nil {
		t.Errorf("reading on: %v", err)
	}
	other := f.dial(t)
	other.send(get("/other"))
	other.want(200, "")
	c.reset()
	if err := receive(t, "the handler's end", ended); err == nil || cause == nil || errors.Is(cause, context.Canceled) {
		t.Errorf("Write failed with %v, cause %v", err, cause)
	}
}

func TestHandlerContext(t *testing.T) {
	entered, causes := make(chan struct{}, 4), make(chan error, 4)
	wait := func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
		causes <- context.Cause(r.Context())
	}
	t.Run("the peer goes", func(t *testing.T) {
		f := serveHTTP(t, wait)
		c := f.dial(t)
		c.send(get("/"))
		receive(t, "the handler", entered)
		c.Close()
		if err := receive(t, "the context's end", causes); !errors.Is(err, io.EOF) {
			t.Errorf("cause %v", err)
		}
	})
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

// TestWriteBehindTheEnd has a handler whose connection is gone.
func TestWriteBehindTheEnd(t *testing.T) {
	failed := make(chan error, 1)
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		_, err := io.WriteString(w, "x")
		failed <- err
	})
	c := f.dial(t)
	c.send(get("/"))
	conn := f.conn(t)
	eventually(t, "the request", func() (serving bool) {
		f.on(t, func(*Loop) { serving = conn.stream != nil })
		return serving
	})
	f.on(t, func(*Loop) {
		if err := unix.Shutdown(conn.fd, unix.SHUT_RDWR); err != nil {
			t.Error(err)
		}
	})
	if err := receive(t, "the handler", failed); err == nil {
		t.Error("Write behind the end has not failed")
	}
	eventually(t, "the handlers' end", func() bool { return bridged.Load() == 0 })
}

func TestTooManyHandlers(t *testing.T) {
	eventually(t, "the end of earlier handlers", func() bool { return bridged.Load() == 0 })
	bridged.Add(maxBridged)
	defer bridged.Add(-maxBridged)
	f := serveHTTP(t, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	c := f.dial(t)
	c.send(get("/"))
	c.want(503, "")
	if n := bridged.Load(); n != maxBridged {
		t.Errorf("%d handlers are counted", n)
	}
}
