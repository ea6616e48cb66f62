package loop

import (
	"testing"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// The first write that passes the byte budget goes through, and so does a group of
// writes, but nothing that comes while others wait.
func TestGroupOfWrites(t *testing.T) {
	const budget, large = 1000, 8 << 20 // more than the kernel takes
	type step struct {
		group  bool
		writes []int // sizes
	}
	for _, tt := range []struct {
		name  string
		steps []step
		cut   bool
	}{
		{"a write", []step{{writes: []int{large}}}, false},
		{"a group", []step{{true, []int{10, large, 10, large}}}, false},
		{"a group behind what the kernel takes", []step{{writes: []int{500}}, {true, []int{10, large, large}}}, false},
		{"the same writes apart", []step{{writes: []int{10, large, 10}}}, true},
		{"a write behind a group", []step{{true, []int{large, 10}}, {writes: []int{10}}}, true},
		{"a group behind a write", []step{{writes: []int{large}}, {true, []int{10}}}, true},
		{"a group behind a group", []step{{true, []int{10, large}}, {true, []int{10, large}}}, true},
		{"a group of one behind a group", []step{{true, []int{10, large}}, {true, []int{10}}}, true},
		{"an empty group", []step{{group: true}, {writes: []int{large}}, {group: true}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecord()
			f := serve(t, r.accepting, func(o *Options) { o.MaxPending = budget })
			f.dial(t).upgrade() // and never reads
			conn := receive(t, "the connection", r.conn)
			shared := NewBuffer()
			shared.B = append(shared.B, make([]byte, large)...)
			f.on(t, func(*Loop) {
				for _, s := range tt.steps {
					if s.group {
						conn.BeginGroup()
					}
					for _, n := range s.writes {
						shared.Retain(1)
						conn.Enqueue(shared, 0, n)
					}
					if s.group {
						conn.EndGroup()
					}
				}
				if conn.Closed() != tt.cut {
					t.Errorf("closed: %t", conn.Closed())
				}
				conn.Abort(ErrTimeout)
			})
			if tt.cut {
				r.wantClosed(t, ErrSlowConsumer)
			} else {
				r.wantClosed(t, ErrTimeout)
			}
			f.wantConnections(t, 0)
			if n := shared.refs.Load(); n != 1 {
				t.Errorf("%d references are left, want 1", n)
			}
			shared.Release()
		})
	}
}

// The budget is the connection's: a group of writes to one is none of another's.
func TestGroupOfWritesIsOneConnections(t *testing.T) {
	r := newRecord()
	f := serve(t, r.accepting, func(o *Options) { o.MaxPending = 1000 })
	f.dial(t).upgrade()
	one := receive(t, "the connection", r.conn)
	f.dial(t).upgrade()
	other := receive(t, "the connection", r.conn)
	f.on(t, func(*Loop) {
		other.WriteFrame(ws.OpBinary, make([]byte, 8<<20))
		one.BeginGroup()
		other.WriteFrame(ws.OpBinary, make([]byte, 10))
		one.EndGroup()
		if !other.Closed() || one.Closed() {
			t.Errorf("closed: %t, want true, and %t, want false", other.Closed(), one.Closed())
		}
	})
	r.wantClosed(t, ErrSlowConsumer)
}

// Where a goroutine writes, what came while it was at it does not count as waiting.
func TestBudgetWhileAGoroutineWrites(t *testing.T) {
	r := newRecord()
	f := start(t, r.accepting, func(o *Options) { o.MaxPending = 1000 })
	c := dial(t, "tcp", testhost.Serve(t, testhost.TLS, f.Reactor)).upgrade()
	conn := receive(t, "the connection", r.conn)
	f.on(t, func(*Loop) {
		conn.WriteFrame(ws.OpText, []byte("under way"))
		conn.flush()
		conn.WriteFrame(ws.OpText, []byte("behind it"))
		conn.WriteFrame(ws.OpBinary, make([]byte, 2*socketSlack))
		if conn.Closed() {
			t.Error("closed by one large write")
		}
		conn.WriteFrame(ws.OpText, []byte("too much"))
		if !conn.Closed() {
			t.Error("not closed by what is behind that")
		}
	})
	r.wantClosed(t, ErrSlowConsumer)
	f.wantConnections(t, 0)
	c.Close()
}
