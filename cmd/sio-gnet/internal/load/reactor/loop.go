package reactor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
)

// Loop is one event loop. Only Post may be called from other goroutines.
type Loop struct {
	// Shared is what the clients of the loop share.
	Shared *client.Shared

	index   int
	reactor *Reactor
	gnet    *gnet.Client
	anchor  int // the other end of a socket pair that is enrolled in the loop
	exec    gnet.EventLoop
	pacer   *pacer
	stopped atomic.Bool

	sources []Source
	dirty   []*conn  // with output that has not been written
	free    [][]byte // output buffers
	peers   []*Peer  // that have started and not ended
	swept   int      // where in peers the next sweep begins

	mu      sync.Mutex
	mailbox []func()
	posted  bool // a turn for the mailbox was asked for
}

// Source is something that is due at times. A loop fires its sources when they are.
type Source interface {
	// Due returns when Fire is to be called next, in nanoseconds of the reactor's clock.
	Due() int64
	// Fire does what was due at Due. The next time that is due must be a later one.
	Fire(now int64)
}

const (
	// maxFirings bounds what a turn does about sources, so that sockets are read meanwhile.
	maxFirings = 256
	// maxFree bounds the buffers that are kept, and maxFreeSize how large one may be.
	maxFree     = 64
	maxFreeSize = 64 << 10
)

func newLoop(r *Reactor, index int) (*Loop, error) {
	l := &Loop{index: index, reactor: r, Shared: client.NewShared(r.opts.Client, uint64(index)<<32^uint64(r.started.UnixNano()))}
	var err error
	l.gnet, err = gnet.NewClient(&handler{loop: l},
		gnet.WithNumEventLoop(1), gnet.WithLogger(silent{}))
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what for
	}
	if err := l.gnet.Start(); err != nil {
		return nil, err //nolint:wrapcheck // the caller says what for
	}
	if err := l.drop(); err != nil {
		return nil, errors.Join(err, l.gnet.Stop())
	}
	if l.pacer, err = newPacer(l); err != nil {
		return nil, errors.Join(err, unix.Close(l.anchor), l.gnet.Stop())
	}
	l.AddSource(&sweep{loop: l})
	return l, nil
}

// drop enrolls the anchor, which makes the loop's EventLoop known before the first
// client comes.
func (l *Loop) drop() error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	l.anchor = fds[1]
	end := os.NewFile(uintptr(fds[0]), "anchor")
	c, err := net.FileConn(end)
	_ = end.Close() // FileConn has its own descriptor
	if err != nil {
		return errors.Join(err, unix.Close(l.anchor))
	}
	gc, err := l.gnet.EnrollContext(c, nil)
	if err != nil {
		return errors.Join(err, unix.Close(l.anchor))
	}
	l.exec = gc.EventLoop()
	return nil
}

func (l *Loop) stop() error {
	l.pacer.stop()
	return errors.Join(l.gnet.Stop(), unix.Close(l.anchor))
}

// Index returns the loop's number, from 0.
func (l *Loop) Index() int { return l.index }

// Now returns the time of the present turn.
func (l *Loop) Now() int64 { return l.Shared.Now }

// Post has the loop call f. After the reactor has stopped, it does not.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	l.mailbox = append(l.mailbox, f)
	ask := !l.posted
	l.posted = true
	l.mu.Unlock()
	if ask {
		l.wake()
	}
}

// wake asks for a turn. That fails only when the loop has ended.
func (l *Loop) wake() {
	_ = l.exec.Execute(context.Background(), gnet.RunnableFunc(l.turn))
}

// AddSource has the loop fire s from now on. On the loop, or before it has clients.
func (l *Loop) AddSource(s Source) {
	l.Post(func() { l.sources = append(l.sources, s) })
}

// turn is a turn without input.
func (l *Loop) turn(context.Context) error {
	l.begin()
	l.mu.Lock()
	mailbox := l.mailbox
	l.mailbox, l.posted = nil, false
	l.mu.Unlock()
	for _, f := range mailbox {
		f()
	}
	l.end()
	return nil
}

// begin starts a turn: it looks at the clock.
func (l *Loop) begin() { l.Shared.Now = l.reactor.Now() }

// end finishes a turn: what is due, then all output, then the alarm for what is next.
func (l *Loop) end() {
	next := l.fire()
	l.flush()
	l.pacer.set(next)
}

// fire fires the sources that are due, and returns when the next one is.
func (l *Loop) fire() (next int64) {
	next = Never
	for _, s := range l.sources {
		for range maxFirings {
			if s.Due() > l.Shared.Now {
				break
			}
			s.Fire(l.Shared.Now)
		}
		next = min(next, s.Due())
	}
	return next
}

// flush writes all output, also what comes up on the way because a connection fails.
func (l *Loop) flush() {
	for i := 0; i < len(l.dirty); i++ {
		l.dirty[i].flush()
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
}

// buffer returns an empty buffer for output.
func (l *Loop) buffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	return make([]byte, 0, 1<<10)
}

func (l *Loop) release(b []byte) {
	if len(l.free) < maxFree && cap(b) <= maxFreeSize {
		l.free = append(l.free, b[:0])
	}
}

// Peers returns the clients of the loop that have started and not ended. The slice is
// not to be changed, and valid until one starts or ends.
func (l *Loop) Peers() []*Peer { return l.peers }

// sweep has each client look at its deadlines about twice a second, a few at a time.
type sweep struct {
	loop *Loop
	due  int64
}

const (
	sweepEvery = int64(50e6)
	sweepParts = 10
)

func (s *sweep) Due() int64 { return s.due }

func (s *sweep) Fire(now int64) {
	l := s.loop
	s.due = now + sweepEvery
	for range (len(l.peers) + sweepParts - 1) / sweepParts {
		if len(l.peers) == 0 {
			return
		}
		if l.swept >= len(l.peers) {
			l.swept = 0
		}
		l.peers[l.swept].Tick() // which may take the client out of the list
		l.swept++
	}
}

// silent drops gnet's log lines: what fails is told by errors.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
