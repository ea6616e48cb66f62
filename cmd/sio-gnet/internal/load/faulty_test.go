package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/sio-gnet/sio-gnet/codec/socketio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// fault is what a faulty server does to a message.
type fault uint8

const (
	sound fault = iota
	lose
	double
	swap // send it behind the next one of the same sender to the same client
	stall
)

// faulty is a Socket.IO server over WebSocket that makes mistakes on purpose and counts
// them. It shares no code with the generator but the codec.
type faulty struct {
	judge func(n int64) fault // what becomes of the n-th message that can be checked
	delay time.Duration       // before each message that is stalled
	late  bool                // it swaps
	churn bool                // clients enter and leave their rooms
	deaf  bool                // it reads nothing once a client is in
	leaky bool                // who leaves a room stays in it

	messages, lost, doubled, swapped atomic.Int64
	crowd                            sync.WaitGroup

	mu    sync.Mutex
	over  chan struct{} // closed in the end
	conns map[*faultyConn]struct{}
	rooms map[string][]*faultyConn // who was in first is first
}

// faultyConn is one of its clients.
type faultyConn struct {
	server *faulty
	conn   net.Conn
	ops    int // joins and leaves that it has asked for

	mu   sync.Mutex
	held map[string][]byte // by sender, what waits for the next message
}

// serve starts the server, and returns its URL.
func (f *faulty) serve(t *testing.T) string {
	t.Helper()
	f.over = make(chan struct{})
	f.conns, f.rooms = map[*faultyConn]struct{}{}, map[string][]*faultyConn{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f, ReadHeaderTimeout: patience}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		close(f.over)
		f.mu.Lock()
		for c := range f.conns {
			c.conn.Close()
		}
		f.mu.Unlock()
		f.crowd.Wait()
	})
	return "http://" + ln.Addr().String()
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	c := &faultyConn{server: f, conn: conn, held: map[string][]byte{}}
	f.mu.Lock()
	f.conns[c] = struct{}{}
	f.mu.Unlock()
	f.crowd.Go(c.run)
}

func (c *faultyConn) run() {
	defer c.leaveAll()
	c.write([]byte(`0{"sid":"s","upgrades":[],"pingInterval":60000,"pingTimeout":60000,"maxPayload":1000000}`))
	for {
		b, op, err := wsutil.ReadClientData(c.conn)
		if err != nil {
			return
		}
		if op != ws.OpText || len(b) == 0 || b[0] != '4' {
			continue
		}
		p, err := socketio.Decode(b[1:], nil, socketio.Limits{})
		if err != nil {
			return
		}
		switch p.Type {
		case socketio.Connect:
			c.write([]byte(`40{"sid":"x"}`))
			if c.server.deaf {
				<-c.server.over
				return
			}
		case socketio.Event:
			c.event(p)
		}
	}
}

func (c *faultyConn) leaveAll() {
	c.conn.Close()
	f := c.server
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	for room := range f.rooms {
		f.remove(room, c)
	}
}

// remove takes a client out of a room. The lock is held.
func (f *faulty) remove(room string, c *faultyConn) {
	var rest []*faultyConn
	for _, other := range f.rooms[room] {
		if other != c {
			rest = append(rest, other)
		}
	}
	f.rooms[room] = rest
}

// event does what the events say that sio-gnet's bench application has.
func (c *faultyConn) event(p socketio.Packet) {
	f := c.server
	name, _ := socketio.EventName(p.Args[0])
	switch string(name) {
	case "echo":
		if p.HasID {
			c.send(ack(p.ID, p.Args[1:]))
		} else {
			c.send(event("echo", p.Args[1:]))
		}
	case "bcast":
		f.toAll(c, f.all(), event("bcast", p.Args[1:]))
	case "rcast":
		f.mu.Lock()
		members := append([]*faultyConn(nil), f.rooms[string(p.Args[1])]...)
		f.mu.Unlock()
		f.toAll(c, members, event("rcast", p.Args[2:]))
	case "join", "leave":
		room := string(p.Args[1])
		f.mu.Lock()
		if string(name) == "join" {
			f.remove(room, c)
			f.rooms[room] = append(f.rooms[room], c)
		} else if !f.leaky {
			f.remove(room, c)
		}
		f.mu.Unlock()
		// The first join may be that of who watches, which has to work.
		if c.ops++; c.ops == 1 {
			c.write(ack(p.ID, nil))
		} else {
			c.send(ack(p.ID, nil))
		}
	}
}

func (f *faulty) all() (all []*faultyConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		all = append(all, c)
	}
	return all
}

// toAll sends to the members of a room. In rooms that clients enter and leave, only the
// first and the sender know what they must get: nothing is done to what others get, and
// nothing comes so late that it can't be told from what they must not get.
func (f *faulty) toAll(from *faultyConn, members []*faultyConn, b []byte) {
	for i, c := range members {
		if f.churn && (i > 0 && c != from || f.late) {
			c.write(b)
		} else {
			c.send(b)
		}
	}
}

func ack(id uint64, args [][]byte) []byte {
	return list(socketio.AppendHeader([]byte("4"), socketio.Ack, "/", id, true, 0), args)
}

func event(name string, args [][]byte) []byte {
	return list(socketio.AppendHeader([]byte("4"), socketio.Event, "/", 0, false, 0), append([][]byte{[]byte(`"` + name + `"`)}, args...))
}

func list(b []byte, args [][]byte) []byte {
	b = append(b, '[')
	for i, arg := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, arg...)
	}
	return append(b, ']')
}

// sender finds out whose message it is, by its stamp: acknowledgements have no other.
func sender(b []byte) string {
	_, rest, _ := bytes.Cut(b, []byte(`,"`))
	s, _ := stats.ParseStamp(rest)
	return fmt.Sprint(s.Group, s.Sender)
}

// send writes a message, unless it makes a mistake.
func (c *faultyConn) send(b []byte) {
	f := c.server
	verdict := sound
	if f.judge != nil {
		verdict = f.judge(f.messages.Add(1))
	}
	c.mu.Lock()
	from := sender(b)
	held := c.held[from]
	delete(c.held, from)
	if verdict == swap && held == nil {
		c.held[from] = b
		time.AfterFunc(time.Second, func() { c.release(from, b) })
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	switch verdict {
	case lose:
		f.lost.Add(1)
	case double:
		f.doubled.Add(1)
		c.write(b)
		c.write(b)
	case stall:
		time.Sleep(f.delay)
		c.write(b)
	default:
		c.write(b)
	}
	if held != nil {
		f.swapped.Add(1)
		c.write(held)
	}
}

// release writes what was held, if no message came behind which it could be.
func (c *faultyConn) release(from string, b []byte) {
	c.mu.Lock()
	held := c.held[from]
	waits := len(held) > 0 && &held[0] == &b[0]
	if waits {
		delete(c.held, from)
	}
	c.mu.Unlock()
	if waits {
		c.write(b)
	}
}

func (c *faultyConn) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = wsutil.WriteServerText(c.conn, b) // a client that has gone needs nothing
}
