package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(starvingChild())
	}
	testkit.Main(m)
}

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	testkit.Eventually(tb, patience, what, holds)
}

// receive waits for a value.
func receive[T any](tb testing.TB, what string, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		tb.Fatalf("waited in vain for: %s", what)
		panic("unreachable")
	}
}

// handlerFunc is a Handler.
type handlerFunc func(c *Conn, r *Request)

func (f handlerFunc) ServeRequest(c *Conn, r *Request) { f(c, r) }

// echo accepts WebSockets, whose messages it sends back, and answers any other
// request with what it was.
func echo(c *Conn, r *Request) {
	if r.Upgrade != nil {
		accept(c, r, new(echoStream))
		return
	}
	body := fmt.Appendf(nil, "%s %s %s", r.Method, r.Target, r.Body)
	if err := c.Respond(Response{Status: 200, ContentType: "text/plain", Body: body}); err != nil {
		panic(err)
	}
}

// accept answers an upgrade request, good or bad.
func accept(c *Conn, r *Request, s Stream) {
	hs, refusal := CheckHandshake(r)
	var err error
	if refusal != nil {
		err = c.Respond(*refusal)
	} else {
		err = c.AcceptWebSocket(hs, nil, s)
	}
	if err != nil {
		panic(err)
	}
}

// echoStream sends messages back.
type echoStream struct{}

func (*echoStream) OnMessage(c *Conn, binary bool, payload []byte) {
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	c.WriteFrame(op, payload)
}

func (*echoStream) OnClose(*Conn, error) {}

// record is a Stream that sends messages back and tells what it went through.
type record struct {
	echoStream

	conn   chan *Conn
	closed chan error
}

func newRecord() *record {
	return &record{conn: make(chan *Conn, 1), closed: make(chan error, 4)}
}

func (r *record) OnClose(_ *Conn, err error) { r.closed <- err }

// accepting accepts each upgrade for r.
func (r *record) accepting(c *Conn, req *Request) {
	if req.Upgrade == nil {
		echo(c, req)
		return
	}
	accept(c, req, r)
	r.conn <- c
}

// wantClosed waits for the end and checks its reason.
func (r *record) wantClosed(tb testing.TB, target error) {
	tb.Helper()
	if err := receive(tb, "OnClose", r.closed); !errors.Is(err, target) {
		tb.Errorf("closed with %v, want %v", err, target)
	}
}

// fixture is a reactor under test.
type fixture struct {
	*Reactor

	addr   string
	log    *logRecorder
	served chan error
}

// start starts a reactor that serves nothing yet and ends it with the test. It
// has one loop unless the test wants more.
func start(tb testing.TB, h handlerFunc, change ...func(o *Options)) *fixture {
	tb.Helper()
	return startWith(tb, h, change...)
}

func startWith(tb testing.TB, h Handler, change ...func(o *Options)) *fixture {
	tb.Helper()
	f := &fixture{log: new(logRecorder), served: make(chan error, 8)}
	o := Options{Loops: 1, Logger: slog.New(f.log)}
	for _, c := range change {
		c(&o)
	}
	var err error
	if f.Reactor, err = New(o, h); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Stop(); err != nil {
			tb.Errorf("Stop: %v", err)
		}
		if n := f.Connections(); n != 0 {
			tb.Errorf("%d connections are still counted", n)
		}
	})
	return f
}

// serve starts a reactor that serves a free port, in the mode that the test is for.
func serve(tb testing.TB, h handlerFunc, change ...func(o *Options)) *fixture {
	tb.Helper()
	return serveWith(tb, h, change...)
}

func serveWith(tb testing.TB, h Handler, change ...func(o *Options)) *fixture {
	tb.Helper()
	f := startWith(tb, h, change...)
	if mode := testhost.ModeOf(tb); mode != testhost.Own {
		f.addr = testhost.Serve(tb, mode, f.Reactor)
		tb.Cleanup(func() { // runs before the one of start, and before the server's end
			if err := f.Stop(); err != nil {
				tb.Errorf("Stop: %v", err)
			}
		})
		return f
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f.addr = ln.Addr().String()
	f.serveOn(tb, ln)
	return f
}

// serveOn serves one more listener, until Stop.
func (f *fixture) serveOn(tb testing.TB, ln net.Listener) {
	tb.Helper()
	ended := make(chan error, 1)
	go func() {
		err := f.Serve(ln)
		ended <- err
		f.served <- err
	}()
	tb.Cleanup(func() { // runs before the one of start
		if err := f.Stop(); err != nil {
			tb.Errorf("Stop: %v", err)
		}
		if err := <-ended; !errors.Is(err, ErrServerClosed) && !errors.Is(err, ErrReactorStopped) {
			tb.Errorf("Serve returned %v", err)
		}
	})
}

// on runs f on the reactor's first loop and waits for it.
func (f *fixture) on(tb testing.TB, do func(l *Loop)) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.Await(ctx, f.loops[0], do); err != nil {
		tb.Fatalf("Await: %v", err)
	}
}

// wantConnections waits until so many are open.
func (f *fixture) wantConnections(tb testing.TB, n int) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("%d connections", n), func() bool { return f.Connections() == n })
}

// logRecorder is a slog.Handler that keeps the lines.
type logRecorder struct {
	mu    sync.Mutex
	lines []string
}

// Enabled lets all pass.
func (*logRecorder) Enabled(context.Context, slog.Level) bool { return true }

// Handle keeps a line.
func (r *logRecorder) Handle(_ context.Context, rec slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", rec.Level, rec.Message)
	rec.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value)
		return true
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, b.String())
	return nil
}

// WithAttrs and WithGroup are not used by the reactor.
func (r *logRecorder) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup is not used by the reactor.
func (r *logRecorder) WithGroup(string) slog.Handler { return r }

// count returns how many lines have all of the parts.
func (r *logRecorder) count(parts ...string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.lines {
		if containsAll(line, parts) {
			n++
		}
	}
	return n
}

func containsAll(line string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(line, p) {
			return false
		}
	}
	return true
}

// want waits for a line that has all of the parts.
func (r *logRecorder) want(tb testing.TB, parts ...string) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("a log line with %q", parts), func() bool { return r.count(parts...) > 0 })
}
