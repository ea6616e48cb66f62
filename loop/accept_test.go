package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestConnectionCap(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.MaxConnections = 2 })
	a, b := f.dial(t).upgrade(), f.dial(t)
	b.send(get("/b"))
	b.want(200, "GET /b ")
	for range 3 {
		c := f.dial(t)
		c.send(get("/")) // unread input must not cost the answer
		if res := c.want(503, "too many connections\n"); res.Header.Get("Retry-After") == "" || !res.Close {
			t.Errorf("header: %v", res.Header)
		}
		c.wantEnd()
		c.Close()
	}
	if n := f.Stats().TurnedAway; n != 3 {
		t.Errorf("counted %d", n)
	}
	f.log.want(t, "connection refused: too many", "limit=2")
	a.wantEcho("still here")
	b.Close()
	f.wantConnections(t, 1)
	c := f.dial(t)
	c.send(get("/c"))
	c.want(200, "GET /c ")
	a.wantEcho("still here")
}

// TestFloodOverTheCap has so many callers be refused at once that some get no
// answer.
func TestFloodOverTheCap(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.MaxConnections = 1 })
	a := f.dial(t).upgrade()
	var flood []*client
	for range maxRefusing + 20 {
		flood = append(flood, f.dial(t)) // and stay
	}
	answered := 0
	for _, c := range flood {
		if all, _ := io.ReadAll(c.br); string(all) == serviceOverload {
			answered++
		} else if len(all) > 0 {
			t.Errorf("got %q", all)
		}
		c.Close()
	}
	if answered < maxRefusing {
		t.Errorf("%d were answered, want %d", answered, maxRefusing)
	}
	a.wantEcho("still here")
}

func TestSeveralListeners(t *testing.T) {
	f := serve(t, echo)
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "socket")
	third, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	f.serveOn(t, second)
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(third) }()
	for _, c := range []*client{f.dial(t), dial(t, "tcp", second.Addr().String()), dial(t, "unix", path), dial(t, "unix", path)} {
		c.send(get("/"))
		c.want(200, "GET / ")
		c.upgrade().wantEcho(strings.Repeat("x", 70_000))
	}
	// One listener's end is its own.
	third.Close()
	if err := receive(t, "Serve", ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
	c := dial(t, "tcp", second.Addr().String())
	c.send(get("/"))
	c.want(200, "GET / ")
}

// flakyListener fails before it accepts.
type flakyListener struct {
	net.Listener

	mu     sync.Mutex
	errors []error
}

func (l *flakyListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errors) > 0 {
		err := l.errors[0]
		l.errors = l.errors[1:]
		return nil, &net.OpError{Op: "accept", Err: err}
	}
	return l.Listener.Accept()
}

func TestAcceptErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, echo)
	f.addr = ln.Addr().String()
	passing := []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.EPROTO}
	f.serveOn(t, &flakyListener{Listener: ln, errors: passing})
	c := f.dial(t)
	c.send(get("/"))
	c.want(200, "GET / ")
	if n := f.log.count("accepting is paused"); n != len(passing) {
		t.Errorf("%d pauses, want %d", n, len(passing))
	}

	ln, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	flaky := &flakyListener{Listener: ln}
	for range acceptors {
		flaky.errors = append(flaky.errors, syscall.EBADF)
	}
	if err := f.Serve(flaky); !errors.Is(err, syscall.EBADF) {
		t.Errorf("Serve returned %v", err)
	}
	if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener was left open: %v", err)
	}
	c.send(get("/again"))
	c.want(200, "GET /again ")
}

// oddListener yields a connection that no loop takes.
type oddListener struct {
	net.Listener

	conns chan net.Conn
}

func (l *oddListener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return l.Listener.Accept()
}

func TestConnectionsThatAreNoSockets(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, echo)
	a, b := net.Pipe()
	odd := &oddListener{Listener: ln, conns: make(chan net.Conn, 1)}
	odd.conns <- a
	close(odd.conns)
	f.serveOn(t, odd)
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	f.log.want(t, "could not be taken")
	f.wantConnections(t, 0)
}

// TestIdleConnections holds many. They must cost no goroutine and no buffer.
func TestIdleConnections(t *testing.T) {
	const n = 1000
	f := serve(t, echo, func(o *Options) { o.Loops = 2 })
	f.dial(t).upgrade()
	before := runtime.NumGoroutine()
	for i := range n {
		c := f.dial(t)
		if i%2 == 0 {
			c.upgrade().wantEcho("hello")
		} else {
			c.send(get("/"))
			c.want(200, "GET / ")
		}
	}
	f.wantConnections(t, n+1)
	// Not all acceptors need have started before.
	eventually(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= before+acceptors })
	total := 0
	for _, l := range f.loops {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := f.Await(ctx, l, func(l *Loop) {
			for c := l.conns; c != nil; c = c.next {
				total++
				if c.input != nil || c.http != nil || c.ws != nil || c.out != nil {
					t.Error("an idle connection holds a buffer")
				}
			}
		})
		cancel()
		if err != nil {
			t.Error(err)
		}
	}
	if total != n+1 {
		t.Errorf("%d connections on the loops", total)
	}
}

func TestDescriptorLimit(t *testing.T) {
	limit, err := raiseDescriptorLimit()
	if err != nil {
		t.Fatal(err)
	}
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		t.Fatal(err)
	}
	if limit != lim.Cur {
		t.Errorf("raised to %d, is %d", limit, lim.Cur)
	}
	for _, tt := range []struct {
		limit uint64
		loops int
		want  int
	}{
		{1, 1, 1},
		{100, 1, 50},
		{264, 1, 132},
		{1024, 2, 1024 - descriptorReserve - 8},
		{1 << 20, 64, 1<<20 - descriptorReserve - 256},
		{1<<64 - 1, 1, 1 << 30},
	} {
		if got := connectionCap(tt.limit, tt.loops); got != tt.want {
			t.Errorf("limit %d, %d loops: %d connections, want %d", tt.limit, tt.loops, got, tt.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	o := Options{MaxBody: 5}.withDefaults()
	if o.MaxMessage != 5 || o.Loops < 1 || o.Logger == nil || o.IdleTimeout != 75*time.Second || o.MaxPending != 1<<20 {
		t.Errorf("got %+v", o)
	}
}
