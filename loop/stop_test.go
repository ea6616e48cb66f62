package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/panjf2000/gnet/v2"
	gerrors "github.com/panjf2000/gnet/v2/pkg/errors"
)

func TestStop(t *testing.T) {
	r := newRecord()
	p := &pending{closed: make(chan error, 1)}
	f := serve(t, func(c *Conn, req *Request) {
		if string(req.Target) == "/pending" {
			c.Attach(p)
			return
		}
		r.accepting(c, req)
	})
	w := f.dial(t).upgrade()
	h := f.dial(t)
	h.send(get("/pending"))
	eventually(t, "the request", func() (serving bool) {
		f.on(t, func(l *Loop) { serving = l.conns.stream == p })
		return serving
	})
	second := make(chan error)
	go func() { second <- f.Stop() }()
	if err := f.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := receive(t, "the other Stop", second); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := receive(t, "Serve", f.served); !errors.Is(err, ErrServerClosed) {
		t.Errorf("Serve returned %v", err)
	}
	r.wantClosed(t, ErrServerClosed)
	if err := receive(t, "OnClose", p.closed); !errors.Is(err, ErrServerClosed) {
		t.Errorf("closed with %v", err)
	}
	w.wantEnd()
	h.wantEnd()
	if _, err := net.Dial("tcp", f.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(ln); !errors.Is(err, ErrServerClosed) {
		t.Errorf("Serve after Stop returned %v", err)
	}
	if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener was left open: %v", err)
	}
	if n := f.log.count("ERROR"); n > 0 {
		t.Errorf("logged: %q", f.log.lines)
	}
}

func TestCloseListeners(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t).upgrade()
	if err := f.CloseListeners(); err != nil {
		t.Error(err)
	}
	if err := receive(t, "Serve", f.served); !errors.Is(err, ErrServerClosed) {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := net.Dial("tcp", f.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling: %v", err)
	}
	c.wantEcho("open connections go on")
}

func TestDrain(t *testing.T) {
	h := newLatecomer()
	f := serve(t, func(c *Conn, r *Request) {
		if string(r.Target) == "/late" {
			h.ServeRequest(c, r)
			return
		}
		echo(c, r)
	})
	socket, fresh, idle, part, body, late := f.dial(t).upgrade(), f.dial(t), f.dial(t), f.dial(t), f.dial(t), f.dial(t)
	idle.send(get("/"))
	idle.want(200, "GET / ")
	part.send(get("/part")[:10])
	body.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
	late.send(get("/late"), get("/next"))
	conn := receive(t, "the late request", h.served)
	f.wantConnections(t, 6)
	eventually(t, "the beginnings", func() bool {
		begun := 0
		f.on(t, func(l *Loop) {
			for c := l.conns; c != nil; c = c.next {
				if c.http != nil {
					begun++
				}
			}
		})
		return begun == 3
	})
	f.Drain()
	fresh.wantEnd()
	idle.wantEnd()
	part.wantEnd()
	socket.wantEcho("a WebSocket is for its Stream to end")
	body.send("b")
	if res := body.want(200, "POST /body ab"); !res.Close {
		t.Error("the response does not say that the connection ends")
	}
	body.wantEnd()
	answer(t, conn)
	if res := late.want(200, "/late"); !res.Close {
		t.Error("the response does not say that the connection ends")
	}
	late.wantEnd()
}

// end makes a loop end by itself.
func (f *fixture) end(tb testing.TB, l *Loop) {
	tb.Helper()
	err := l.gnet.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error { return gerrors.ErrEngineShutdown }))
	if err != nil {
		tb.Fatal(err)
	}
}

func TestLoopEndsByItself(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.Loops = 2 })
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	f.end(t, conn.loop)
	if err := receive(t, "Serve", f.served); !errors.Is(err, ErrReactorStopped) {
		t.Errorf("Serve returned %v", err)
	}
	f.log.want(t, "ERROR", "an event loop ended by itself")
	r.wantClosed(t, ErrReactorStopped)
	c.wantEnd()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.Await(ctx, conn.loop, func(*Loop) { t.Error("ran on a loop that has ended") }); !errors.Is(err, ErrReactorStopped) {
		t.Errorf("Await returned %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(ln); !errors.Is(err, ErrReactorStopped) {
		t.Errorf("Serve returned %v", err)
	}
	if err := f.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// TestLoopEndsWhileAcceptingIsPaused wants the pause to end, too.
func TestLoopEndsWhileAcceptingIsPaused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, echo)
	starved := &flakyListener{Listener: ln}
	for range 10_000 {
		starved.errors = append(starved.errors, syscall.EMFILE)
	}
	f.serveOn(t, starved)
	f.log.want(t, "accepting is paused", "for=40ms")
	f.end(t, f.loops[0])
	if err := receive(t, "Serve", f.served); !errors.Is(err, ErrReactorStopped) {
		t.Errorf("Serve returned %v", err)
	}
}

// TestStopWhileRefusing waits no longer than a refusal may take for a peer that stays.
func TestStopWhileRefusing(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.MaxConnections = 1 })
	f.dial(t).upgrade()
	c := f.dial(t)
	if _, err := c.br.Peek(1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- f.Stop() }()
	if err := receive(t, "Stop", done); err != nil {
		t.Error(err)
	}
}

// TestStopWithOutput does not wait for peers that do not read.
func TestStopWithOutput(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 1 << 30 })
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	b := NewBuffer()
	b.B = append(b.B, make([]byte, 1<<20)...)
	f.flood(t, conn, b)
	if err := f.Stop(); err != nil {
		t.Error(err)
	}
	r.wantClosed(t, ErrServerClosed)
	if n := b.refs.Load(); n != 1 {
		t.Errorf("%d references are left, want 1", n)
	}
	b.Release()
	_, _ = io.Copy(io.Discard, c.br)
}

// TestPostsDuringStop never run once it has returned.
func TestPostsDuringStop(t *testing.T) {
	for range 5 {
		f := start(t, echo, func(o *Options) { o.Loops = 2 })
		quit, quitted := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(quitted)
			for {
				select {
				case <-quit:
					return
				default:
					for _, l := range f.loops {
						l.Post(TaskFunc(func(l *Loop) {
							l.Schedule(new(Timer), time.Millisecond, timerFunc(func(*Loop, *Timer) {}))
						}))
					}
				}
			}
		}()
		f.on(t, func(*Loop) {})
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
		for _, l := range f.loops {
			l.Post(TaskFunc(func(*Loop) { t.Error("a task ran behind Stop") }))
		}
		close(quit)
		<-quitted
	}
}

// TestCallsInOnClose has a Stream use the connection that is over.
func TestCallsInOnClose(t *testing.T) {
	done := make(chan struct{})
	s := &lastCalls{done: done}
	f := serve(t, func(c *Conn, r *Request) { accept(c, r, s) })
	f.dial(t).upgrade().Close()
	receive(t, "OnClose", done)
	f.wantConnections(t, 0)
}

type lastCalls struct {
	echoStream

	done chan struct{}
}

func (s *lastCalls) OnClose(c *Conn, _ error) {
	b := NewBuffer()
	b.B = append(b.B, 'x')
	c.Enqueue(b, 0, 1)
	c.WriteFrame(ws.OpText, []byte("x"))
	c.CloseWebSocket(CloseNormal, "")
	c.Abort(ErrTimeout)
	if c.Closed() && b.pooled == nil {
		close(s.done)
	}
}
