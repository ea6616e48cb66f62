package engine

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// TestIntruderDuringMove opens further WebSockets for a session, on both loops,
// while it goes from one to the other.
// It shows E70.
func TestIntruderDuringMove(t *testing.T) {
	f := serve(t, twoLoops)
	for moves, round := 0, 0; moves < 5 && round < 100; round++ {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		var intruders [4]*httpConn
		for i := range intruders {
			intruders[i] = f.dial(t)
		}
		k.write("5", "4mine")
		for _, x := range intruders {
			x.send(http.MethodGet, websocketTarget+"&sid="+c.ID(), "", upgradeHeader...)
		}
		k.want("4mine")
		for _, x := range intruders {
			if a := x.receive(); a.status != 101 {
				t.Fatalf("intruder: %v", a)
			}
			if frame, err := readFrame(x.in); err != nil || frame != "close:" {
				t.Fatalf("intruder: %q, %v", frame, err)
			}
		}
		k.wantEcho("unaffected")
		if c.moved() {
			moves++
		}
	}
}

// TestOrderThroughUpgrade sends numbered messages in both directions without a
// break while sessions upgrade, and wants each exactly once and in order.
// It shows E72, E73 and E98.
func TestOrderThroughUpgrade(t *testing.T) {
	const wantEach, maxRounds = 5, 200
	f := serve(t, twoLoops, silent)
	moved, stayed := 0, 0
	for round := 0; moved < wantEach || stayed < wantEach; round++ {
		if round == maxRounds {
			t.Fatalf("%d sessions moved, %d stayed", moved, stayed)
		}
		c := f.poll(t)
		orderThroughUpgrade(t, c, round%2 == 0)
		if c.moved() {
			moved++
		} else {
			stayed++
		}
	}
}

// orderThroughUpgrade upgrades one session under traffic. burst sends messages
// in one write with the packet that ends the upgrade.
func orderThroughUpgrade(t *testing.T, c *poller, burst bool) {
	t.Helper()
	const onPolling, before, after = 20, 100, 200 // messages: until the upgrade begins, and in each direction
	var wg sync.WaitGroup
	defer wg.Wait()

	// The server's side: several goroutines can't send in an order that the test
	// knows, so it is one, which waits for the client after a number of messages.
	credit := make(chan struct{}, 50)
	for range cap(credit) {
		credit <- struct{}{}
	}
	stop := make(chan struct{})
	var total int // written by the sender, read when it is done
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-credit:
			}
			if err := c.Send(false, NewMessage([]byte(strconv.Itoa(total)), total%3 == 0)); err != nil {
				t.Errorf("Send: %v", err)
				return
			}
			total++
		}
	})
	stopped := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer stopped()

	next := 0 // number of the server's message to come
	take := func(data string) {
		t.Helper()
		if data != strconv.Itoa(next) {
			t.Fatalf("message %q, want %d", data, next)
		}
		next++
		select {
		case credit <- struct{}{}:
		default:
		}
	}
	sent := 0
	message := func() string { sent++; return "4" + strconv.Itoa(sent-1) }

	poll := func(body string) {
		t.Helper()
		for _, p := range strings.Split(body, "\x1e") {
			switch packet, err := engineio.DecodeText([]byte(p)); {
			case err != nil:
				t.Fatalf("packet %q: %v", p, err)
			case packet.Type == engineio.Message:
				take(string(packet.Data))
			case packet.Type != engineio.Noop:
				t.Fatalf("packet %q", p)
			}
		}
	}
	roundTrip := func() {
		t.Helper()
		c.get.send(http.MethodGet, c.target, "")
		c.wantPost(message(), message())
		a := c.get.receive()
		if a.status != 200 {
			t.Fatalf("poll: %v", a)
		}
		poll(a.body)
	}
	for sent < onPolling {
		roundTrip()
	}
	k := c.openCandidate()
	k.write("2probe")
	for sent < before {
		roundTrip()
	}
	k.want("3probe")
	if burst {
		k.write("5", message(), message(), message())
	} else {
		k.write("5")
	}
	for sent < after {
		k.write(message())
	}
	for next < after {
		take(strings.TrimPrefix(strings.TrimPrefix(k.next(), "4"), "binary:"))
	}
	stopped()
	for next < total {
		take(strings.TrimPrefix(strings.TrimPrefix(k.next(), "4"), "binary:"))
	}
	want := make([]string, sent)
	for i := range want {
		want[i] = strconv.Itoa(i)
	}
	c.wantReceived(t, want...)
	k.write("1")
	k.want("close:")
	c.wantClosed(t, TransportClose, nil)
	if n := len(c.received()); n != sent {
		t.Errorf("%d messages of the client arrived, want %d", n, sent)
	}
}

// TestSendersDuringMove has many goroutines send groups while a session moves:
// each one's order is kept, and groups stay whole.
func TestSendersDuringMove(t *testing.T) {
	const senders, each = 4, 60
	f := serve(t, twoLoops, silent)
	for moves, round := 0, 0; moves < 3; round++ {
		if round == 100 {
			t.Fatal("no session moved")
		}
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		start := make(chan struct{})
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				<-start
				for i := range each {
					text := fmt.Sprintf("%d %d", g, i)
					if err := c.Send(false, NewMessage([]byte(text), false), NewMessage([]byte(text), true)); err != nil {
						t.Errorf("Send: %v", err)
					}
				}
			})
		}
		close(start)
		k.write("5")
		var next [senders]int
		for range senders * each {
			text := strings.TrimPrefix(k.next(), "4")
			var g, i int
			if _, err := fmt.Sscan(text, &g, &i); err != nil || i != next[g] {
				t.Fatalf("message %q, want number %d (%v)", text, next[g], err)
			}
			next[g]++
			k.want("binary:" + text)
		}
		wg.Wait()
		if c.moved() {
			moves++
		}
	}
}

// fanout is a broadcast's task for one loop.
type fanout struct {
	to   *record
	text string
}

func (b fanout) Run(l *loop.Loop) {
	b.to.Deliver(l, false, []Message{NewMessage([]byte(b.text), false), NewMessage([]byte(b.text), true)})
}

// TestBroadcastsDuringMove has one goroutine send, now by a broadcast, now to
// the session itself, while the session moves.
func TestBroadcastsDuringMove(t *testing.T) {
	const messages = 300
	var (
		mu   sync.Mutex // as the lock of a room
		lane *loop.Loop
	)
	f := serve(t, twoLoops, silent, func(c *config) {
		c.moving = func(_ *record, to *loop.Loop) {
			mu.Lock()
			defer mu.Unlock()
			lane = to
		}
	})
	for moves, round := 0, 0; moves < 5; round++ {
		if round == 100 {
			t.Fatal("no session moved")
		}
		c := f.poll(t)
		mu.Lock()
		lane = c.Home()
		mu.Unlock()
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range messages {
				if i%3 == 0 {
					c.send(t, strconv.Itoa(i))
					continue
				}
				mu.Lock()
				lane.Post(fanout{c.record, strconv.Itoa(i)})
				mu.Unlock()
			}
		})
		k.write("5")
		for i := range messages {
			k.want("4" + strconv.Itoa(i))
			if i%3 != 0 {
				k.want("binary:" + strconv.Itoa(i))
			}
		}
		wg.Wait()
		if c.moved() {
			moves++
		}
	}
}

// TestSendBehindBroadcastDuringMove looks at the moment at which a broadcast
// already goes to the new loop: what is sent behind it must not go to the old.
func TestSendBehindBroadcastDuringMove(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	f := serve(t, twoLoops, silent, func(c *config) {
		c.moving = func(r *record, to *loop.Loop) {
			sent := make(chan struct{})
			wg.Go(func() {
				defer close(sent)
				to.Post(fanout{r, "first"})
				r.send(t, "second")
			})
			select {
			case <-sent:
			case <-time.After(20 * time.Millisecond): // it waits for the move
			}
		}
	})
	for moves, round := 0, 0; moves < 3; round++ {
		if round == 100 {
			t.Fatal("no session moved")
		}
		c := f.poll(t)
		k := c.openCandidate()
		k.write("5", "4x")
		c.wantReceived(t, "x")
		if c.moved() {
			k.want("4first", "binary:first", "4second")
			moves++
		}
	}
}

// TestCloseMeetsMove closes sessions at about the moment of their move. What was
// sent before a gentle close arrives, whenever that is.
func TestCloseMeetsMove(t *testing.T) {
	f := serve(t, twoLoops, silent)
	for round := range 60 {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		var wg sync.WaitGroup
		wg.Go(func() {
			c.send(t, "last words")
			if round%3 == 0 {
				c.Discard()
			} else {
				c.Close()
			}
		})
		k.write("5", "4a", "4b")
		if round%3 != 0 {
			k.want("4last words")
		}
		for got := k.next(); got != "close:"; got = k.next() {
			if got != "4last words" {
				t.Fatalf("frame %q", got)
			}
		}
		wg.Wait()
		c.wantClosed(t, ForcedClose, nil)
	}
}
