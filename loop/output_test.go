package loop

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// writes lets a connection write to a socket that keeps each write apart, and
// returns what do made it write.
func (f *fixture) writes(tb testing.TB, c *Conn, do func()) []string {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		tb.Fatal(err)
	}
	var own int
	f.on(tb, func(*Loop) { own, c.fd = c.fd, fds[0] })
	do()
	f.settle(tb)
	f.on(tb, func(*Loop) { c.fd = own })
	var all []string
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(fds[1], buf)
		if err != nil {
			break
		}
		all = append(all, string(buf[:n]))
	}
	_, _ = unix.Close(fds[0]), unix.Close(fds[1])
	return all
}

func serverFrame(payload string) string { return encode(ws.NewTextFrame([]byte(payload))) }

func TestOneWritePerTurn(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting)
	f.dial(t).upgrade()
	c := receive(t, "the connection", r.conn)
	shared := NewBuffer()
	shared.B = append(shared.B, serverFrame("shared")...)
	enqueue := func(*Loop) {
		shared.Retain(1)
		c.Enqueue(shared, 0, len(shared.B))
	}
	own := func(*Loop) { c.WriteFrame(ws.OpText, []byte("own")) }
	for _, tt := range []struct {
		name string
		do   func()
		want []string
	}{
		{"tasks of one turn", func() {
			f.on(t, func(l *Loop) { // what a turn posts is part of it
				for _, task := range []TaskFunc{own, enqueue, own, enqueue, enqueue, own} {
					l.Post(task)
				}
			})
		}, []string{
			serverFrame("own") + serverFrame("shared") + serverFrame("own") +
				strings.Repeat(serverFrame("shared"), 2) + serverFrame("own"),
		}},
		{"many segments", func() {
			f.on(t, func(l *Loop) {
				for range maxIovecs {
					enqueue(l)
				}
			})
		}, []string{strings.Repeat(serverFrame("shared"), maxIovecs)}},
		{"more segments than a writev takes", func() {
			f.on(t, func(l *Loop) {
				for range maxIovecs + 1 {
					enqueue(l)
				}
			})
		}, []string{strings.Repeat(serverFrame("shared"), maxIovecs), serverFrame("shared")}},
		{
			"messages of one read",
			func() { f.feed(t, c, text("a")+text("b")+frame(ws.OpPing, true, "c")) },
			[]string{serverFrame("a") + serverFrame("b") + encode(ws.NewPongFrame([]byte("c")))},
		},
		{"mail that waits when input comes", func() {
			f.on(t, func(l *Loop) {
				l.Post(TaskFunc(enqueue))
				l.beginInput(c)
				(&gnetHandler{reactor: f.Reactor}).handleInput(c, []byte(text("a")))
				l.endInput(c)
			})
		}, []string{serverFrame("a") + serverFrame("shared")}},
		{"turns", func() { f.on(t, own); f.settle(t); f.on(t, own) }, []string{serverFrame("own"), serverFrame("own")}},
		{"nothing", func() { f.on(t, func(*Loop) { c.markDirty() }) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := f.writes(t, c, tt.do)
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %d writes %.200q, want %d %.200q", len(got), got, len(tt.want), tt.want)
			}
			if n := shared.refs.Load(); n != 1 {
				t.Errorf("%d references are left, want 1", n)
			}
			f.wantIdle(t, c)
		})
	}
	shared.Release()
}

// flood queues shared for c in turn after turn until the kernel takes no more.
func (f *fixture) flood(tb testing.TB, c *Conn, shared *Buffer) {
	tb.Helper()
	eventually(tb, "the kernel to take no more", func() bool {
		var full bool
		f.settle(tb)
		f.on(tb, func(*Loop) {
			if full = c.Blocked() || c.Closed(); !full {
				shared.Retain(1)
				c.Enqueue(shared, 0, len(shared.B))
			}
		})
		return full
	})
}

func TestSlowConsumer(t *testing.T) {
	r := newRecord()
	f := serve(t, func(c *Conn, req *Request) {
		if string(req.Target) == "/ws" && len(r.conn) == 0 {
			r.accepting(c, req)
			return
		}
		echo(c, req)
	}, func(o *Options) { o.MaxPending = 256 << 10 })
	f.dial(t).upgrade() // and never reads again
	c := r.conn
	conn := <-c
	r.conn <- conn // keeps the next ones from being recorded
	others := f.bystanders(t)
	shared := NewBuffer()
	shared.B = append(shared.B, encode(ws.NewBinaryFrame(make([]byte, 64<<10)))...)
	f.flood(t, conn, shared)
	for range 8 {
		f.on(t, func(*Loop) {
			if p := conn.Pending(); p > 256<<10+len(shared.B) {
				t.Errorf("%d bytes are pending", p)
			}
			shared.Retain(1)
			conn.Enqueue(shared, 0, len(shared.B))
		})
		others.check(t)
	}
	r.wantClosed(t, ErrSlowConsumer)
	if n := f.Stats().SlowConsumers; n != 1 {
		t.Errorf("counted %d slow consumers", n)
	}
	f.log.want(t, "slow consumer closed")
	f.wantConnections(t, 2)
	others.check(t)
	if n := shared.refs.Load(); n != 1 {
		t.Errorf("%d references are left, want 1", n)
	}
	f.on(t, func(*Loop) {
		shared.Retain(1)
		conn.Enqueue(shared, 0, len(shared.B)) // gone: only the reference is taken
		if conn.Pending() != 0 || !conn.Closed() || conn.RemoteAddr() != nil {
			t.Errorf("pending %d, closed %t, remote %v", conn.Pending(), conn.Closed(), conn.RemoteAddr())
		}
	})
	if n := shared.refs.Load(); n != 1 {
		t.Errorf("%d references are left, want 1", n)
	}
	shared.Release()
	f.watcher.mu.Lock()
	defer f.watcher.mu.Unlock()
	if n := len(f.watcher.waiting); n != 0 {
		t.Errorf("%d connections are watched", n)
	}
}

// TestLargeOutput has the write watcher go on as often as the peer reads.
func TestLargeOutput(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 1000 })
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	payload := make([]byte, 16<<20)
	for i := range payload {
		payload[i] = byte(i >> 3)
	}
	b := NewBuffer()
	b.B = append(b.B, payload...)
	drained := make(chan struct{})
	b.Retain(1)
	f.on(t, func(*Loop) {
		conn.Enqueue(b, 0, len(b.B)) // far over the budget, but a single write
		conn.drained = func() { close(drained) }
	})
	f.settle(t)
	f.on(t, func(*Loop) {
		if !conn.Blocked() || conn.Pending() == 0 {
			t.Errorf("blocked %t, pending %d", conn.Blocked(), conn.Pending())
		}
	})
	select {
	case <-drained:
		t.Error("said to have left before the peer has read")
	default:
	}
	got := make([]byte, len(payload))
	if _, err := io.ReadFull(c.br, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, payload) {
		t.Error("something else came")
	}
	receive(t, "the word that all has left", drained)
	c.wantEcho("and on")
	f.wantIdle(t, conn)
	if n := b.refs.Load(); n != 1 {
		t.Errorf("%d references are left, want 1", n)
	}
	b.Release()
}

// TestLastBytesOfBlockedOutput closes with output queued that the kernel does
// not take yet, and input unread.
func TestLastBytesOfBlockedOutput(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 64 << 20; o.CloseTimeout = patience })
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	b := NewBuffer()
	b.B = append(b.B, make([]byte, 16<<20)...)
	f.on(t, func(*Loop) {
		conn.Enqueue(b, 0, len(b.B))
		conn.CloseWebSocket(CloseNormal, "last words")
	})
	c.send(strings.Repeat(text("unread"), 1000))
	if n, err := io.CopyN(io.Discard, c.br, 16<<20); err != nil {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	c.wantClose(1000)
}

// TestAbortOfBlockedOutput gives everything back that will never be sent.
func TestAbortOfBlockedOutput(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 1 << 30 })
	f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	shared := NewBuffer()
	shared.B = append(shared.B, make([]byte, 1<<20)...)
	f.flood(t, conn, shared)
	f.on(t, func(*Loop) {
		conn.drained = func() { t.Error("drained was called") }
		conn.Abort(ErrTimeout)
	})
	r.wantClosed(t, ErrTimeout)
	eventually(t, "one reference to be left", func() bool { return shared.refs.Load() == 1 })
	shared.Release()
}

func TestWriteError(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting)
	f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	f.on(t, func(*Loop) {
		if err := unix.Shutdown(conn.fd, unix.SHUT_WR); err != nil {
			t.Error(err)
		}
		conn.WriteFrame(ws.OpText, []byte("x"))
	})
	err := receive(t, "OnClose", r.closed)
	var werr *WriteError
	if !errors.As(err, &werr) || !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("closed with %v", err)
	}
}

// TestResetPeer is blocked on a peer that resets.
func TestResetPeer(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 1 << 30 })
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	shared := NewBuffer()
	shared.B = append(shared.B, make([]byte, 1<<20)...)
	f.flood(t, conn, shared)
	c.reset()
	if err := receive(t, "OnClose", r.closed); err == nil {
		t.Error("closed with nil")
	}
	f.wantConnections(t, 0)
	if n := shared.refs.Load(); n != 1 {
		t.Errorf("%d references are left, want 1", n)
	}
	shared.Release()
}

func TestBufferReferences(t *testing.T) {
	b := NewBuffer()
	b.B = append(b.B, "x"...)
	b.Retain(3)
	b.ReleaseN(2)
	b.Release()
	if b.pooled == nil {
		t.Fatal("given back with a reference left")
	}
	b.Release()
	if b.pooled != nil || b.B != nil {
		t.Error("not given back with the last reference")
	}
	defer func() {
		if recover() == nil {
			t.Error("released once too often, without a panic")
		}
	}()
	new(Buffer).Release()
}
