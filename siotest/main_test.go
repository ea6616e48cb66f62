package siotest_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// transports are all that a client can use.
var transports = []string{"websocket", "polling", "upgrade"}

// on is a test on one of them.
type on struct {
	*testing.T

	name      string
	transport siotest.Option
}

// onEach runs a test on each transport.
func onEach(t *testing.T, f func(t on)) {
	t.Helper()
	for _, name := range transports {
		t.Run(name, func(t *testing.T) { f(on{t, name, siotest.Transport(name)}) })
	}
}

// newServer makes a server with nothing special.
func newServer(t testing.TB, change ...func(o *sio.Options)) *sio.Server {
	t.Helper()
	o := &sio.Options{Logger: slog.New(slog.DiscardHandler), OnError: func(_ *sio.Socket, err error) { t.Errorf("reported: %v", err) }}
	for _, c := range change {
		c(o)
	}
	io, err := sio.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return io
}

// lines collects what handlers have to say.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, fmt.Sprintf(format, args...))
}

// want fails unless these are the lines by now.
func (l *lines) want(t testing.TB, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got, want := strings.Join(l.text, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got lines:\n%s\nwant:\n%s", got, want)
	}
}

// notes has the ends of all sockets noted.
func (l *lines) notes(io *sio.Server) {
	io.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { l.add("%s", r) })
	})
}

// failing is a testing.TB that may fail.
type failing struct {
	testing.TB

	mu       sync.Mutex
	messages []string
	cleanup  []func()
}

func (f *failing) Helper() {}

func (f *failing) Cleanup(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanup = append(f.cleanup, fn)
}

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

func (f *failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *failing) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

// run runs a test that fails, to its end with all cleanups, and returns what it
// complained of.
func run(t testing.TB, test func(tb *failing)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(f.cleanup) - 1; i >= 0; i-- {
				f.cleanup[i]()
			}
		}()
		test(f)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it hangs")
	}
	return strings.Join(f.messages, "\n")
}
