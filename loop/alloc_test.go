package loop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// steadily calls do in turns of their own, on the loop, until all pools are
// filled, and then counts the allocations of one. The turn's output leaves
// before it ends.
func (f *fixture) steadily(tb testing.TB, c *Conn, input string, runs int) float64 {
	tb.Helper()
	h := &gnetHandler{reactor: f.Reactor}
	buf := make([]byte, len(input))
	turn := func() {
		copy(buf, input) // it is unmasked in place
		c.loop.beginInput(c)
		h.handleInput(c, buf)
		c.loop.endInput(c)
	}
	var allocs float64
	f.on(tb, func(*Loop) {
		for range 20 {
			turn()
		}
		allocs = testing.AllocsPerRun(runs, turn)
	})
	return allocs
}

// discard reads on so that no output is ever blocked.
func (c *client) discard() {
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := c.br.Read(buf); err != nil {
				return
			}
		}
	}()
}

func TestNormalPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	f := serve(t, func(c *Conn, r *Request) {
		if r.Upgrade != nil {
			echo(c, r)
			return
		}
		_ = c.Respond(Response{Status: 200, ContentType: "text/plain", Body: r.Body})
	})
	socket := f.dial(t).upgrade()
	socketConn := f.conn(t)
	socket.discard()
	plain := f.dial(t)
	f.wantConnections(t, 2)
	plainConn := f.conn(t)
	plain.discard()
	for _, tt := range []struct {
		name  string
		c     *Conn
		input string
	}{
		{"a message and its echo", socketConn, text("hello")},
		{"a message in fragments", socketConn, frame(ws.OpText, false, "a") + frame(ws.OpContinuation, true, "b")},
		{"a ping", socketConn, frame(ws.OpPing, true, "p")},
		{"a request", plainConn, get("/some/path?and=query")},
		{"a request with a body", plainConn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n := f.steadily(t, tt.c, tt.input, 500); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	t.Run("a shared frame to a connection", func(t *testing.T) {
		shared := NewBuffer()
		shared.B = append(shared.B, serverFrame("shared")...)
		f.on(t, func(l *Loop) {
			send := func() {
				shared.Retain(1)
				socketConn.Enqueue(shared, 0, len(shared.B))
				l.flushAll()
			}
			send()
			if n := testing.AllocsPerRun(500, send); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
		shared.Release()
	})
}

func BenchmarkEcho(b *testing.B) {
	f := serve(b, echo)
	for _, size := range []int{16, 1024, 16384} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := f.dial(b).upgrade()
			message := text(strings.Repeat("x", size))
			reply := make([]byte, len(serverFrame(strings.Repeat("x", size))))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c.send(message)
				for got := 0; got < len(reply); {
					n, err := c.br.Read(reply[got:])
					if err != nil {
						b.Fatal(err)
					}
					got += n
				}
			}
		})
	}
}

// BenchmarkPost is the cost of handing a task to another goroutine's loop.
func BenchmarkPost(b *testing.B) {
	f := start(b, echo)
	l := f.loops[0]
	ran := 0
	task := TaskFunc(func(*Loop) { ran++ })
	b.ReportAllocs()
	for b.Loop() {
		l.Post(task)
	}
	f.on(b, func(*Loop) {})
}
