package engine

import (
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// beat makes the heartbeat short. Nothing is judged by how long it takes: who
// answers in time must be given time.
func beat(interval, timeout time.Duration) func(c *config) {
	return func(c *config) { c.PingInterval, c.PingTimeout = interval, timeout }
}

// TestPingIsAnswered shows E77.
func TestPingIsAnswered(t *testing.T) {
	f := serve(t, beat(20*time.Millisecond, time.Hour))
	c := f.connect(t)
	for range 3 {
		c.want("2")
		c.write("3")
	}
	c.want("2")
	c.write("3any data", "4x") // the order of the echo and of a further ping is open
	for got := c.next(); got != "4x"; got = c.next() {
		if got != "2" {
			t.Fatalf("frame %q", got)
		}
		c.write("3")
	}
	c.wantOpen(t)
}

// TestPingOnPolling shows E77.
func TestPingOnPolling(t *testing.T) {
	f := serve(t, beat(20*time.Millisecond, time.Hour))
	c := f.poll(t)
	for range 3 {
		c.wantPoll("2") // one that waits, or one that comes later
		c.wantPost("3")
	}
	c.wantOpen(t)
}

// TestPingUnanswered shows E77, E80 and E82.
func TestPingUnanswered(t *testing.T) {
	f := serve(t, beat(20*time.Millisecond, 20*time.Millisecond))
	t.Run("websocket", func(t *testing.T) {
		c := f.connect(t)
		c.want("2", "close:")
		c.wantClosed(t, PingTimeout, nil)
	})
	t.Run("polling", func(t *testing.T) {
		f := serve(t, beat(20*time.Millisecond, 500*time.Millisecond)) // time to poll twice
		c := f.poll(t)
		c.wantPoll("2")
		c.get.send(http.MethodGet, c.target, "")
		c.get.want(200, "1")
		c.wantClosed(t, PingTimeout, nil)
	})
	t.Run("polling without any poll", func(t *testing.T) {
		c := f.poll(t)
		c.wantClosed(t, PingTimeout, nil)
		c.wantGone()
	})
}

// Whatever else a client sends is no answer to a ping.
// It shows E77.
func TestOnlyPongIsAnAnswer(t *testing.T) {
	f := serve(t, beat(20*time.Millisecond, 50*time.Millisecond))
	c := f.connect(t)
	for err := error(nil); err == nil; {
		frames := append(clientFrame(ws.OpText, "4still here"), clientFrame(ws.OpPing, "")...)
		if _, err = c.conn.Write(frames); err == nil {
			_, err = c.read()
		}
		if c.Closed() {
			break
		}
	}
	c.wantClosed(t, PingTimeout, nil)
}

// A pong that nobody asked for is taken as a sign of life.
// It shows E77.
func TestUnsolicitedPong(t *testing.T) {
	f := serve(t)
	poller, socket := f.poll(t), f.connect(t)
	socket.write("3", "3probe", "4x", "3")
	socket.want("4x")
	poller.wantPost("3", "3probe", "4x", "3")
	poller.wantPoll("4x")
	for _, r := range []*record{poller.record, socket.record} {
		r.inspect(t, func() {
			if r.awaitingPong || !r.timer.Active() {
				t.Errorf("%s: awaiting %v, timer %v", r.Transport(), r.awaitingPong, r.timer.Active())
			}
		})
		r.wantOpen(t)
	}
}

// The heartbeat goes on, over the other transport and on the other loop.
// It shows W5.
func TestHeartbeatAfterUpgrade(t *testing.T) {
	f := serve(t, twoLoops, beat(30*time.Millisecond, 5*time.Second))
	moved, stayed := 0, 0
	for round := 0; (moved == 0 || stayed == 0) && round < 100; round++ {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("5")
		for range 3 {
			k.want("2")
			k.write("3")
		}
		c.wantOpen(t)
		if c.moved() {
			moved++
		} else {
			stayed++
		}
	}
}

// A ping that is under way when the session moves still has its deadline.
// It shows W5.
func TestPingTimeoutAfterMove(t *testing.T) {
	f := serve(t, twoLoops, beat(10*time.Millisecond, 500*time.Millisecond))
	var sessions []*poller
	for range 4 {
		c := f.poll(t)
		k := c.openCandidate()
		c.eventually(t, "a ping", func() bool { return c.awaitingPong })
		k.write("5")
		k.want("2")
		sessions = append(sessions, c)
	}
	for _, c := range sessions {
		c.wantClosed(t, PingTimeout, nil)
	}
}

// TestOverdueHeartbeat shows E77 and E78 on a loop that is too busy to fire its
// timers: requests are still judged by the clock.
func TestOverdueHeartbeat(t *testing.T) {
	f := serve(t, withEIO3, beat(10*time.Millisecond, 100*time.Millisecond))
	for _, c := range []*poller{f.poll(t), f.poll3(t, "")} {
		c.eventually(t, "a wait for the peer", func() bool {
			return c.awaitingPong || c.protocol == protocol3 || c.state == stateClosed
		})
		c.inspect(t, func() { // which keeps the loop busy
			l := c.Owner()
			for c.state == stateOpen && !l.Overdue(&c.timer) {
				time.Sleep(time.Millisecond)
			}
			if c.checkHeartbeat(l); c.state == stateOpen {
				t.Errorf("protocol %v: the session goes on", c.protocol)
			}
		})
		c.wantClosed(t, PingTimeout, nil)
		c.wantGone()
	}
}
