package engine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/loop"
)

// TestCloseOnPolling shows E61, E81 and E88.
func TestCloseOnPolling(t *testing.T) {
	f := serve(t, silent)
	t.Run("poll waits", func(t *testing.T) {
		c := f.poll(t)
		c.startPoll()
		c.Close()
		c.get.want(200, "1")
		c.wantClosed(t, ForcedClose, nil)
		c.wantGone()
	})
	t.Run("no poll waits", func(t *testing.T) {
		c := f.poll(t)
		c.Close()
		eventually(t, "the start of the close", c.Closed)
		c.wantPost("4ignored", "xyz") // it is taken, but nobody looks into it
		c.wantOpen(t)
		c.wantPoll("6", "1")
		c.wantClosed(t, ForcedClose, nil)
		c.wantReceived(t)
		c.wantGone()
	})
	t.Run("messages are queued", func(t *testing.T) {
		c := f.poll(t)
		c.send(t, "a", "b")
		c.Close()
		c.wantPoll("4a", "4b")
		c.get.send(http.MethodGet, c.target, "")
		c.get.want(200, "6\x1e1")
		c.wantClosed(t, ForcedClose, nil)
	})
	t.Run("messages are queued and a poll waits", func(t *testing.T) {
		c := f.poll(t)
		c.startPoll()
		c.inspect(t, func() {
			c.send(t, "a", "b")
			c.Close()
		})
		c.get.want(200, "4a\x1e4b")
		c.wantPoll("6", "1")
		c.wantClosed(t, ForcedClose, nil)
	})
	t.Run("twice", func(t *testing.T) {
		c := f.poll(t)
		c.Close()
		c.Close()
		eventually(t, "the start of the close", c.Closed)
		c.wantPoll("6", "1")
		c.wantClosed(t, ForcedClose, nil)
		c.Close()
		c.inspect(t, c.End)
		c.Discard()
		c.inspect(t, func() {})
		c.wantClosed(t, ForcedClose, nil)
	})
	t.Run("then discard", func(t *testing.T) {
		c := f.poll(t)
		c.send(t, "lost")
		c.Close()
		c.Discard()
		c.wantClosed(t, ForcedClose, nil)
		c.wantGone()
	})
}

// TestPeerClosesWhileClosing has the peer of a session that waits for its last poll
// say that it goes, too: E51 holds while the session is closing, and nothing else
// that the peer sends then counts (E61).
func TestPeerClosesWhileClosing(t *testing.T) {
	f := serve(t, twoLoops, func(c *config) { c.CloseTimeout = time.Hour })
	for _, tc := range []struct {
		name string
		post []string
	}{
		{"alone", []string{"1"}},
		{"behind others", []string{"4ignored", "2", "1", "4more", "xyz"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.poll(t)
			c.send(t, "never fetched")
			c.Close()
			eventually(t, "the start of the close", c.Closed)
			c.wantPost(tc.post...)
			c.wantClosed(t, TransportClose, nil)
			c.wantReceived(t)
			c.wantGone()
		})
	}
	t.Run("behind garbage", func(t *testing.T) {
		c := f.poll(t)
		c.send(t, "fetched")
		c.Close()
		eventually(t, "the start of the close", c.Closed)
		c.wantPost("xyz", "1")
		c.wantOpen(t)
		c.wantPoll("4fetched")
	})
	t.Run("in the turn that closes", func(t *testing.T) {
		c := f.poll(t)
		c.inspect(t, func() { c.ended = true })
		c.wantPost("1")
		c.wantClosed(t, TransportClose, nil)
	})
}

// TestCloseTimeout shows E62 and W3.
func TestCloseTimeout(t *testing.T) {
	f := serve(t, func(c *config) { c.CloseTimeout = 20 * time.Millisecond })
	c := f.poll(t)
	c.send(t, "never fetched")
	c.Close()
	c.wantClosed(t, ForcedClose, nil)
	c.wantGone()
}

// TestCloseOnWebSocket shows E68 and E88.
func TestCloseOnWebSocket(t *testing.T) {
	f := serve(t, silent)
	for _, n := range []int{0, 1, 100} {
		c := f.connect(t)
		for i := range n {
			c.send(t, fmt.Sprint(i))
		}
		c.Close()
		for i := range n {
			c.want(fmt.Sprint("4", i))
		}
		c.want("close:")
		c.wantClosed(t, ForcedClose, nil)
	}
}

// TestDiscard shows E87 and E88.
func TestDiscard(t *testing.T) {
	f := serve(t, silent)
	poller, waiting, socket := f.poll(t), f.poll(t), f.connect(t)
	poller.send(t, "lost")
	waiting.startPoll()
	for _, r := range []*record{poller.record, waiting.record, socket.record} {
		r.Discard()
		r.wantClosed(t, ForcedClose, nil)
	}
	poller.wantGone()
	waiting.get.want(200, "1")
	socket.want("close:")
}

// TestEnd closes from the callback that handles a message: what it sent before
// arrives, and what follows in the input is not looked at.
// It shows E81.
func TestEnd(t *testing.T) {
	f := serve(t, func(c *config) {
		c.receive = func(r *record, data []byte, binary bool) {
			_ = r.Send(false, NewMessage(data, binary))
			if string(data) == "end" {
				r.End()
				if err := r.Send(false, NewMessage([]byte("late"), false)); !errors.Is(err, ErrSessionClosed) {
					t.Errorf("Send after End: %v", err)
				}
			}
		}
	})
	t.Run("websocket", func(t *testing.T) {
		c := f.connect(t)
		c.write("4a", "4end", "4behind", "xyz")
		c.want("4a", "4end", "close:")
		c.wantClosed(t, ForcedClose, nil)
		c.wantReceived(t, "a", "end")
	})
	t.Run("polling", func(t *testing.T) {
		c := f.poll(t)
		c.wantPost("4a", "4end", "4behind", "xyz")
		c.wantPoll("4a", "4end")
		c.wantPoll("6", "1")
		c.wantClosed(t, ForcedClose, nil)
		c.wantReceived(t, "a", "end")
	})
}

func TestEndInOnOpen(t *testing.T) {
	f := serve(t, func(c *config) {
		c.opened = func(r *record) {
			r.send(t, "sorry")
			r.End()
		}
	})
	socket := f.connect(t)
	socket.want("4sorry", "close:")
	socket.wantClosed(t, ForcedClose, nil)
	poller := f.poll(t)
	poller.wantPoll("4sorry")
	poller.wantPoll("6", "1")
	poller.wantClosed(t, ForcedClose, nil)
}

// TestSendAfterClose shows E81.
func TestSendAfterClose(t *testing.T) {
	f := serve(t)
	poller, socket := f.poll(t), f.connect(t)
	for _, r := range []*record{poller.record, socket.record} {
		r.Discard()
		r.wantClosed(t, ForcedClose, nil)
		err := r.Send(false, NewMessage([]byte("a"), false), NewMessage([]byte("b"), true))
		if !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Send: %v", err)
		}
		r.inspect(t, func() { r.Deliver(r.Owner(), false, []Message{NewMessage([]byte("c"), false)}) })
		r.inspect(t, func() { r.Deliver(r.Owner(), true, []Message{NewMessage([]byte("d"), false)}) })
	}
	socket.want("close:")
}

// TestCloseAll shows E76, E89 and E99.
func TestCloseAll(t *testing.T) {
	f := serve(t, twoLoops)
	pollers := []*poller{f.poll(t), f.poll(t), f.poll(t)}
	sockets := []*socketClient{f.connect(t), f.connect(t)}
	pollers[0].startPoll()
	k := pollers[1].openCandidate()
	k.write("2probe")
	k.want("3probe")
	f.CloseAll()
	pollers[0].get.want(200, "1")
	k.want("close:")
	for _, c := range pollers {
		c.wantClosed(t, ForcedClose, nil)
	}
	for _, c := range sockets {
		c.want("close:")
		c.wantClosed(t, ForcedClose, nil)
	}
	f.CloseAll()
	eventually(t, "no sessions", func() bool { return f.Sessions() == 0 })
}

// TestCloseAllMeetsHandshakes shows that no session slips through while the
// server closes. The harness waits for all to end.
// It shows E89 and W10.
func TestCloseAllMeetsHandshakes(t *testing.T) {
	for range 10 {
		f := serve(t, twoLoops)
		var wg sync.WaitGroup
		for range 4 {
			c := f.dial(t)
			wg.Go(func() {
				for {
					c.send(http.MethodGet, pollingTarget, "")
					if a := c.receive(); a.status != 200 {
						return
					}
				}
			})
		}
		eventually(t, "some sessions", func() bool { return f.Sessions() > 10 })
		f.CloseAll()
		wg.Wait()
		eventually(t, "the end of all sessions", func() bool { return f.Sessions() == 0 })
	}
}

// TestSlowPoller shows W2.
func TestSlowPoller(t *testing.T) {
	f := serve(t, silent, func(c *config) { c.MaxPending = 1000 })
	c := f.poll(t)
	c.send(t, strings.Repeat("x", 5000)) // a single message may pass the limit
	c.wantPoll("4" + strings.Repeat("x", 5000))
	half := strings.Repeat("y", 480)
	c.send(t, half, half)
	c.wantPoll("4"+half, "4"+half)
	c.send(t, half, half)
	if err := c.Send(false, NewMessage([]byte(half), false), NewMessage([]byte("behind"), false)); err != nil {
		t.Fatal(err)
	}
	c.wantClosed(t, TransportError, loop.ErrSlowConsumer)
	c.wantGone()
}

// TestSlowSocket shows W2.
func TestSlowSocket(t *testing.T) {
	f := serve(t, silent, func(c *config) { c.reactor.MaxPending = 64 << 10 })
	slow, other := f.connect(t), f.connect(t)
	data := []byte(strings.Repeat("x", 32<<10))
	for deadline := time.Now().Add(patience); slow.Send(false, NewMessage(data, false)) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the session takes any amount")
		}
		other.send(t, "ok") // the loop goes on
		other.want("4ok")
	}
	slow.wantClosed(t, TransportError, loop.ErrSlowConsumer)
}

// A volatile message is dropped rather than queued behind what a slow client
// does not read.
func TestVolatileOnBlockedSocket(t *testing.T) {
	f := serve(t, silent, func(c *config) { c.reactor.MaxPending = 64 << 20 })
	c := f.connect(t)
	data := []byte(strings.Repeat("x", 1<<20))
	blocked, sent := false, 0
	for !blocked {
		if sent++; sent > 60 {
			t.Fatal("the kernel takes any amount")
		}
		c.send(t, string(data))
		c.inspect(t, func() {}) // a turn later the output has met the kernel
		c.inspect(t, func() { blocked = !c.writable() })
	}
	if err := c.Send(true, NewMessage([]byte("dropped"), false), NewMessage([]byte("this, too"), true)); err != nil {
		t.Fatal(err)
	}
	c.send(t, "last")
	for range sent {
		if got := c.next(); got != "4"+string(data) {
			t.Fatalf("%d bytes", len(got))
		}
	}
	c.want("4last")
}

func TestSendersKeepTheirOrder(t *testing.T) {
	const senders, each = 8, 200
	f := serve(t, silent)
	poller, socket := f.poll(t), f.connect(t)
	for _, r := range []*record{poller.record, socket.record} {
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				for i := range each {
					if err := r.Send(false, NewMessage(fmt.Appendf(nil, "%d %d", g, i), false)); err != nil {
						t.Errorf("Send: %v", err)
					}
				}
			})
		}
		if r == poller.record {
			wg.Wait() // one payload has it all then
		}
		var got []string
		for len(got) < senders*each {
			if r == socket.record {
				got = append(got, socket.next())
				continue
			}
			got = append(got, strings.Split(poller.get.do(http.MethodGet, poller.target, "").body, "\x1e")...)
		}
		wg.Wait()
		var next [senders]int
		for _, packet := range got {
			var g, i int
			if _, err := fmt.Sscanf(packet, "4%d %d", &g, &i); err != nil || i != next[g] {
				t.Fatalf("packet %q, want number %d", packet, next[g])
			}
			next[g]++
		}
	}
}
