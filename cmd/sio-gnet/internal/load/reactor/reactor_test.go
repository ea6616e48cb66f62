package reactor

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

func start(t *testing.T, address string) *Reactor {
	t.Helper()
	r, err := New(Options{
		Loops: 2, Address: address, Dialers: 4, JoinTimeout: patience,
		Client: &client.Config{Host: "h", Path: "/", EIO: 4, Namespace: "/", MaxMessage: 1 << 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited in vain for: %s", what)
	}
}

// What is posted runs on the loop, in order, whoever posts.
func TestPost(t *testing.T) {
	r := start(t, "127.0.0.1:1")
	for _, l := range r.Loops() {
		var (
			got  [4][]int // touched on the loop only
			wg   sync.WaitGroup
			done = make(chan struct{})
		)
		for g := range got {
			wg.Go(func() {
				for i := range 500 {
					l.Post(func() { got[g] = append(got[g], i) })
				}
			})
		}
		wg.Wait()
		l.Post(func() { close(done) })
		wait(t, "the tasks", done)
		for g := range got {
			for i, n := range got[g] {
				if i != n {
					t.Fatalf("task %d of goroutine %d comes at place %d", n, g, i)
				}
			}
			if len(got[g]) != 500 {
				t.Errorf("%d tasks of goroutine %d", len(got[g]), g)
			}
		}
	}
}

// ticker is due every so often, for some times.
type ticker struct {
	t          *testing.T
	due, every int64
	left       int
	done       chan struct{}
}

func (s *ticker) Due() int64 {
	if s.left == 0 {
		return Never
	}
	return s.due
}

func (s *ticker) Fire(now int64) {
	if now < s.due {
		s.t.Errorf("fired %d ns too early", s.due-now)
	}
	s.due += s.every
	if s.left--; s.left == 0 {
		close(s.done)
	}
}

// Sources fire when they are due and not before: the fast one, the slow one, and one
// that is added while the loop sleeps until the slow one is due. One that is always behind
// keeps none of them, nor the mailbox, from their turn.
func TestSources(t *testing.T) {
	r := start(t, "127.0.0.1:1")
	l := r.Loops()[0]
	begin := r.Now()
	add := func(every time.Duration, left int) *ticker {
		s := &ticker{t: t, due: begin, every: int64(every), left: left, done: make(chan struct{})}
		l.AddSource(s)
		return s
	}
	slow, behind := add(20*time.Millisecond, 5), add(1, 1<<40)
	wait(t, "the slow source", slow.done)
	fast := add(300*time.Microsecond, 100)
	wait(t, "the fast source", fast.done)
	posted := make(chan struct{})
	l.Post(func() {
		behind.left = 0
		close(posted)
	})
	wait(t, "the mailbox", posted)
	late := add(time.Millisecond, 10)
	wait(t, "the source that was added later", late.done)
	if n := r.Now() - begin; n < int64(80*time.Millisecond) {
		t.Errorf("all was over after %d ns", n)
	}
}

// nobody is a user that must not be told of anything.
type nobody struct{ t *testing.T }

func (n nobody) OnJoined(*client.Client)                    { n.t.Error("it has joined") }
func (n nobody) OnMessage(*client.Client, *client.Received) { n.t.Error("it got a message") }
func (n nobody) OnLost(_ *client.Client, err error)         { n.t.Errorf("it was lost: %v", err) }

// A reactor that stops ends what is being connected and what is connected, and tells
// nobody.
func TestStopWhileConnecting(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			accepted <- c
		}
		close(accepted)
	}()
	r := start(t, ln.Addr().String())
	for i := range 50 {
		l := r.Loops()[i%2]
		l.Post(func() { l.NewPeer(i).Begin(nobody{t}) })
	}
	c := <-accepted
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 1000); err == nil; { // until the connection ends, not the time
		_, err = c.Read(b)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still there")
	}
	c.Close()
}
