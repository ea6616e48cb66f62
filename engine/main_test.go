package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/loop"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// patience bounds every wait, so that a failing test ends.
const patience = 30 * time.Second

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	testkit.Eventually(tb, patience, what, holds)
}

// config is what a test may choose of its server.
type config struct {
	Options
	reactor loop.Options
	// receive handles messages on the loop; the default sends them back.
	receive func(r *record, data []byte, binary bool)
	// opened is called on the loop with each new session, moving on the old loop
	// with one that is about to move.
	opened func(r *record)
	moving func(r *record, to *loop.Loop)
	// noRecord keeps messages from being recorded.
	noRecord bool
}

// fixture is a server under test, and what its sessions went through.
type fixture struct {
	*Server
	config  config
	reactor *loop.Reactor
	addr    string

	mu      sync.Mutex
	records map[string]*record
}

// serve starts a server on a free port and ends it with the test. It has one
// loop unless a test wants more.
func serve(tb testing.TB, change ...func(c *config)) *fixture {
	tb.Helper()
	f := &fixture{records: make(map[string]*record)}
	log := slog.New(slog.DiscardHandler)
	f.config.Logger, f.config.reactor.Logger = log, log
	f.config.reactor.Loops = 1
	for _, c := range change {
		c(&f.config)
	}
	f.Server = New(f.config.Options, f)
	f.config.reactor.MaxBody = f.opts.MaxPayload
	var err error
	if f.reactor, err = loop.New(f.config.reactor, f.Server); err != nil {
		tb.Fatal(err)
	}
	if mode := testhost.ModeOf(tb); mode != testhost.Own {
		f.addr = testhost.Serve(tb, mode, f.reactor)
		tb.Cleanup(func() { f.end(tb) })
		return f
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.reactor.Serve(ln) }()
	tb.Cleanup(func() {
		f.end(tb)
		if err := <-served; !errors.Is(err, loop.ErrServerClosed) {
			tb.Errorf("Serve returned %v", err)
		}
	})
	return f
}

func (f *fixture) end(tb testing.TB) {
	tb.Helper()
	f.CloseAll()
	eventually(tb, "the end of all sessions", func() bool { return f.Sessions() == 0 })
	if left := len(f.sessions.all()); left != 0 {
		tb.Errorf("%d sessions are still registered", left)
	}
	if err := f.reactor.Stop(); err != nil {
		tb.Errorf("Stop: %v", err)
	}
	if n := f.reactor.Connections(); n != 0 {
		tb.Errorf("%d connections are still counted", n)
	}
}

// twoLoops spreads the connections.
func twoLoops(c *config) { c.reactor.Loops = 2 }

// silent keeps the server from sending anything of its own.
func silent(c *config) { c.receive = func(*record, []byte, bool) {} }

// OnOpen records a session.
func (f *fixture) OnOpen(s *Session) Receiver {
	r := &record{Session: s, fixture: f, closed: make(chan struct{})}
	f.mu.Lock()
	f.records[s.ID()] = r
	f.mu.Unlock()
	if f.config.opened != nil {
		f.config.opened(r)
	}
	return r
}

// record returns what is known of a session that was opened.
func (f *fixture) record(tb testing.TB, sid string) *record {
	tb.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.records[sid]
	if r == nil {
		tb.Fatalf("no session with the id %q", sid)
	}
	return r
}

// record is a session and what it received.
type record struct {
	*Session
	fixture *fixture
	closed  chan struct{}

	mu       sync.Mutex
	messages []string
	moves    int
	ends     int
	reason   CloseReason
	err      error
}

// show is a message as these tests write it.
func show(data []byte, binary bool) string {
	if binary {
		return "binary:" + string(data)
	}
	return string(data)
}

// OnMessage is called by the engine.
func (r *record) OnMessage(_ *Session, data []byte, binary bool) {
	if !r.fixture.config.noRecord {
		r.mu.Lock()
		r.messages = append(r.messages, show(data, binary))
		r.mu.Unlock()
	}
	if r.fixture.config.receive != nil {
		r.fixture.config.receive(r, data, binary)
		return
	}
	_ = r.Send(false, NewMessage(data, binary)) // a session that closed meanwhile is the test's to see
}

// OnMove is called by the engine.
func (r *record) OnMove(_ *Session, to *loop.Loop) {
	r.mu.Lock()
	r.moves++
	r.mu.Unlock()
	if r.fixture.config.moving != nil {
		r.fixture.config.moving(r, to)
	}
}

// OnClose is called by the engine.
func (r *record) OnClose(_ *Session, reason CloseReason, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason, r.err = reason, err
	if r.ends++; r.ends == 1 {
		close(r.closed)
	}
}

func (r *record) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.messages...)
}

func (r *record) moved() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moves > 0
}

// wantReceived waits until the session has got these messages, and fails on
// others.
func (r *record) wantReceived(tb testing.TB, messages ...string) {
	tb.Helper()
	eventually(tb, "messages from the client", func() bool { return len(r.received()) >= len(messages) })
	if got, want := strings.Join(r.received(), "|"), strings.Join(messages, "|"); got != want {
		tb.Fatalf("received %q, want %q", got, want)
	}
}

// wantClosed waits for the end of the session and judges its reason. A nil err
// is not compared.
func (r *record) wantClosed(tb testing.TB, reason CloseReason, err error) {
	tb.Helper()
	select {
	case <-r.closed:
	case <-time.After(patience):
		tb.Fatalf("the session is still open; want its end with %q", reason)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason != reason || err != nil && !errors.Is(r.err, err) {
		tb.Errorf("closed with %q (%v), want %q (%v)", r.reason, r.err, reason, err)
	}
	if r.ends != 1 {
		tb.Errorf("OnClose was called %d times", r.ends)
	}
	if !r.Closed() {
		tb.Error("Closed is false")
	}
}

// wantOpen fails if the session has ended.
func (r *record) wantOpen(tb testing.TB) {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ends > 0 {
		tb.Fatalf("the session ended with %q (%v)", r.reason, r.err)
	}
}

// send sends text messages.
func (r *record) send(tb testing.TB, messages ...string) {
	tb.Helper()
	for _, m := range messages {
		if err := r.Send(false, NewMessage([]byte(m), false)); err != nil {
			tb.Fatalf("Send: %v", err)
		}
	}
}

// inspect runs f on the loop that owns the session.
func (r *record) inspect(tb testing.TB, f func()) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for done := false; !done; {
		err := r.fixture.reactor.Await(ctx, r.Home(), func(l *loop.Loop) {
			if done = r.OwnedBy(l); done {
				f()
			}
		})
		if err != nil {
			tb.Fatalf("looking into the session: %v", err)
		}
	}
}

// eventually waits until a condition holds that is judged on the owner's loop.
func (r *record) eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	eventually(tb, what, func() (ok bool) {
		r.inspect(tb, func() { ok = holds() })
		return ok
	})
}

// wantPolling waits until a GET of the client waits.
func (r *record) wantPolling(tb testing.TB) {
	tb.Helper()
	r.eventually(tb, "a waiting poll", func() bool { return r.polling != nil && r.polling.get != nil })
}

// wantUpload waits until a POST of the client comes in.
func (r *record) wantUpload(tb testing.TB) {
	tb.Helper()
	r.eventually(tb, "a POST that comes in", func() bool { return r.polling != nil && r.polling.upload != nil })
}
