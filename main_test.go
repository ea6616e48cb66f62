package sio_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/testhost"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	testkit.Eventually(tb, patience, what, holds)
}

// dialAt opens a connection that joins nothing yet.
func dialAt(tb testing.TB, addr string, opts ...siotest.Option) *siotest.Conn {
	tb.Helper()
	return siotest.Open(tb, "http://"+addr, opts...)
}

// enterAt joins a namespace and returns the client with the socket's id.
func enterAt(tb testing.TB, addr, namespace string) (c *siotest.Conn, id string) {
	tb.Helper()
	c = dialAt(tb, addr)
	id = c.Join(namespace, "")
	return c, id
}

// fixture is a server under test, and what its OnError was told.
type fixture struct {
	*sio.Server
	addr string

	mu     sync.Mutex
	errors []error
}

// serve starts a server on a free port and ends it with the test.
func serve(tb testing.TB, opts ...func(*sio.Options)) *fixture {
	tb.Helper()
	f := new(fixture)
	o := &sio.Options{Logger: slog.New(slog.DiscardHandler), OnError: func(_ *sio.Socket, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.errors = append(f.errors, err)
	}}
	for _, opt := range opts {
		opt(o)
	}
	var err error
	if f.Server, err = sio.New(o); err != nil {
		tb.Fatal(err)
	}
	if mode := testhost.ModeOf(tb); mode != testhost.Own {
		f.addr = testhost.Serve(tb, mode, f)
		tb.Cleanup(func() { f.end(tb) })
		return f
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.Serve(ln) }()
	eventually(tb, "the server to serve", func() bool { return f.Addr() != nil })
	tb.Cleanup(func() {
		f.end(tb)
		if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
			tb.Errorf("Serve returned %v", err)
		}
	})
	return f
}

func (f *fixture) end(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.Shutdown(ctx); err != nil {
		tb.Errorf("Shutdown: %v", err)
	}
}

// oneLoop puts all clients on the same event loop.
func oneLoop(o *sio.Options) { o.Loops = 1 }

// dial opens a connection that joins nothing yet.
func (f *fixture) dial(tb testing.TB, opts ...siotest.Option) *siotest.Conn {
	tb.Helper()
	return dialAt(tb, f.addr, opts...)
}

// enter joins "/" and returns the client with the socket's id.
func (f *fixture) enter(tb testing.TB) (c *siotest.Conn, id string) {
	tb.Helper()
	return enterAt(tb, f.addr, "/")
}

// connect joins "/" and returns the client with the server's socket.
func (f *fixture) connect(tb testing.TB) (*siotest.Conn, *sio.Socket) {
	tb.Helper()
	c, id := f.enter(tb)
	s := f.Of("/").Socket(id)
	if s == nil {
		tb.Fatalf("no socket with the id %q", id)
	}
	return c, s
}

// on registers a handler for all sockets of "/".
func (f *fixture) on(tb testing.TB, event string, handler any, opts ...sio.HandlerOption) {
	tb.Helper()
	if err := f.OnEvent(event, handler, opts...); err != nil {
		tb.Fatal(err)
	}
}

// wantError waits for an error that OnError gets and that matches.
func (f *fixture) wantError(tb testing.TB, matches func(error) bool) {
	tb.Helper()
	_ = f.takeError(tb, matches)
}

// takeError waits for an error that OnError gets and that matches, and takes it
// off the list.
func (f *fixture) takeError(tb testing.TB, matches func(error) bool) error {
	tb.Helper()
	var found error
	eventually(tb, "an error", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, err := range f.errors {
			if matches(err) {
				found = err
				f.errors = append(f.errors[:i], f.errors[i+1:]...)
				return true
			}
		}
		return false
	})
	return found
}

// isError is for wantError.
func isError(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// asError is for wantError, too.
func asError[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// wantNoErrors fails if OnError was told anything that the test did not take.
func (f *fixture) wantNoErrors(tb testing.TB) {
	tb.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errors) > 0 {
		tb.Errorf("errors: %v", f.errors)
	}
}

// recorder collects lines from handlers.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

// want waits until these lines are there, and fails on others.
func (r *recorder) want(tb testing.TB, lines ...string) {
	tb.Helper()
	want := strings.Join(lines, "\n")
	eventually(tb, "the lines:\n"+want, func() bool { return len(r.text()) >= len(want) })
	if got := r.text(); got != want {
		tb.Errorf("got lines:\n%s\nwant:\n%s", got, want)
	}
}
