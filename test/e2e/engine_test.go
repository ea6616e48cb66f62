package e2e

import (
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// engineFixture is a bare Engine.IO server for the clients of that layer. It
// sends every message back as it came, but for texts that begin with
//
//	#  a number, which it keeps
//	!  a command, see [engineRecord.command]
type engineFixture struct {
	url   string
	hasty string // the same with a heartbeat that nobody keeps up with

	mu      sync.Mutex
	records map[string]*engineRecord
}

// startEngine serves on free ports of the loopback interface until the test ends.
func startEngine(t *testing.T) *engineFixture {
	t.Helper()
	f := &engineFixture{records: make(map[string]*engineRecord)}
	// The timeout is long since no check wants to see one there.
	f.url = f.serve(t, 300*time.Millisecond, patience)
	f.hasty = f.serve(t, 50*time.Millisecond, 50*time.Millisecond)
	return f
}

// serve serves with two loops and returns the URL.
func (f *engineFixture) serve(t *testing.T, pingInterval, pingTimeout time.Duration) string {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server := engine.New(engine.Options{
		PingInterval: pingInterval, PingTimeout: pingTimeout, AllowEIO3: true, Logger: log,
	}, f)
	reactor, err := loop.New(loop.Options{Loops: 2, Logger: log}, server)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- reactor.Serve(ln) }()
	t.Cleanup(func() {
		server.CloseAll()
		if err := reactor.Stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		if err := <-served; !errors.Is(err, loop.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return "http://" + ln.Addr().String()
}

// OnOpen records a session.
func (f *engineFixture) OnOpen(s *engine.Session) engine.Receiver {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.record(s.ID())
}

// record returns what is known of a session, which may be new. The lock is held.
func (f *engineFixture) record(id string) *engineRecord {
	r := f.records[id]
	if r == nil {
		r = &engineRecord{fixture: f, closed: make(chan struct{})}
		f.records[id] = r
	}
	return r
}

// engineRecord is one session, on its loop.
type engineRecord struct {
	fixture *engineFixture
	numbers []string
	reason  engine.CloseReason // set before closed is closed
	closed  chan struct{}
}

// OnMove is called by the engine.
func (*engineRecord) OnMove(*engine.Session, *loop.Loop) {}

// OnClose is called by the engine.
func (r *engineRecord) OnClose(_ *engine.Session, reason engine.CloseReason, _ error) {
	r.reason = reason
	close(r.closed)
}

// OnMessage is called by the engine.
func (r *engineRecord) OnMessage(s *engine.Session, data []byte, binary bool) {
	text := string(data)
	switch {
	case binary:
		send(s, text, true)
	case strings.HasPrefix(text, "#"):
		r.numbers = append(r.numbers, text[1:])
	case strings.HasPrefix(text, "!"):
		r.command(s, strings.Fields(text[1:]))
	default:
		send(s, text, false)
	}
}

// command does what a client asks for.
func (r *engineRecord) command(s *engine.Session, words []string) {
	switch words[0] {
	case "numbers": // kept so far
		send(s, "numbers "+strings.Join(r.numbers, ","), false)
	case "push": // n numbers, the last ones once the session is on a transport
		n, _ := strconv.Atoi(words[1])
		after, _ := strconv.Atoi(words[2])
		go r.push(s, n, after, words[3])
	case "close":
		send(s, "last words", false)
		s.Close()
	case "discard":
		s.Discard()
	case "end": // why another session ended, once it has, and the numbers that it kept
		r.fixture.mu.Lock()
		other := r.fixture.record(words[1])
		r.fixture.mu.Unlock()
		go func() {
			select {
			case <-other.closed:
				send(s, "end "+string(other.reason)+":"+strings.Join(other.numbers, ","), false)
			case <-r.closed:
			}
		}()
	default:
		send(s, "no such command", false)
	}
}

// push sends n numbers from a goroutine of its own, two at a time so that they
// spread over the upgrade, and the last ones behind it.
func (r *engineRecord) push(s *engine.Session, n, after int, transport string) {
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for i := 0; i < n; {
		select {
		case <-pace.C:
		case <-r.closed:
			return
		}
		if i >= n-after && s.Transport() != transport {
			continue
		}
		for range min(2, n-i) {
			send(s, "#"+strconv.Itoa(i), false)
			i++
		}
	}
}

// send fails when the session has ended, which is the client's to notice.
func send(s *engine.Session, data string, binary bool) {
	_ = s.Send(false, engine.NewMessage([]byte(data), binary))
}

// engineClients are the versions of engine.io-client by the protocol they speak.
var engineClients = []string{"4", "3"}

// TestEngineClient runs the checks of engine.io-client in Node.
func TestEngineClient(t *testing.T) {
	node := nodeTool(t)
	for _, protocol := range engineClients {
		for _, mode := range modes {
			t.Run(protocol+"/"+mode, func(t *testing.T) {
				f := startEngine(t)
				runChecks(t, nodeClients, node, "engine.mjs", "--url", f.url, "--hasty", f.hasty, "--mode", mode, "--protocol", protocol)
			})
		}
	}
}
