package loop

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// much is more than any buffer takes.
const much = 100 << 20

// heapPeak keeps the largest heap that it was shown. One goroutine may look while
// another checks.
type heapPeak struct {
	first uint64
	most  atomic.Uint64
}

func newHeapPeak() *heapPeak {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &heapPeak{first: m.HeapAlloc}
}

func (p *heapPeak) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.most.Store(max(p.most.Load(), m.HeapAlloc))
}

func (p *heapPeak) check(tb testing.TB) {
	tb.Helper()
	if grown := int64(p.most.Load()) - int64(p.first); grown > much/5 { // with garbage that was not collected yet
		tb.Errorf("the heap has grown by %d bytes", grown)
	}
}

// sampled shows a heapPeak the heap now and then.
type sampled struct {
	hash.Hash

	peak *heapPeak
	n    int64
}

func (s *sampled) Write(p []byte) (int, error) {
	if s.n>>20 != (s.n+int64(len(p)))>>20 && s.n>>20%8 == 0 {
		s.peak.look()
	}
	s.n += int64(len(p))
	return s.Hash.Write(p)
}

// TestUploadIsStreamed takes more than MaxBody, in little memory.
func TestUploadIsStreamed(t *testing.T) {
	random := make([]byte, 1<<16)
	rand.New(rand.NewSource(1)).Read(random)
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked %t", chunked), func(t *testing.T) {
			peak := newHeapPeak()
			f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				sum := &sampled{Hash: sha256.New(), peak: peak}
				n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r.Body}, make([]byte, 50_000))
				fmt.Fprintf(w, "%d %v %x", n, err, sum.Sum(nil))
			})
			want := sha256.New()
			c := f.dial(t)
			if chunked {
				c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
			} else {
				c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", much))
			}
			for range much / len(random) {
				want.Write(random)
				if chunked {
					c.send(fmt.Sprintf("%x\r\n", len(random)))
				}
				if _, err := c.Write(random); err != nil {
					t.Fatal(err)
				}
				if chunked {
					c.send("\r\n")
				}
			}
			if chunked {
				c.send("0\r\n\r\n")
			}
			c.want(200, fmt.Sprintf("%d <nil> %x", much, want.Sum(nil)))
			peak.check(t)
			f.wantIdle(t, f.conn(t))
		})
	}
}

// TestSlowHandlerStopsTheUpload has a peer that sends until nobody takes more.
func TestSlowHandlerStopsTheUpload(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", err)
	})
	others := f.bystanders(t)
	c := f.dial(t)
	f.wantConnections(t, 3)
	conn := f.conn(t)
	sent := make(chan error, 1)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", much))
	go func() {
		_, err := io.CopyN(c, zeros{}, much)
		sent <- err
	}()
	receive(t, "the handler", entered)
	eventually(t, "reading to pause", func() (paused bool) {
		f.on(t, func(*Loop) { paused = conn.paused })
		return paused
	})
	f.on(t, func(*Loop) {
		h := conn.http.front
		h.mu.Lock()
		defer h.mu.Unlock()
		if n := len(h.input.B); n > 2*frontWindow || conn.input != nil {
			t.Errorf("%d bytes of input wait", n)
		}
	})
	others.check(t)
	close(release)
	c.want(200, fmt.Sprint(much, " <nil>"))
	if err := receive(t, "the client", sent); err != nil {
		t.Error(err)
	}
	c.send(get("/loop/"))
	c.want(200, "GET /loop/ ")
}

// TestPipelineBehindAHandler waits for its turn in the kernel's buffers.
func TestPipelineBehindAHandler(t *testing.T) {
	release := make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			<-release
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", err)
	})
	c := f.dial(t)
	conn := f.conn(t)
	const n = 8 << 20
	go func() {
		_, _ = io.Copy(c, io.MultiReader(strings.NewReader(get("/")+fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", n)),
			io.LimitReader(zeros{}, n), strings.NewReader(get("/loop/"))))
	}()
	eventually(t, "reading to pause", func() (paused bool) {
		f.on(t, func(*Loop) {
			paused = conn.paused
			if conn.input != nil && len(conn.input.B) > 2*maxPipelined {
				t.Errorf("%d bytes of input wait", len(conn.input.B))
			}
		})
		return paused
	})
	close(release)
	c.want(200, "0 <nil>")
	c.want(200, fmt.Sprint(n, " <nil>"))
	c.want(200, "GET /loop/ ")
	f.wantIdle(t, conn)
}

// TestResetWhilePaused is noticed although nothing is read.
func TestResetWhilePaused(t *testing.T) {
	ended := make(chan struct{})
	f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	})
	c := f.dial(t)
	conn := f.conn(t)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", 2*frontWindow), strings.Repeat("x", frontWindow+1))
	eventually(t, "reading to pause", func() (paused bool) {
		f.on(t, func(*Loop) { paused = conn.paused })
		return paused
	})
	c.reset()
	receive(t, "the context's end", ended)
	f.wantHandlers(t, 0)
	f.wantConnections(t, 0)
}

// TestPeerVanishesMidUpload tells the handler, which has what came before.
func TestPeerVanishesMidUpload(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	type result struct {
		body string
		err  error
	}
	results := make(chan result, 1)
	f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		body, err := io.ReadAll(r.Body)
		<-r.Context().Done()
		results <- result{string(body), err}
	})
	c := f.dial(t)
	c.send(cut(post("/", "body")))
	receive(t, "the handler", entered)
	c.Close()
	f.wantConnections(t, 0)
	close(release)
	if got := receive(t, "the handler's end", results); got.body != "bod" || !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("got %+v", got)
	}
}

// TestWithoutPausing ends a connection that it can't hold up.
func TestWithoutPausing(t *testing.T) {
	f := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(o *Options) { o.MaxPending = 2 * frontWindow })
	f.on(t, func(l *Loop) { l.epoll = -1 })
	c := f.dial(t)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", much), strings.Repeat("x", 4*frontWindow))
	f.wantConnections(t, 0)
	f.wantHandlers(t, 0)
	if _, err := findPoller(struct{ gnet.EventLoop }{}, nil); !errors.Is(err, errPoller) {
		t.Errorf("findPoller of another loop: %v", err)
	}
	if _, err := findPoller(struct {
		gnet.EventLoop

		poller string
	}{}, nil); !errors.Is(err, errPoller) {
		t.Errorf("findPoller of another poller: %v", err)
	}
}

// TestSlowReaderSlowsTheHandler has a peer that reads nothing for a while, then all.
func TestSlowReaderSlowsTheHandler(t *testing.T) {
	peak := newHeapPeak()
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		for piece := make([]byte, 100_000); ; {
			peak.look()
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	c := f.dial(t)
	conn := f.conn(t)
	c.send(get("/"))
	eventually(t, "a full socket", func() (full bool) {
		f.on(t, func(*Loop) {
			full = conn.Blocked()
			if n := conn.Pending(); n > frontWindow {
				t.Errorf("%d bytes are pending", n)
			}
		})
		return full
	})
	if n := f.Handlers(); n != 1 {
		t.Errorf("%d handlers", n)
	}
	other := f.dial(t)
	other.send(get("/loop/"))
	other.want(200, "GET /loop/ ")
	small := bufio.NewReaderSize(c, 4096)
	if _, err := io.CopyN(io.Discard, struct{ io.Reader }{small}, much); err != nil {
		t.Errorf("reading on: %v", err)
	}
	c.reset()
	f.wantHandlers(t, 0)
	peak.check(t)
}

// TestHandlerBehindOtherOutput waits for what the peer has not read yet, and is not
// taken for too much.
func TestHandlerBehindOtherOutput(t *testing.T) {
	release := make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		<-release
		write(w, strings.Repeat("x", frontWindow/2), "end")
	}, func(o *Options) { o.MaxPending = frontWindow })
	c := f.dial(t)
	conn := f.conn(t)
	c.send(get("/"))
	f.wantHandlers(t, 1)
	f.on(t, func(l *Loop) {
		for !conn.Blocked() {
			conn.write(make([]byte, frontWindow))
			l.flushAll()
		}
		if missing := frontWindow - conn.Pending(); missing > 0 {
			conn.write(make([]byte, missing))
		}
	})
	close(release)
	eventually(t, "the response", func() (waits bool) {
		f.on(t, func(*Loop) { waits = conn.http != nil && conn.http.front.notify })
		return waits
	})
	if all, err := io.ReadAll(c.br); err != nil || !strings.HasSuffix(string(all), "\r\nend\r\n0\r\n\r\n") {
		t.Errorf("got %d bytes, %v", len(all), err)
	}
}

// TestLastBytesArrive has a slow reader, and a server that has no time for idle or
// closing connections.
func TestLastBytesArrive(t *testing.T) {
	const n = 8 << 20
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(n))
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.CopyN(w, zeros{}, n)
	}, func(o *Options) { o.CloseTimeout, o.IdleTimeout = time.Millisecond, time.Millisecond })
	for _, path := range []string{"/close", "/keep"} {
		c := f.dial(t)
		c.send(get(path))
		conn := f.conn(t)
		eventually(t, "a full socket", func() (full bool) {
			f.on(t, func(*Loop) { full = conn.Blocked() })
			return full
		})
		if res := c.response("GET"); len(res.body) != n {
			t.Errorf("%s: %d bytes", path, len(res.body))
		}
		c.wantEnd()
	}
}

// TestServerSentEvents arrive one by one.
func TestServerSentEvents(t *testing.T) {
	next, ended := make(chan string), make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			select {
			case event := <-next:
				fmt.Fprintf(w, "data: %s\n\n", event)
			case <-r.Context().Done():
				return
			}
		}
	})
	c := f.dial(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events := bufio.NewReader(res.Body)
	for i := range 100 {
		next <- fmt.Sprint(i)
		if line, err := events.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("got %q, %v", line, err)
		}
		_, _ = events.ReadString('\n')
	}
	c.Close()
	receive(t, "the handler's end", ended)
}

// TestExpectContinueByHandler leaves it to the handler when the body is asked for.
func TestExpectContinueByHandler(t *testing.T) {
	read := make(chan struct{})
	f := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(403)
			return
		}
		<-read
		echoBody(w, r)
	})
	const expect = " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
	c := f.dial(t)
	c.send("POST /yes" + expect)
	f.wantHandlers(t, 1)
	f.settle(t)
	if n := c.br.Buffered(); n > 0 {
		t.Error("an answer before the handler reads")
	}
	close(read)
	if line, err := c.br.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	_, _ = c.br.ReadString('\n')
	c.send("body")
	c.want(200, `POST /yes "body" <nil>`)
	c.send("POST /no" + expect)
	if res := c.want(403, ""); !res.Close {
		t.Error("the connection goes on without the body")
	}
	c.send("body") // which net/http waits for
	c.wantEnd()
}

// TestManyAtOnce has many clients that pipeline all kinds of requests.
func TestManyAtOnce(t *testing.T) {
	f := serveHTTP(t, echoBody, func(o *Options) { o.Loops = 2 })
	body := strings.Repeat("0123456789", 10_000)
	var wg sync.WaitGroup
	for i := range 16 {
		c := f.dial(t)
		var input strings.Builder
		var answers []string
		for j := range 20 {
			target := fmt.Sprintf("/%d/%d", i, j)
			switch (i + j) % 4 {
			case 0:
				input.WriteString(get(target))
				answers = append(answers, fmt.Sprintf(`GET %s "" <nil>`, target))
			case 1:
				input.WriteString(post(target, body))
				answers = append(answers, fmt.Sprintf(`POST %s %q <nil>`, target, body))
			case 2:
				input.WriteString(get("/loop" + target))
				answers = append(answers, "GET /loop"+target+" ")
			case 3:
				input.WriteString(post("/loop"+target, body))
				answers = append(answers, "POST /loop"+target+" "+body)
			}
		}
		wg.Go(func() {
			if _, err := io.WriteString(c, input.String()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for _, want := range answers {
				res, err := http.ReadResponse(c.br, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(got) != want {
					t.Errorf("got %.100q, %v, want %.100q", got, err, want)
				}
			}
		})
	}
	wg.Wait()
	f.wantHandlers(t, 0)
}

// TestIdleConnectionsHaveNoGoroutine looks at many behind their responses.
func TestIdleConnectionsHaveNoGoroutine(t *testing.T) {
	f := serveHTTP(t, echoBody)
	runtime.GC()
	before := runtime.NumGoroutine()
	for range 50 {
		c := f.dial(t)
		c.send(post("/", "body"))
		c.want(200, `POST / "body" <nil>`)
	}
	eventually(t, "no further goroutines", func() bool { return runtime.NumGoroutine() <= before })
	f.on(t, func(l *Loop) {
		for c := l.conns; c != nil; c = c.next {
			if c.http != nil || c.input != nil || c.out != nil {
				t.Errorf("a connection holds %+v", c)
			}
		}
	})
}
