package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

var numbered = regexp.MustCompile(`^/dyn-\d+$`)

func cleanup(o *sio.Options) { o.CleanupEmptyChildNamespaces = true }

// TestPatternNamespaces shows S3.3, S9.2 and S9.3: children are made as clients ask
// for them, are announced, and have what the parent had by then.
func TestPatternNamespaces(t *testing.T) {
	f := serve(t)
	var made, seen recorder
	f.OnNewNamespace(func(ns *sio.Namespace) { made.add(ns.Name()) })
	p := f.OfPattern(numbered)
	p.Use(func(s *sio.Socket) error {
		if string(s.Handshake().Auth) == `{"no":1}` {
			return errors.New("no")
		}
		return nil
	})
	p.OnConnection(func(s *sio.Socket) { seen.add("early " + s.Namespace().Name()) })
	if err := p.OnEvent("name", func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Namespace().Name()) }); err != nil {
		t.Fatal(err)
	}
	c := dialAt(t, f.addr)
	c.Send("40/dyn-1x,")
	c.Want(`44/dyn-1x,{"message":"Invalid namespace"}`)
	c.Send(`40/dyn-1,{"no":1}`)
	c.Want(`44/dyn-1,{"message":"no"}`)
	c.Join("/dyn-1", "")
	c.Send(`42/dyn-1,1["name"]`)
	c.Want(`43/dyn-1,1["/dyn-1"]`)

	p.OnConnection(func(s *sio.Socket) { seen.add("late " + s.Namespace().Name()) })
	if err := p.OnEvent("name", func(ack sio.Ack) error { return ack.Send("late") }); err != nil {
		t.Fatal(err)
	}
	p.Use(func(*sio.Socket) error { return errors.New("closed now") })
	other := dialAt(t, f.addr)
	other.Join("/dyn-1", "") // not what came later
	other.Send(`42/dyn-1,1["name"]`)
	other.Want(`43/dyn-1,1["/dyn-1"]`)
	other.Send("40/dyn-2,")
	other.Want(`44/dyn-2,{"message":"closed now"}`)
	f.Of("static")
	made.want(t, "/dyn-1", "/dyn-2", "/static")
	seen.want(t, "early /dyn-1", "early /dyn-1")
	if f.Of("/dyn-1").SocketCount() != 2 || len(p.Children()) != 2 {
		t.Errorf("%d sockets, %d children", f.Of("/dyn-1").SocketCount(), len(p.Children()))
	}
}

// TestParentsAreAskedInOrder shows S3.4: existing namespaces go first, then parents
// in their order; a function that says no, or panics, leaves it to the next.
func TestParentsAreAskedInOrder(t *testing.T) {
	f := serve(t)
	var asked recorder
	f.Of("/dyn-0")
	first := f.OfFunc(func(_ context.Context, name string, auth json.RawMessage) bool {
		asked.add("first " + name + " " + string(auth))
		switch name {
		case "/panic":
			panic("in a parent")
		case "/one":
			return true
		}
		return false
	})
	pattern := f.OfPattern(regexp.MustCompile(`^/(one|two|panic)$`))
	last := f.OfFunc(func(_ context.Context, name string, _ json.RawMessage) bool {
		asked.add("last " + name)
		return name == "/three"
	})
	for _, tc := range []struct {
		name, auth string
		parent     *sio.ParentNamespace
		asked      []string
	}{
		{"/dyn-0", "", nil, nil},
		{"/one", "", first, []string{"first /one {}"}},
		{"/two", `{"a":1}`, pattern, []string{`first /two {"a":1}`}},
		{"/panic", "", pattern, []string{"first /panic {}"}},
		{"/three", "", last, []string{"first /three {}", "last /three"}},
		{"/four", "", nil, []string{"first /four {}", "last /four"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked.mu.Lock()
			asked.lines = nil
			asked.mu.Unlock()
			c := dialAt(t, f.addr)
			if tc.name == "/four" {
				c.Send("40/four,")
				c.Want(`44/four,{"message":"Invalid namespace"}`)
			} else {
				c.Join(tc.name, tc.auth)
			}
			asked.want(t, tc.asked...)
			for _, p := range []*sio.ParentNamespace{first, pattern, last} {
				is := slices.ContainsFunc(p.Children(), func(ns *sio.Namespace) bool { return ns.Name() == tc.name })
				if is != (p == tc.parent) {
					t.Errorf("child of the wrong parent: %v", p.Children())
				}
			}
		})
	}
	f.wantError(t, asError[*sio.PanicError])
	f.wantNoErrors(t)
}

// TestOfUnderAPattern shows S9.4: a namespace of the program's is a child, too, but
// functions are only asked for clients.
func TestOfUnderAPattern(t *testing.T) {
	f := serve(t)
	f.OfFunc(func(context.Context, string, json.RawMessage) bool { t.Error("asked"); return true })
	p := f.OfPattern(numbered)
	p.Use(func(*sio.Socket) error { return errors.New("by the parent") })
	if ns := f.Of("dyn-7"); len(p.Children()) != 1 || p.Children()[0] != ns {
		t.Errorf("children %v", p.Children())
	}
	f.Of("/static")
	c := dialAt(t, f.addr)
	c.Send("40/dyn-7,")
	c.Want(`44/dyn-7,{"message":"by the parent"}`)
	c.Join("/static", "")
}

func TestParentsWithoutARule(t *testing.T) {
	f := serve(t)
	for name, add := range map[string]func(){"pattern": func() { f.OfPattern(nil) }, "function": func() { f.OfFunc(nil) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a parent without a %s was made", name)
				}
			}()
			add()
		}()
	}
}

// gate is a parent's function that waits until it is let go.
type gate struct {
	entered chan string
	release chan bool
	ended   chan error // why a context ended
}

func newGate(f *fixture) *gate {
	g := &gate{make(chan string, 10), make(chan bool), make(chan error, 10)}
	f.OfFunc(func(ctx context.Context, name string, _ json.RawMessage) bool {
		g.entered <- name
		select {
		case yes := <-g.release:
			return yes
		case <-ctx.Done():
			g.ended <- ctx.Err()
			return true
		}
	})
	return g
}

// A parent's function may block: nobody else is held up, nor is its own client in
// other namespaces.
func TestParentThatBlocks(t *testing.T) {
	f := serve(t, oneLoop)
	f.on(t, "echo", echo)
	g := newGate(f)
	c, _ := f.connect(t)
	c.Send("40/slow,")
	<-g.entered
	other, _ := f.connect(t)
	for _, who := range []*siotest.Conn{c, other} {
		who.Send(`421["echo"]`)
		who.Want("431[]")
	}
	g.release <- true
	if got := c.Next(); !strings.HasPrefix(got, "40/slow,") {
		t.Errorf("got %q", got)
	}
}

// While parents are asked, the namespace is not joined: what comes for it breaks the
// protocol, as does asking again (S3.9, S3.11). The function's context ends then.
func TestPacketsWhileParentsAreAsked(t *testing.T) {
	for _, tc := range []struct{ name, packet string }{
		{"a second CONNECT", "40/slow,"},
		{"an event", `42/slow,["e"]`},
		{"an ack", `43/slow,1[]`},
		{"a DISCONNECT", "41/slow,"},
		{"the connection's end", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			g := newGate(f)
			c, s := f.connect(t)
			c.Send("40/slow,")
			<-g.entered
			if tc.packet == "" {
				c.Close()
			} else {
				c.Send(tc.packet)
				c.WantClosed()
				f.wantError(t, isError(sio.ErrPacket))
			}
			if err := <-g.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the context ended with %v", err)
			}
			eventually(t, "the socket gone", func() bool { return !s.Connected() })
			f.OnNewNamespace(func(ns *sio.Namespace) { t.Errorf("%s was made for nobody", ns.Name()) })
			f.connect(t)
		})
	}
}

func TestParentThatTakesTooLong(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.HookTimeout = 20 * time.Millisecond })
	g := newGate(f)
	c := dialAt(t, f.addr)
	c.Join("/slow", "") // it says yes in the end
	if err := <-g.ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context ended with %v", err)
	}
}

// TestChildIsMadeOnce shows the end of S3.4: however many ask at once, and whoever
// else makes it, there is one namespace.
func TestChildIsMadeOnce(t *testing.T) {
	f := serve(t)
	var made atomic.Int32
	f.OnNewNamespace(func(*sio.Namespace) { made.Add(1) })
	p := f.OfFunc(func(context.Context, string, json.RawMessage) bool { return true })
	const clients = 20
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range clients {
		c := dialAt(t, f.addr)
		wg.Go(func() {
			<-start
			c.Join("/room", "")
		})
	}
	close(start)
	wg.Wait()
	if n := made.Load(); n != 1 || len(p.Children()) != 1 || p.Children()[0].SocketCount() != clients {
		t.Errorf("made %d times, %d children", n, len(p.Children()))
	}
}

// No client gets in before the program has set a new namespace up.
func TestNewNamespaceIsToldFirst(t *testing.T) {
	f := serve(t)
	entered, release := make(chan struct{}), make(chan struct{})
	f.OnNewNamespace(func(ns *sio.Namespace) {
		if f.Of(ns.Name()) != ns {
			t.Error("it is not the namespace")
		}
		close(entered)
		<-release
		ns.Use(func(*sio.Socket) error { return errors.New("set up") })
	})
	f.OfPattern(numbered)
	first, second := dialAt(t, f.addr), dialAt(t, f.addr)
	first.Send("40/dyn-1,")
	<-entered
	second.Send("40/dyn-1,")
	if n := f.Of("/dyn-1").SocketCount(); n != 0 {
		t.Errorf("%d sockets", n)
	}
	close(release)
	for _, c := range []*siotest.Conn{first, second} {
		c.Want(`44/dyn-1,{"message":"set up"}`)
	}
}

func TestNewNamespaceHookThatPanics(t *testing.T) {
	f := serve(t)
	f.OnNewNamespace(func(*sio.Namespace) { panic("in the hook") })
	f.OfPattern(numbered)
	dialAt(t, f.addr).Join("/dyn-1", "")
	f.wantError(t, asError[*sio.PanicError])
}

// TestCleanupOfChildren shows S1.6 and S9.6: when empty children are removed.
func TestCleanupOfChildren(t *testing.T) {
	leave := func(c *siotest.Conn) { c.Send("41/dyn-1,") }
	for _, tc := range []struct {
		name string
		opts []func(*sio.Options)
		auth string
		end  func(*siotest.Conn)
		gone bool
	}{
		{"the last socket leaves", []func(*sio.Options){cleanup}, "", leave, true},
		{"the last connection is lost", []func(*sio.Options){cleanup}, "", (*siotest.Conn).Close, true},
		{"a middleware refuses", []func(*sio.Options){cleanup}, `{"no":1}`, func(*siotest.Conn) {}, true},
		{"it is off by default", nil, "", leave, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, tc.opts...)
			var made recorder
			f.OnNewNamespace(func(ns *sio.Namespace) { made.add(ns.Name()) })
			p := f.OfPattern(numbered)
			p.Use(func(s *sio.Socket) error {
				if string(s.Handshake().Auth) == `{"no":1}` {
					return errors.New("no")
				}
				return nil
			})
			f.Of("/static")
			c, _ := enterAt(t, f.addr, "/static")
			c.Send("40/dyn-1," + tc.auth)
			c.Next()
			tc.end(c)
			if tc.gone {
				eventually(t, "the child gone", func() bool { return len(p.Children()) == 0 })
			} else {
				eventually(t, "the socket gone", func() bool { return p.Children()[0].SocketCount() == 0 })
			}
			dialAt(t, f.addr).Join("/dyn-1", "") // anew, or as before
			if want := 2; tc.gone {
				made.want(t, "/static", "/dyn-1", "/dyn-1")
			} else if n := len(strings.Fields(made.text())); n != want {
				t.Errorf("made %q", made.text())
			}
			old := f.Of("/static")
			c.Close()
			eventually(t, "the connection gone", func() bool { return old.SocketCount() == 0 })
			if f.Of("/static") != old {
				t.Error("a static namespace was removed")
			}
		})
	}
}

// A child stays as long as anybody is in it or about to be.
func TestCleanupLeavesOthersAlone(t *testing.T) {
	f := serve(t, cleanup)
	p := f.OfPattern(numbered)
	waiting, release := make(chan struct{}), make(chan struct{})
	p.Use(func(s *sio.Socket) error {
		if string(s.Handshake().Auth) == `{"wait":1}` {
			close(waiting)
			<-release
		}
		return nil
	})
	first, second := dialAt(t, f.addr), dialAt(t, f.addr)
	first.Join("/dyn-1", "")
	ns := p.Children()[0]
	second.Send(`40/dyn-1,{"wait":1}`)
	<-waiting
	first.Send("41/dyn-1,")
	eventually(t, "the first gone", func() bool { return ns.SocketCount() == 0 })
	if f.Of("/dyn-1") != ns {
		t.Error("the namespace was removed under a middleware")
	}
	close(release)
	second.Next()
	if ns.SocketCount() != 1 {
		t.Errorf("%d sockets", ns.SocketCount())
	}
}

// Joining and leaving in a race with the removal, a client always gets in, and is
// where the program finds it.
func TestCleanupRacesJoins(t *testing.T) {
	f := serve(t, cleanup)
	p := f.OfPattern(numbered)
	if err := p.OnEvent("where", func(s *sio.Socket, ack sio.Ack) error {
		return ack.Send(f.Of("/dyn-1") == s.Namespace() && s.Namespace().Socket(s.ID()) == s)
	}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 6 {
		c := dialAt(t, f.addr)
		wg.Go(func() {
			for range 50 {
				c.Join("/dyn-1", "")
				c.Send(`42/dyn-1,1["where"]`)
				c.Want(`43/dyn-1,1[true]`)
				c.Send("41/dyn-1,")
			}
			c.Close()
		})
	}
	wg.Wait()
	eventually(t, "no child left", func() bool { return len(p.Children()) == 0 })
}

// A client over the limit is told so, for namespaces being asked for, too; its
// CONNECTs cost no goroutines without end, and nobody else anything.
func TestConnectStorm(t *testing.T) {
	f := serve(t, oneLoop, func(o *sio.Options) { o.MaxNamespaces = 3 })
	f.on(t, "echo", echo)
	g := newGate(f)
	c := dialAt(t, f.addr)
	const names = 200
	for i := range names {
		c.Send(fmt.Sprintf("40/n%d,", i))
	}
	for i := 3; i < names; i++ {
		c.Want(fmt.Sprintf(`44/n%d,{"message":"Too many namespaces"}`, i))
	}
	for range 3 {
		<-g.entered
	}
	if len(g.entered) > 0 {
		t.Errorf("%d more were asked for", len(g.entered))
	}
	other, _ := f.connect(t)
	other.Send(`421["echo"]`)
	other.Want("431[]")
	for range 3 {
		g.release <- false
	}
	for range 3 {
		if got := c.Next(); !strings.HasSuffix(got, `{"message":"Invalid namespace"}`) {
			t.Errorf("got %q", got)
		}
	}
	c.Send("40/again,") // there is room again
	<-g.entered
	g.release <- true
	if got := c.Next(); !strings.HasPrefix(got, "40/again,{") {
		t.Errorf("got %q", got)
	}
}

// TestParentOperations shows S9.5, and what we do in place of its weakness: all that
// is done on a parent reaches the sockets of all its children, and no others.
func TestParentOperations(t *testing.T) {
	f := serve(t)
	p := f.OfPattern(numbered)
	f.Of("/static")
	clients := make(map[string]*siotest.Conn)
	for _, name := range []string{"/dyn-1", "/dyn-2", "/static"} {
		c, id := enterAt(t, f.addr, name)
		f.Of(name).Socket(id).Join("room")
		clients[name] = c
	}
	members := []string{"/dyn-1", "/dyn-2"}
	for name, emit := range map[string]func(string, ...any) error{
		"Emit": p.Emit, "To": p.To("room").Emit, "Except": p.Except("empty").Emit, "Volatile": p.Volatile().Emit,
	} {
		if err := emit(name, 1, []byte("x")); err != nil {
			t.Fatal(err)
		}
		for _, ns := range members {
			clients[ns].Want(holes(fmt.Sprintf(`451-%s,[%q,1,#]`, ns, name)), "binary:x")
		}
	}
	if err := p.To("nobody").Emit("lost"); err != nil {
		t.Error(err)
	}
	if err := p.Emit("disconnect"); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
	if err := p.Emit("e", func() {}); err == nil {
		t.Error("a function was sent")
	}
	raw, err := sio.MakeRawArgs("r")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.EmitRaw("raw", raw); err != nil {
		t.Fatal(err)
	}
	for _, ns := range members {
		clients[ns].Want(fmt.Sprintf(`42%s,["raw","r"]`, ns))
	}

	answers := make(chan []sio.Reply)
	go func() {
		replies, err := p.EmitWithAck(t.Context(), "q")
		if err != nil {
			t.Error(err)
		}
		answers <- replies
	}()
	for _, ns := range members {
		clients[ns].Want(fmt.Sprintf(`42%s,0["q"]`, ns))
		clients[ns].Send(fmt.Sprintf(`43%s,0[%q]`, ns, ns))
	}
	if got := firstTexts(t, <-answers); !slices.Equal(got, members) {
		t.Errorf("answers %v", got)
	}

	if err := p.SocketsJoin("more"); err != nil {
		t.Error(err)
	}
	if err := p.SocketsLeave("room"); err != nil {
		t.Error(err)
	}
	all, err := p.To("more").FetchSockets(t.Context())
	if err != nil || len(all) != 2 || all[0].InRoom("room") {
		t.Errorf("fetched %v, %v", all, err)
	}
	if f.Of("/static").RoomSize("more") != 0 {
		t.Error("it reached another namespace")
	}
	if err := p.DisconnectSockets(false); err != nil {
		t.Error(err)
	}
	for _, ns := range members {
		clients[ns].Want("41" + ns + ",")
	}
	if err := f.Of("/static").Emit("end"); err != nil {
		t.Fatal(err)
	}
	clients["/static"].Want(`42/static,["end"]`) // and nothing before
}

// firstTexts returns the first argument of each reply, sorted.
func firstTexts(tb testing.TB, replies []sio.Reply) []string {
	tb.Helper()
	var all []string
	for _, r := range replies {
		var text string
		if err := r.Decode(&text); err != nil {
			tb.Error(err)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
