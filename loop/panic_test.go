package loop

import (
	"io"
	"testing"
	"time"
)

// panicky is a Stream whose callbacks panic, each when asked to.
type panicky struct {
	echoStream

	closed chan error
}

func (p *panicky) OnMessage(c *Conn, binary bool, payload []byte) {
	if string(payload) == "panic" {
		panic("in OnMessage")
	}
	p.echoStream.OnMessage(c, binary, payload)
}

func (p *panicky) OnClose(_ *Conn, err error) {
	p.closed <- err
	panic("in OnClose")
}

// TestPanics wants each panic to be reported with its stack and to end the
// connection that it belongs to, if any, and no other.
func TestPanics(t *testing.T) {
	h := newLatecomer()
	streams := make(chan *panicky, 1)
	f := serve(t, func(c *Conn, r *Request) {
		switch string(r.Target) {
		case "/panic":
			panic("in ServeRequest")
		case "/late":
			h.ServeRequest(c, r)
		case "/ws":
			p := &panicky{closed: make(chan error, 1)}
			accept(c, r, p)
			if c.stream != nil {
				select {
				case streams <- p:
				default: // a bystander's
				}
			}
		default:
			echo(c, r)
		}
	})
	others := f.bystanders(t)
	<-streams
	// wantReport runs what panics and wants one log line with the stack.
	wantReport := func(t *testing.T, what, where string, n int, provoke func()) {
		t.Helper()
		before := f.log.count("panic in callback", what, where)
		provoke()
		eventually(t, "the report", func() bool { return f.log.count("panic in callback", what, where) == before+n })
		others.check(t)
		f.wantConnections(t, 2)
	}
	t.Run("ServeRequest", func(t *testing.T) {
		wantReport(t, "in ServeRequest", "TestPanics", 1, func() {
			c := f.dial(t)
			c.send(get("/panic"), get("/not-served"))
			c.wantEnd()
		})
	})
	t.Run("ServeRequest with a body in parts", func(t *testing.T) {
		wantReport(t, "in ServeRequest", "TestPanics", 1, func() {
			c := f.dial(t)
			f.wantConnections(t, 3)
			f.feed(t, f.conn(t), "POST /panic HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
			c.send("b")
			c.wantEnd()
		})
	})
	t.Run("ServeRequest of a request that had to wait", func(t *testing.T) {
		wantReport(t, "in ServeRequest", "TestPanics", 1, func() {
			c := f.dial(t)
			c.send(get("/late"), get("/panic"))
			answer(t, receive(t, "the request", h.served))
			// The answer has left or not: the connection is cut.
			_, _ = io.Copy(io.Discard, c)
		})
	})
	t.Run("OnMessage and OnClose", func(t *testing.T) {
		wantReport(t, "in OnClose", "(*panicky).OnClose", 1, func() {
			wantReport(t, "in OnMessage", "(*panicky).OnMessage", 1, func() {
				c := f.dial(t).upgrade()
				c.send(text("fine"), text("panic"), text("not heard"))
				p := receive(t, "the stream", streams)
				if err := receive(t, "OnClose", p.closed); err != ErrPanic { //nolint:errorlint // exactly this one
					t.Errorf("closed with %v", err)
				}
				// What came before has left or not: the connection is cut.
			})
		})
	})
	t.Run("OnClose", func(t *testing.T) {
		wantReport(t, "in OnClose", "(*panicky).OnClose", 1, func() {
			f.dial(t).upgrade().Close()
			_ = receive(t, "OnClose", receive(t, "the stream", streams).closed)
		})
	})
	t.Run("task", func(t *testing.T) {
		wantReport(t, "in a task", "TestPanics", 1, func() {
			ran := make(chan struct{})
			f.loops[0].Post(TaskFunc(func(*Loop) { panic("in a task") }))
			f.loops[0].Post(TaskFunc(func(*Loop) { close(ran) }))
			receive(t, "the next task", ran)
		})
	})
	t.Run("timer", func(t *testing.T) {
		wantReport(t, "in a timer", "TestPanics", 1, func() {
			ran := make(chan struct{})
			f.on(t, func(l *Loop) {
				l.Schedule(new(Timer), time.Millisecond, timerFunc(func(*Loop, *Timer) { panic("in a timer") }))
				l.Schedule(new(Timer), time.Millisecond, timerFunc(func(*Loop, *Timer) { close(ran) }))
			})
			receive(t, "the next timer", ran)
		})
	})
	t.Run("what runs when output has left", func(t *testing.T) {
		wantReport(t, "in drained", "TestPanics", 1, func() {
			c := f.dial(t)
			c.send(get("/"))
			c.want(200, "GET / ")
			conn := f.conn(t)
			f.on(t, func(*Loop) {
				conn.drained = func() { panic("in drained") }
				conn.markDirty()
			})
			c.wantEnd()
		})
	})
}
