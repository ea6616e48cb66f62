package loop

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestFramesInAnyPieces(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t).upgrade()
	conn := f.conn(t)
	type message struct {
		op      ws.OpCode
		payload string
	}
	for _, tt := range []struct {
		name, input string
		want        []message
	}{
		{"text", text("grüße €"), []message{{ws.OpText, "grüße €"}}},
		{"empty", text(""), []message{{ws.OpText, ""}}},
		{"binary", frame(ws.OpBinary, true, "\x00\xff"), []message{{ws.OpBinary, "\x00\xff"}}},
		{"two messages", text("one") + text("two"), []message{{ws.OpText, "one"}, {ws.OpText, "two"}}},
		{"16 bits of length", text(strings.Repeat("é", 100)), []message{{ws.OpText, strings.Repeat("é", 100)}}},
		{
			"fragments that split a rune",
			frame(ws.OpText, false, "a\xe2") + frame(ws.OpContinuation, false, "\x82") +
				frame(ws.OpContinuation, false, "") + frame(ws.OpContinuation, true, "\xacb"),
			[]message{{ws.OpText, "a€b"}},
		},
		{
			"empty fragments",
			frame(ws.OpBinary, false, "") + frame(ws.OpContinuation, true, ""),
			[]message{{ws.OpBinary, ""}},
		},
		{
			"control frames between fragments",
			frame(ws.OpText, false, "a") + frame(ws.OpPing, true, "p1") + frame(ws.OpContinuation, false, "b") +
				frame(ws.OpPong, true, "unasked") + frame(ws.OpPing, true, "") + frame(ws.OpContinuation, true, "c"),
			[]message{{ws.OpPong, "p1"}, {ws.OpPong, ""}, {ws.OpText, "abc"}},
		},
		{"largest ping", frame(ws.OpPing, true, strings.Repeat("p", 125)), []message{{ws.OpPong, strings.Repeat("p", 125)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.tb = t
			for _, parts := range splits(tt.input) {
				f.feed(t, conn, parts...)
				for _, m := range tt.want {
					c.wantFrame(m.op, m.payload)
				}
				f.wantIdle(t, conn)
			}
		})
	}
}

func TestMessagesOfAllSizes(t *testing.T) {
	const limit = 200_000
	f := serve(t, echo, func(o *Options) { o.MaxMessage = limit })
	c := f.dial(t).upgrade()
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 65537, limit} {
		c.wantEcho(strings.Repeat("x", size))
		half := strings.Repeat("y", size/2)
		c.send(frame(ws.OpBinary, false, half), frame(ws.OpContinuation, true, half))
		c.wantFrame(ws.OpBinary, half+half)
	}
	f.wantIdle(t, f.conn(t))
	c.send(text(strings.Repeat("x", limit+1)))
	c.wantClose(1009)
}

// TestFrameBehindTheUpgradeRequest shows E96.
func TestFrameBehindTheUpgradeRequest(t *testing.T) {
	f := serve(t, echo)
	for _, parts := range splits(upgradeRequest + text("early") + text("bird")) {
		c := f.dial(t)
		f.wantConnections(t, 1)
		f.feed(t, f.conn(t), parts...)
		c.wantUpgraded()
		c.wantFrame(ws.OpText, "early")
		c.wantFrame(ws.OpText, "bird")
		f.wantIdle(t, f.conn(t))
		c.reset()
		f.wantConnections(t, 0)
	}
}

// TestLateAccept answers the upgrade from a task, with frames waiting.
func TestLateAccept(t *testing.T) {
	type wish struct {
		c  *Conn
		hs Handshake
	}
	wishes := make(chan wish, 1)
	f := serve(t, func(c *Conn, r *Request) {
		hs, refusal := CheckHandshake(r)
		if refusal != nil {
			panic(refusal.Status)
		}
		wishes <- wish{c, hs}
	})
	c := f.dial(t)
	c.send(upgradeRequest, text("early"), text("bird"))
	w := receive(t, "the upgrade", wishes)
	eventually(t, "the frames", func() bool {
		var kept int
		f.on(t, func(*Loop) {
			if w.c.input != nil {
				kept = len(w.c.input.B)
			}
		})
		return kept == len(text("early")+text("bird"))
	})
	accepted := make(chan error, 1)
	inside := false // on the loop
	f.loops[0].Post(TaskFunc(func(*Loop) {
		inside = true
		accepted <- w.c.AcceptWebSocket(w.hs, []byte("X-Late: yes\r\n"), streamFunc(func(c *Conn, payload []byte) {
			if inside {
				t.Error("OnMessage was called inside AcceptWebSocket")
			}
			c.WriteFrame(ws.OpText, payload)
		}))
		inside = false
	}))
	if err := receive(t, "AcceptWebSocket", accepted); err != nil {
		t.Fatal(err)
	}
	if res := c.response("GET"); res.StatusCode != 101 || res.Header.Get("X-Late") != "yes" {
		t.Errorf("got %d %v", res.StatusCode, res.Header)
	}
	c.wantFrame(ws.OpText, "early")
	c.wantFrame(ws.OpText, "bird")
	c.wantEcho("on time")
	f.on(t, func(*Loop) {
		if err := w.c.AcceptWebSocket(w.hs, nil, nil); !errors.Is(err, ErrState) {
			t.Errorf("a second AcceptWebSocket: %v", err)
		}
		if err := w.c.Respond(Response{Status: 200}); !errors.Is(err, ErrState) {
			t.Errorf("Respond on a WebSocket: %v", err)
		}
	})
}

// streamFunc is a Stream of a function.
type streamFunc func(c *Conn, payload []byte)

func (f streamFunc) OnMessage(c *Conn, _ bool, payload []byte) { f(c, payload) }
func (streamFunc) OnClose(*Conn, error)                        {}

func TestPeerCloses(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          ws.StatusCode // in the answer; 1005: none
		err           CloseError
	}{
		{"code and reason", "\x03\xe8bye", 1000, CloseError{1000, "bye"}},
		{"code", "\x03\xe9", 1001, CloseError{1001, ""}},
		{"private code", "\x0f\xa0", 4000, CloseError{4000, ""}},
		{"nothing", "", 1005, CloseError{1005, ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecord()
			f := serve(t, r.accepting)
			c := f.dial(t).upgrade()
			c.send(text("last"), frame(ws.OpClose, true, tt.payload), text("too late"))
			c.wantFrame(ws.OpText, "last")
			c.wantClose(tt.want)
			var closed *CloseError
			if err := receive(t, "OnClose", r.closed); !errors.As(err, &closed) || *closed != tt.err {
				t.Errorf("closed with %v, want %v", err, &tt.err)
			}
			c.Close()
			f.wantConnections(t, 0)
			if len(r.closed) > 0 {
				t.Error("OnClose was called twice")
			}
		})
	}
	t.Run("without a close frame", func(t *testing.T) {
		r := newRecord()
		f := serve(t, r.accepting)
		f.dial(t).upgrade().Close()
		r.wantClosed(t, io.EOF)
	})
	t.Run("in the middle of a message", func(t *testing.T) {
		r := newRecord()
		f := serve(t, r.accepting)
		c := f.dial(t).upgrade()
		c.send(frame(ws.OpText, false, "never ends"), frame(ws.OpContinuation, true, "cut")[:7])
		c.closeWrite()
		r.wantClosed(t, io.EOF)
	})
}

func TestServerCloses(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting)
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	f.on(t, func(*Loop) {
		conn.WriteFrame(ws.OpText, []byte("last"))
		conn.CloseWebSocket(CloseGoing, "so long")
		conn.CloseWebSocket(CloseNormal, "twice")
		conn.WriteFrame(ws.OpText, []byte("behind the end"))
		b := NewBuffer()
		b.B = append(b.B, "behind the end"...)
		conn.Enqueue(b, 0, len(b.B))
	})
	c.wantFrame(ws.OpText, "last")
	c.send(text("not heard")) // the peer may not know yet
	c.wantClose(1001)
	f.on(t, func(*Loop) {
		if !conn.Closed() {
			t.Error("the connection says that it is open")
		}
	})
	c.Close()
	f.wantConnections(t, 0)
	if len(r.closed) > 0 {
		t.Errorf("OnClose was told of the program's own close: %v", <-r.closed)
	}
}

// TestPeerIgnoresClose has a peer that neither answers nor closes.
func TestPeerIgnoresClose(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.CloseTimeout = 30 * time.Millisecond })
	f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	f.on(t, func(*Loop) { conn.CloseWebSocket(CloseNormal, "") })
	f.wantConnections(t, 0)
}

func TestAttach(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting)
	c := f.dial(t).upgrade()
	conn := receive(t, "the connection", r.conn)
	other := newRecord()
	f.on(t, func(*Loop) {
		if !conn.Attached(r) || conn.Attached(other) {
			t.Error("attached to the wrong stream")
		}
		conn.Attach(other)
	})
	c.wantEcho("to the other")
	f.on(t, func(*Loop) { conn.Abort(ErrTimeout); conn.Abort(ErrPanic) })
	other.wantClosed(t, ErrTimeout)
	if len(r.closed) > 0 {
		t.Error("a detached stream was told")
	}
}

func TestPutFrameHeader(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		b := make([]byte, FrameHeadroom, FrameHeadroom+size)
		payload := strings.Repeat("x", size)
		b = append(b, payload...)
		start := PutFrameHeader(b[:FrameHeadroom], true, size)
		if got, want := string(b[start:]), encode(ws.NewBinaryFrame([]byte(payload))); got != want {
			t.Errorf("size %d: got %.20q, want %.20q", size, got, want)
		}
	}
}
