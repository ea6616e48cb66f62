package engine

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// A session whose handshake is refused at the last moment never was: it is counted
// as nothing, though CloseAll saw it.
func TestHandshakeRefusedAtTheLastMoment(t *testing.T) {
	var server atomic.Pointer[Server]
	f := serve(t, func(c *config) {
		c.MaxSessionsPerAddress = 3
		c.reactor.Deflate = &loop.Deflate{}
		var calls atomic.Int32
		c.Hooks.InitialHeaders = func(http.Header, *http.Request) {
			if calls.Add(1) == 2 {
				for _, s := range server.Load().sessions.all() {
					s.Discard() // as CloseAll does
				}
			}
		}
		c.Hooks.Close = func(s *Session, _ CloseReason, _ error) {
			if s.receiver == nil {
				t.Error("told of the end of a session that never was")
			}
		}
	})
	server.Store(f.Server)
	c := f.poll(t)
	a := f.dial(t).do(http.MethodGet, websocketTarget, "", append([]string{"Sec-WebSocket-Extensions: @"}, upgradeHeader...)...)
	if a.status != 400 {
		t.Errorf("answer %v", a)
	}
	c.wantClosed(t, ForcedClose, nil)
	if err := f.reactor.Await(t.Context(), f.reactor.Loops()[0], func(*loop.Loop) {}); err != nil { // behind what Discard posted
		t.Fatal(err)
	}
	if n, held := f.Sessions(), f.held.Addresses(); n != 0 || held != 0 {
		t.Errorf("%d sessions, %d addresses are counted", n, held)
	}
}

// A hook that panics takes nothing along: what it was told of goes on.
func TestPanicInHooks(t *testing.T) {
	var told atomic.Int32
	fail := func() { told.Add(1); panic("in a hook") }
	f := serve(t, func(c *config) {
		c.MaxSessionsPerAddress = 1
		c.Hooks = Hooks{
			ConnectionError: func(*ConnectionError) { fail() },
			InitialHeaders:  func(http.Header, *http.Request) { fail() },
			Headers:         func(http.Header, *http.Request) { fail() },
			Packet:          func(*Session, engineio.Packet) { fail() },
			PacketCreate:    func(*Session, engineio.Packet) { fail() },
			Flush:           func(*Session) { fail() },
			Drain:           func(*Session) { fail() },
			Heartbeat:       func(*Session) { fail() },
			Upgrading:       func(*Session) { fail() },
			Upgrade:         func(*Session) { fail() },
			Close:           func(*Session, CloseReason, error) { fail() },
		}
	})
	for range 2 { // the second one shows that the first was given back
		c := f.poll(t)
		c.wantEcho("over polling")
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		k.write("5")
		k.wantEcho("over WebSocket")
		if a := f.dial(t).do(http.MethodGet, pollingTarget, ""); a.status != 429 {
			t.Errorf("a second session: %v", a)
		}
		c.Close()
		c.wantClosed(t, ForcedClose, nil)
		eventually(t, "the end of the session", func() bool { return f.held.Addresses() == 0 })
		s := f.connect(t)
		s.wantEcho("from the start")
		s.conn.Close()
		s.wantClosed(t, TransportClose, nil)
		eventually(t, "the end of the session", func() bool { return f.held.Addresses() == 0 })
	}
	if told.Load() == 0 {
		t.Error("no hook was told")
	}
}
