package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

func publishReaches(c *fixture) {
	a, b, d := c.join(nil), c.join(nil), c.join(nil)
	a.publish(event("of a"))
	b.wantEvents("of a")
	d.wantEvents("of a")
	b.publish(event("of b"))
	a.wantEvents("of b")
	d.wantEvents("of a", "of b")
	b.wantEvents("of a") // and not its own
}

func publishContent(c *fixture) {
	a, b := c.join(nil), c.join(nil)
	sent := []*broadcast.Request{
		{
			Kind: broadcast.KindEmit, Rooms: []string{"r", "ü \x00"}, Except: []string{"x"}, Volatile: true, Plain: true, Timeout: time.Minute,
			Packet: broadcast.Packet{
				Args:        [][]byte{[]byte(`"e"`), bytes.Repeat([]byte("x"), 1<<20), {}},
				Attachments: [][]byte{{0, 1, 0xff}, {}},
			},
		},
		{Kind: broadcast.KindJoin, Rooms: []string{"r"}, Names: []string{"one", "two"}},
		{Kind: broadcast.KindLeave, Names: []string{"one"}},
		{Kind: broadcast.KindDisconnect, Except: []string{"r"}, Close: true},
		{Kind: broadcast.KindFetch},
		{Kind: broadcast.KindServer, Packet: broadcast.Packet{Args: [][]byte{[]byte(`"e"`)}}},
	}
	for _, req := range sent {
		a.publish(req)
	}
	eventually(c.t, "all requests", func() bool { return len(b.requests()) == len(sent) })
	for i, got := range b.requests() {
		if !sameRequest(got, sent[i]) {
			c.t.Errorf("request %d arrived as %.300v, want %.300v", i, got, sent[i])
		}
	}
}

// sameRequest takes an empty list for the same as none.
func sameRequest(a, b *broadcast.Request) bool {
	return a.Kind == b.Kind && slices.Equal(a.Rooms, b.Rooms) && slices.Equal(a.Except, b.Except) && slices.Equal(a.Names, b.Names) &&
		samePacket(a.Packet, b.Packet) &&
		a.Timeout == b.Timeout && a.Volatile == b.Volatile && a.Plain == b.Plain && a.Close == b.Close
}

func samePacket(a, b broadcast.Packet) bool {
	return slices.EqualFunc(a.Args, b.Args, bytes.Equal) && slices.EqualFunc(a.Attachments, b.Attachments, bytes.Equal)
}

func publishOrder(c *fixture) {
	a, b := c.join(nil), c.join(nil)
	var names []string
	for i := range 500 {
		names = append(names, strconv.Itoa(i))
		a.publish(event(names[i]))
	}
	b.wantEvents(names...)
}

func publishConcurrently(c *fixture) {
	a, b, d := c.join(nil), c.join(nil), c.join(nil)
	const senders, each = 8, 50
	var wg sync.WaitGroup
	for i := range senders {
		from := []*node{a, b}[i%2]
		wg.Go(func() {
			for j := range each {
				from.publish(event(fmt.Sprintf("%d/%d", i, j)))
			}
		})
	}
	wg.Wait()
	eventually(c.t, "all requests", func() bool { return len(d.requests()) >= senders*each })
	seen := make(map[string]bool)
	next := make(map[string]int)
	for _, req := range d.requests() {
		name := string(req.Packet.Args[0])
		if seen[name] {
			c.t.Errorf("%s came twice", name)
		}
		seen[name] = true
		sender, number, _ := cutName(name)
		if number != next[sender] {
			c.t.Errorf("of sender %s came %d, want %d", sender, number, next[sender])
		}
		next[sender] = number + 1
	}
}

func cutName(name string) (sender string, number int, err error) {
	var s string
	_, err = fmt.Sscanf(name, "%1s/%d", &s, &number)
	return s, number, err //nolint:wrapcheck // not used
}

func namespacesAreSeparate(c *fixture) {
	first, second := c.connect(), c.connect()
	rootA, rootB := joinNamespace(c.t, first, "/", nil), joinNamespace(c.t, second, "/", nil)
	chatA, chatB := joinNamespace(c.t, first, "/chat", nil), joinNamespace(c.t, second, "/chat", nil)
	for _, pair := range [][]*node{{rootA, rootB}, {chatA, chatB}} {
		(&fixture{t: c.t, nodes: pair}).settle(2)
	}
	rootA.publish(event("to root"))
	chatA.publish(event("to chat"))
	rootB.wantEvents("to root")
	chatB.wantEvents("to chat")
	if n := len(rootA.requests()) + len(chatA.requests()); n > 0 {
		c.t.Errorf("%d requests came to the sender", n)
	}
}

func alone(c *fixture) {
	a := c.join(nil)
	a.publish(event("nobody hears this"))
	answers, err := a.ask(event("nobody answers this"))
	if err != nil || len(answers) > 0 {
		c.t.Errorf("Ask = %v, %v; want nothing", answers, err)
	}
	if n := len(a.requests()); n > 0 {
		c.t.Errorf("%d requests came back", n)
	}
}

// answering answers each request with two numbers, and then with the last.
func answering(req *broadcast.Request, reply func(broadcast.Answer)) {
	if reply == nil {
		return
	}
	reply(broadcast.Answer{Clients: 2})
	reply(broadcast.Answer{Packet: req.Packet})
	reply(broadcast.Answer{
		Sockets: []broadcast.SocketInfo{{ID: "id", Rooms: []string{"id", "r"}, Handshake: []byte(`{"a":1}`), Data: []byte(`null`)}}, Last: true,
	})
}

func askCollects(c *fixture) {
	a, _, _ := c.join(nil), c.join(answering), c.join(answering)
	answers, err := a.ask(event("question"))
	if err != nil {
		c.t.Fatal(err)
	}
	byNode := make(map[string][]broadcast.Answer)
	for _, ans := range answers {
		byNode[ans.Node] = append(byNode[ans.Node], ans)
	}
	if len(byNode) != 2 || byNode[""] != nil {
		c.t.Fatalf("answers of the nodes %v, want those of two with names", byNode)
	}
	for name, list := range byNode {
		if len(list) != 3 || list[0].Clients != 2 || !samePacket(list[1].Packet, event("question").Packet) || !list[2].Last {
			c.t.Errorf("%s answered %+v", name, list)
			continue
		}
		s := list[2].Sockets
		if len(s) != 1 || s[0].ID != "id" || !slices.Equal(s[0].Rooms, []string{"id", "r"}) || string(s[0].Handshake) != `{"a":1}` || string(s[0].Data) != "null" {
			c.t.Errorf("%s described its sockets as %+v", name, s)
		}
	}
}

func askLate(c *fixture) {
	replies := make(chan func(broadcast.Answer), 1)
	a := c.join(nil)
	c.join(func(_ *broadcast.Request, reply func(broadcast.Answer)) { replies <- reply })
	c.join(answering)
	var (
		first   sync.Once
		answers atomic.Int32
	)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := a.Ask(ctx, event("question"), func(ans broadcast.Answer) {
		answers.Add(1)
		if ans.Last { // only now, and from elsewhere, the other one answers
			first.Do(func() { go answering(event("late"), <-replies) })
		}
	})
	if err != nil || answers.Load() != 6 {
		c.t.Errorf("Ask = %v after %d answers, want 6", err, answers.Load())
	}
}

func askSerial(c *fixture) {
	const each = 50
	many := func(_ *broadcast.Request, reply func(broadcast.Answer)) {
		go func() {
			var wg sync.WaitGroup
			for range each {
				wg.Go(func() { reply(broadcast.Answer{Clients: 1}) })
			}
			wg.Wait()
			reply(broadcast.Answer{Last: true})
		}()
	}
	a, _, _ := c.join(nil), c.join(many), c.join(many)
	answers, err := a.ask(event("question")) // it appends without a lock
	if err != nil || len(answers) != 2*(each+1) {
		c.t.Errorf("%d answers, %v; want %d", len(answers), err, 2*(each+1))
	}
}

func askConcurrently(c *fixture) {
	a, b := c.join(answering), c.join(answering)
	var wg sync.WaitGroup
	for i := range 20 {
		name := strconv.Itoa(i)
		from := []*node{a, b}[i%2]
		wg.Go(func() {
			answers, err := from.ask(event(name))
			if err != nil || len(answers) != 3 || !samePacket(answers[1].Packet, event(name).Packet) {
				c.t.Errorf("asking %s: %v, %v", name, answers, err)
			}
		})
	}
	wg.Wait()
}

func askDeadline(c *fixture) {
	replies := make(chan func(broadcast.Answer), 1)
	a := c.join(nil)
	c.join(func(_ *broadcast.Request, reply func(broadcast.Answer)) {
		reply(broadcast.Answer{Clients: 1})
		replies <- reply
	})
	c.join(answering)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	answers := 0
	err := a.Ask(ctx, event("question"), func(broadcast.Answer) {
		if answers++; answers == 4 {
			cancel(nil)
		}
	})
	missing, ok := errors.AsType[*broadcast.MissingError](err)
	if !ok || missing.Missing != 1 || !errors.Is(err, context.Canceled) {
		c.t.Errorf("Ask = %v, want a MissingError of one node, by the context's end", err)
	}
	(<-replies)(broadcast.Answer{Last: true})
	if answers != 4 {
		c.t.Errorf("%d answers, want the four before the end", answers)
	}
}

func askOver(c *fixture) {
	a := c.join(nil)
	c.join(func(*broadcast.Request, func(broadcast.Answer)) {})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.Ask(ctx, event("question"), func(broadcast.Answer) {}); !errors.Is(err, context.Canceled) {
		c.t.Errorf("Ask = %v, want the context's error", err)
	}
}

func askLeaving(c *fixture) {
	a := c.join(nil)
	var b *node
	b = c.join(func(_ *broadcast.Request, reply func(broadcast.Answer)) {
		reply(broadcast.Answer{Clients: 1})
		go func() {
			if err := b.Close(); err != nil {
				c.t.Errorf("Close: %v", err)
			}
		}()
	})
	c.join(answering)
	answers, err := a.ask(event("question"))
	if err != nil || len(answers) < 3 {
		c.t.Errorf("Ask = %v, %v; want the answers of who stayed", answers, err)
	}
}

func nodesComeAndGo(c *fixture) {
	a, b := c.join(nil), c.join(nil)
	a.publish(event("one"))
	b.wantEvents("one")
	d := c.join(nil)
	a.publish(event("two"))
	b.wantEvents("one", "two")
	d.wantEvents("two")
	if err := b.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.nodes = []*node{a, d}
	c.settle(2)
	a.publish(event("three"))
	d.wantEvents("two", "three")
	b.wantEvents("one", "two")
}

func closed(c *fixture) {
	a, b := c.join(nil), c.join(nil)
	for range 2 {
		if err := a.Close(); err != nil {
			c.t.Errorf("Close: %v", err)
		}
	}
	if err := a.Publish(event("late")); !errors.Is(err, broadcast.ErrClosed) {
		c.t.Errorf("Publish = %v", err)
	}
	if _, err := a.ask(event("late")); !errors.Is(err, broadcast.ErrClosed) {
		c.t.Errorf("Ask = %v", err)
	}
	if _, err := a.Nodes(c.t.Context()); !errors.Is(err, broadcast.ErrClosed) {
		c.t.Errorf("Nodes = %v", err)
	}
	c.nodes = []*node{b}
	c.settle(1)
	b.publish(event("to nobody"))
	if len(a.requests()) > 0 {
		c.t.Error("a closed adapter got a request")
	}
}

func reentrant(c *fixture) {
	a := c.join(nil)
	var b *node
	b = c.join(func(req *broadcast.Request, reply func(broadcast.Answer)) {
		b.publish(event("back"))
		if reply != nil {
			answering(req, reply)
		}
	})
	a.publish(event("there"))
	a.wantEvents("back")
	if _, err := a.ask(event("there")); err != nil {
		c.t.Error(err)
	}
	a.wantEvents("back", "back")
}
