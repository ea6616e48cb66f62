package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

// hookLog is what the hooks of a session told, in order.
type hookLog struct {
	mu  sync.Mutex
	all []string
}

func (l *hookLog) add(format string, args ...any) {
	l.mu.Lock()
	l.all = append(l.all, fmt.Sprintf(format, args...))
	l.mu.Unlock()
}

// want waits until the hooks told this much, and fails if it was something else.
func (l *hookLog) want(tb testing.TB, want ...string) {
	tb.Helper()
	eventually(tb, "hooks", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.all) >= len(want) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.all, want) {
		tb.Errorf("hooks told\n%s\nwant\n%s", strings.Join(l.all, "\n"), strings.Join(want, "\n"))
	}
	l.all = nil
}

func (l *hookLog) hooks() Hooks {
	show := func(what string) func(*Session, engineio.Packet) {
		return func(_ *Session, p engineio.Packet) {
			l.add("%s %v %s", what, p.Type, show(p.Data, p.Binary))
		}
	}
	tell := func(what string) func(*Session) { return func(*Session) { l.add("%s", what) } }
	return Hooks{
		Packet: show("packet"), PacketCreate: show("create"), Flush: tell("flush"), Drain: tell("drain"),
		Heartbeat: tell("heartbeat"), Upgrading: tell("upgrading"), Upgrade: tell("upgrade"),
		Close: func(_ *Session, reason CloseReason, err error) { l.add("close %s, %v", reason, err) },
	}
}

// TestSessionHooks shows E83 and E84: what is told, in this order.
func TestSessionHooks(t *testing.T) {
	var log hookLog
	f := serve(t, func(c *config) { c.Hooks = log.hooks() })
	c := f.poll(t)
	c.wantPost("4a")
	log.want(t, "packet message a", "create message a")
	c.wantPoll("4a")
	log.want(t, "flush", "drain")
	c.wantPost("3")
	log.want(t, "packet pong ", "heartbeat")

	k := f.websocket(t, strings.Replace(c.target, "polling", "websocket", 1), nil)
	k.write("2probe")
	k.want("3probe")
	log.want(t, "upgrading")
	k.write("5", "4b")
	k.want("4b")
	log.want(t, "upgrade", "packet message b", "create message b", "flush", "drain")
	k.writeFrame(2, "x")
	k.want("binary:x")
	log.want(t, "packet message binary:x", "create message binary:x", "flush", "drain")
	k.write("1")
	log.want(t, "packet close ", "close transport close, <nil>")
	if st := f.Stats(); st.Opened != 1 || st.Upgraded != 1 || st.Closed[TransportClose] != 1 {
		t.Errorf("counts %+v", st)
	}
}

// TestDrained shows E85: callbacks come in order, once, after what was sent
// before them was handed over, and not at all if the session ends first.
func TestDrained(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	var log hookLog
	note := func(s string) func() { return func() { log.add("%s", s) } }
	c.Drained(note("nothing to wait for"))
	log.want(t, "nothing to wait for")
	c.send(t, "a")
	c.Drained(note("a"))
	c.send(t, "b")
	c.Drained(note("b"))
	c.eventually(t, "both", func() bool { return len(c.waiters) == 2 })
	log.want(t)
	c.wantPoll("4a", "4b")
	log.want(t, "a", "b")

	c.send(t, "c")
	c.Drained(note("c"))
	c.eventually(t, "c", func() bool { return len(c.waiters) == 1 })
	k := f.websocket(t, strings.Replace(c.target, "polling", "websocket", 1), nil)
	k.write("5")
	k.want("4c")
	log.want(t, "c")
	c.send(t, "d")
	c.Drained(note("d"))
	k.want("4d")
	log.want(t, "d")

	lost := f.poll(t)
	lost.send(t, "x")
	lost.Drained(note("never"))
	lost.Discard()
	lost.wantClosed(t, ForcedClose, nil)
	lost.Drained(note("never, either"))
	lost.inspect(t, func() {})
	log.want(t)
}

// TestReprieve shows the end of E77: a packet other than the pong gives the peer
// some more time, once for each ping.
func TestReprieve(t *testing.T) {
	f := serve(t, silent, func(c *config) { c.PingInterval, c.PingTimeout = time.Hour, time.Hour })
	c := f.connect(t)
	c.inspect(t, func() { (*heartbeat)(c.Session).OnTimer(nil, nil) })
	c.want("2")
	deadline := func() (due int64) {
		c.inspect(t, func() { due = c.timer.Due() })
		return due
	}
	before := deadline()
	waitTick(t)
	c.write("4x")
	c.wantReceived(t, "x")
	first := deadline()
	if first <= before {
		t.Errorf("the first packet moved the deadline from %d to %d", before, first)
	}
	waitTick(t)
	c.write("4y")
	c.wantReceived(t, "x", "y")
	if second := deadline(); second != first {
		t.Errorf("the second packet moved the deadline from %d to %d", first, second)
	}
	c.write("3")
	c.eventually(t, "the pong", func() bool { return !c.awaitingPong })
}

// waitTick waits until the loop's clock has moved on.
func waitTick(tb testing.TB) {
	tb.Helper()
	start := time.Now()
	eventually(tb, "time to pass", func() bool { return time.Since(start) > 3*time.Millisecond })
}
