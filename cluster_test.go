package sio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// cluster is servers that know of each other through a bus, each with one client in
// "/" whose socket is in a room of the server's number.
type cluster struct {
	nodes   []*fixture
	clients []*siotest.Conn
	sockets []*sio.Socket
}

func startCluster(t *testing.T, n int, opts ...func(*sio.Options)) *cluster {
	t.Helper()
	bus := broadcast.NewBus()
	cl := new(cluster)
	for i := range n {
		f := serve(t, append(opts, func(o *sio.Options) { o.Adapter = bus.Join })...)
		c, s := f.connect(t)
		s.Join("all", fmt.Sprint("room", i))
		cl.nodes, cl.clients, cl.sockets = append(cl.nodes, f), append(cl.clients, c), append(cl.sockets, s)
	}
	return cl
}

// want checks that exactly the clients of these servers got the packet.
func (cl *cluster) want(t *testing.T, packet string, servers ...int) {
	t.Helper()
	for i, c := range cl.clients {
		if err := cl.sockets[i].Emit("end"); err != nil {
			t.Fatal(err)
		}
		got := c.Next()
		if slices.Contains(servers, i) {
			if got != packet {
				t.Errorf("the client of server %d got %q, want %q", i, got, packet)
			}
			got = c.Next()
		}
		if got != `42["end"]` {
			t.Errorf("the client of server %d got %q, too", i, got)
		}
	}
}

// TestClusterBroadcasts shows S15.3: a server ignores what it has sent itself.
func TestClusterBroadcasts(t *testing.T) {
	cl := startCluster(t, 3)
	f, s := cl.nodes[0], cl.sockets[0]
	for _, tc := range []struct {
		name string
		b    sio.Broadcast
		want []int
	}{
		{"all", f.Broadcast, []int{0, 1, 2}},
		{"from another server", cl.nodes[2].Broadcast, []int{0, 1, 2}},
		{"a room of another server", f.To("room1"), []int{1}},
		{"rooms of two servers", f.To("room1", "room2"), []int{1, 2}},
		{"all but a room", f.Except("room1"), []int{0, 2}},
		{"a room but another", f.To("all").Except("room0", "room2"), []int{1}},
		{"a socket of another server by its id", f.To(cl.sockets[1].ID()), []int{1}},
		{"the others of a socket", s.Broadcast(), []int{1, 2}},
		{"the others in a room", s.To("all").Except("room2"), []int{1}},
		{"volatile", f.To("room0", "room1").Volatile(), []int{0, 1}},
		{"not compressed", f.Compress(false), []int{0, 1, 2}},
		{"this server only", f.Local(), []int{0}},
		{"this server's others", s.Broadcast().Local(), nil},
		{"a room elsewhere, but here only", f.To("room1").Local(), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.b.Emit("e", 1, map[string]bool{"x": true}); err != nil {
				t.Fatal(err)
			}
			cl.want(t, `42["e",1,{"x":true}]`, tc.want...)
			raw, err := sio.MakeRawArgs("raw")
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.b.EmitRaw("e", raw); err != nil {
				t.Fatal(err)
			}
			cl.want(t, `42["e","raw"]`, tc.want...)
		})
	}
	t.Run("binary", func(t *testing.T) {
		if err := f.Emit("e", []byte("x"), map[string][]byte{"k": {}}); err != nil {
			t.Fatal(err)
		}
		for _, c := range cl.clients {
			c.Want(holes(`452-["e",#,{"k":#}]`), "binary:x", "binary:")
		}
	})
	t.Run("seen on its way out elsewhere", func(t *testing.T) {
		seen := make(chan string, 1)
		remove := cl.sockets[1].OnAnyOutgoing(func(_ *sio.Socket, event string, args sio.RawArgs) { seen <- event + string(args.JSON(0)) })
		if err := f.To("room1").Emit("e", 1); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != "e1" {
			t.Errorf("saw %q", got)
		}
		remove()
		cl.clients[1].Want(`42["e",1]`)
	})
	if err := f.Emit("disconnect"); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
	if err := f.Emit("e", func() {}); err == nil {
		t.Error("a function was sent")
	}
	for _, f := range cl.nodes {
		f.wantNoErrors(t)
	}
}

// What one goroutine broadcasts arrives in order on every server.
func TestClusterKeepsOrder(t *testing.T) {
	cl := startCluster(t, 2)
	const each = 200
	var wg sync.WaitGroup
	for i, f := range cl.nodes {
		wg.Go(func() {
			for n := range each {
				if err := f.Emit("e", i, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, c := range cl.clients {
		var next [2]int
		for range 2 * each {
			var i, n int
			if packet := c.Next(); !scan(packet, `42["e",%d,%d]`, &i, &n) || next[i] != n {
				t.Fatalf("got %q, want %v next", packet, next)
			}
			next[i]++
		}
	}
	wg.Wait()
}

func scan(text, format string, into ...any) bool {
	n, err := fmt.Sscanf(text, format, into...)
	return err == nil && n == len(into)
}

func TestClusterAcks(t *testing.T) {
	cl := startCluster(t, 3)
	got := survey(t.Context(), cl.nodes[0].To("all"), 1)
	for i, c := range cl.clients {
		c.Want(`420["q",1]`)
		c.Send(fmt.Sprintf(`430["answer %d"]`, i))
	}
	if g := <-got; g.err != nil || !slices.Equal(firstTexts(t, g.replies), []string{"answer 0", "answer 1", "answer 2"}) {
		t.Errorf("answers %v, %v", firstTexts(t, g.replies), g.err)
	}
	if g := <-survey(t.Context(), cl.nodes[0].To("nobody")); g.err != nil || len(g.replies) != 0 {
		t.Errorf("nobody: %v, %v", g.replies, g.err)
	}
	got = survey(t.Context(), cl.nodes[0].Local())
	cl.clients[0].Want(`422["q"]`)
	cl.clients[0].Send(`432["local"]`)
	if g := <-got; g.err != nil || len(g.replies) != 1 {
		t.Errorf("local: %v, %v", g.replies, g.err)
	}
}

// An answer that does not come, of whatever server, is missing; those that came are
// there. Nobody waits for clients or servers that have gone.
func TestClusterAcksThatAreMissing(t *testing.T) {
	for _, tc := range []struct {
		name     string
		timeout  time.Duration
		then     func(*cluster)
		answered int
		why      error
	}{
		{"too late", 50 * time.Millisecond, nil, 2, sio.ErrAckTimeout},
		{"a client of another server leaves", time.Minute, func(cl *cluster) { cl.clients[2].Close() }, 2, sio.ErrDisconnected},
		{"another server is closed", time.Minute, func(cl *cluster) { _ = cl.nodes[2].Close() }, 2, sio.ErrDisconnected},
		{"another server is shut down", time.Minute, func(cl *cluster) { _ = cl.nodes[2].Shutdown(context.Background()) }, 2, sio.ErrDisconnected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cl := startCluster(t, 3)
			got := survey(t.Context(), cl.nodes[0].Timeout(tc.timeout))
			for i, c := range cl.clients {
				c.Want(`420["q"]`)
				if i < 2 {
					c.Send(fmt.Sprintf(`430["%d"]`, i))
				}
			}
			if tc.then != nil {
				tc.then(cl)
			}
			g := <-got
			wantAckError(t, g.err, 3, tc.answered, tc.why)
			if !slices.Equal(firstTexts(t, g.replies), []string{"0", "1"}) {
				t.Errorf("answers %v", firstTexts(t, g.replies))
			}
		})
	}
}

func TestClusterFetch(t *testing.T) {
	cl := startCluster(t, 2)
	type user struct{ Name string }
	c := dialAt(t, cl.nodes[1].addr, siotest.Query("k", "v"))
	s := cl.nodes[1].Socket(c.Join("/", `{"token":"x"}`))
	s.SetData(&user{"ada"})
	s.Join("red")
	all, err := cl.nodes[0].FetchSockets(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	found, err := cl.nodes[0].In("red").FetchSockets(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	r := found[0]
	if r.ID != s.ID() || !slices.Equal(r.Rooms, []string{s.ID(), "red"}) {
		t.Errorf("%+v", r)
	}
	here, there := s.Handshake(), r.Handshake
	if string(there.Auth) != `{"token":"x"}` || there.Query.Get("k") != "v" || there.URL != here.URL || !there.Time.Equal(here.Time) ||
		there.RemoteAddr != here.RemoteAddr || there.Headers.Get("Upgrade") != "websocket" {
		t.Errorf("handshake %+v, want %+v", there, here)
	}
	var u user
	if err := r.DecodeData(&u); err != nil || u.Name != "ada" {
		t.Errorf("data %v, %v", u, err)
	}
	if err := errors.Join(r.Join("blue"), r.Leave("red"), r.Emit("e", 1)); err != nil {
		t.Error(err)
	}
	c.Want(`42["e",1]`)
	if !slices.Equal(s.Rooms(), []string{s.ID(), "blue"}) {
		t.Errorf("rooms %v", s.Rooms())
	}
	reply := make(chan error, 1)
	go func() {
		_, err := r.EmitWithAck(t.Context(), "q")
		reply <- err
	}()
	c.Want(`420["q"]`)
	c.Send("430[]")
	if err := <-reply; err != nil {
		t.Error(err)
	}
	if err := r.Disconnect(true); err != nil {
		t.Error(err)
	}
	c.WantClosed()
	if local, err := cl.nodes[0].Local().FetchSockets(t.Context()); err != nil || len(local) != 1 {
		t.Errorf("local: %v, %v", local, err)
	}
}

// Data of another server's socket that can't be encoded, or whose encoding panics,
// leave the rest as it is.
func TestClusterFetchOfStrangeData(t *testing.T) {
	cl := startCluster(t, 2)
	cl.sockets[1].SetData(badMarshaler{})
	all, err := cl.nodes[0].FetchSockets(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("fetched %v, %v", all, err)
	}
	cl.nodes[1].wantError(t, func(err error) bool { return strings.Contains(err.Error(), "in MarshalJSON") })
}

func TestClusterOperations(t *testing.T) {
	cl := startCluster(t, 3)
	f := cl.nodes[0]
	rooms := []string{"new"}
	if err := f.In("room1", "room2").SocketsJoin(rooms...); err != nil {
		t.Error(err)
	}
	rooms[0] = "changed by the caller"
	if err := f.To("new").Emit("e"); err != nil {
		t.Fatal(err)
	}
	cl.want(t, `42["e"]`, 1, 2)
	if err := f.Except("room2").SocketsLeave("new"); err != nil {
		t.Error(err)
	}
	if err := f.To("new").Emit("e"); err != nil {
		t.Fatal(err)
	}
	cl.want(t, `42["e"]`, 2)
	if err := f.Local().SocketsJoin("here"); err != nil {
		t.Error(err)
	}
	if err := cl.nodes[2].To("here").Emit("e"); err != nil {
		t.Fatal(err)
	}
	cl.want(t, `42["e"]`, 0)
	if err := cl.sockets[0].To("all").DisconnectSockets(true); err != nil {
		t.Error(err)
	}
	for i := 1; i < 3; i++ {
		if got, _ := cl.clients[i].WantClosed(); !slices.Equal(got, []string{"41"}) {
			t.Errorf("client %d got %q", i, got)
		}
	}
	if !cl.sockets[0].Connected() {
		t.Error("the sender is gone, too")
	}
}

// TestServerSideEmit shows S7.14: events for the other servers, never for this one.
func TestServerSideEmit(t *testing.T) {
	cl := startCluster(t, 3)
	var got recorder
	for i, f := range cl.nodes {
		for event, handler := range map[string]any{
			"text": func(text string, n int) { got.add(fmt.Sprint(text, n)) },
			"wants": func(ack sio.Ack) error {
				got.add(fmt.Sprint("wanted ", ack.Wanted()))
				return ack.Send(i)
			},
			"data": func(data []byte, more ...string) { got.add(fmt.Sprint(string(data), more)) },
		} {
			if err := f.OnServerSide(event, handler); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Of("/x").OnServerSide("text", func(string) { t.Error("another namespace") }); err != nil {
			t.Fatal(err)
		}
	}
	f := cl.nodes[0]
	for _, tc := range []struct {
		event string
		args  []any
		want  string
	}{
		{"text", []any{"a", 1}, "a1"},
		{"wants", nil, "wanted false"},
		{"data", []any{[]byte("bytes"), "x", "y"}, "bytes[x y]"},
		{"nobody", nil, ""},
	} {
		if err := f.ServerSideEmit(tc.event, tc.args...); err != nil {
			t.Error(err)
		}
		if tc.want != "" {
			got.want(t, tc.want, tc.want)
		}
		got.mu.Lock()
		got.lines = nil
		got.mu.Unlock()
	}
	for _, event := range []string{"connect", "connection", "new_namespace", "disconnect"} {
		if err := f.ServerSideEmit(event); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("%s: %v", event, err)
		}
		if _, err := f.ServerSideEmitWithAck(t.Context(), event); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("%s: %v", event, err)
		}
		if err := f.OnServerSide(event, func() {}); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("%s: %v", event, err)
		}
	}
	if err := f.OnServerSide("e", func(*sio.Socket) {}); !asError[*sio.HandlerError](err) {
		t.Errorf("a handler with a socket: %v", err)
	}
	if err := f.ServerSideEmit("e", func() {}); err == nil {
		t.Error("a function was sent")
	}
	cl.clients[0].Send(`42["text","from a client",1]`)
	cl.clients[0].Send(`421["sync"]`)
	cl.want(t, "", []int{}...)
	if got.text() != "" {
		t.Errorf("seen, too: %s", got.text())
	}
}

// The answers of servers: one of each, or none of those that can't give one.
// Shows S15.5.
func TestServerSideAcks(t *testing.T) {
	const (
		answers = iota // with its number
		silent         // keeps the ack
		fails          // returns an error
		panics
		misfit // wants other arguments
		none   // has no handler
		late   // answers from elsewhere, twice
	)
	for _, tc := range []struct {
		name    string
		others  [2]int
		want    []string
		errors  int // told to the other servers' OnError
		missing bool
	}{
		{"all answer", [2]int{answers, answers}, []string{"1", "2"}, 0, false},
		{"from elsewhere", [2]int{answers, late}, []string{"1", "2"}, 0, false},
		{"one has no handler", [2]int{none, answers}, []string{"2"}, 0, false},
		{"nobody has one", [2]int{none, none}, nil, 0, false},
		{"one fails", [2]int{answers, fails}, []string{"1"}, 1, false},
		{"one panics", [2]int{panics, answers}, []string{"2"}, 1, false},
		{"one wants other arguments", [2]int{misfit, answers}, []string{"2"}, 1, false},
		{"one never answers", [2]int{answers, silent}, []string{"1"}, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cl := startCluster(t, 3)
			if err := cl.nodes[0].OnServerSide("q", func() { t.Error("asked itself") }); err != nil {
				t.Fatal(err)
			}
			for i, kind := range tc.others {
				answer := fmt.Sprint(i + 1)
				var handler any
				switch kind {
				case answers:
					handler = func(text string, ack sio.Ack) error { return ack.Send(answer, text) }
				case silent:
					handler = func(sio.Ack) {}
				case fails:
					handler = func(sio.Ack) error { return errors.New("no") }
				case panics:
					handler = func(sio.Ack) { panic("no") }
				case misfit:
					handler = func(int, sio.Ack) { t.Error("called") }
				case late:
					handler = func(ack sio.Ack) {
						go func() {
							raw, err := sio.MakeRawArgs(answer)
							if err = errors.Join(err, ack.SendRaw(raw)); err != nil {
								t.Error(err)
							}
							if err := ack.Send("again"); !errors.Is(err, sio.ErrAckSent) {
								t.Error(err)
							}
						}()
					}
				}
				if kind != none {
					if err := cl.nodes[i+1].OnServerSide("q", handler); err != nil {
						t.Fatal(err)
					}
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if tc.missing {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			replies, err := cl.nodes[0].ServerSideEmitWithAck(ctx, "q", "text")
			if got := firstTexts(t, replies); !slices.Equal(got, tc.want) {
				t.Errorf("answers %v, want %v", got, tc.want)
			}
			me, missing := errors.AsType[*broadcast.MissingError](err)
			switch {
			case !tc.missing && err != nil, missing != tc.missing:
				t.Errorf("error %v", err)
			case missing && (me.Missing != 1 || !errors.Is(err, context.DeadlineExceeded)):
				t.Errorf("error %v", err)
			}
			for range tc.errors {
				eventually(t, "an error", func() bool {
					n := 0
					for _, f := range cl.nodes {
						f.mu.Lock()
						n += len(f.errors)
						f.mu.Unlock()
					}
					return n == tc.errors
				})
			}
		})
	}
}

// Without a deadline there is one of the options, and it is told apart.
func TestServerSideAckTimeout(t *testing.T) {
	cl := startCluster(t, 2, func(o *sio.Options) { o.AckTimeout = 50 * time.Millisecond })
	if err := cl.nodes[1].OnServerSide("q", func(sio.Ack) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := cl.nodes[0].ServerSideEmitWithAck(t.Context(), "q"); !errors.Is(err, sio.ErrAckTimeout) {
		t.Errorf("got %v", err)
	}
}

// Alone, there is nobody to emit to.
// Shows S1.4: without an adapter there is one server.
func TestServerSideEmitAlone(t *testing.T) {
	f := serve(t)
	if err := f.OnServerSide("e", func() { t.Error("called") }); err != nil {
		t.Fatal(err)
	}
	replies, err := f.ServerSideEmitWithAck(t.Context(), "e")
	if err = errors.Join(err, f.ServerSideEmit("e")); err != nil || replies != nil {
		t.Errorf("%v, %v", replies, err)
	}
	if n, err := f.NodeCount(t.Context()); n != 1 || err != nil {
		t.Errorf("%d nodes, %v", n, err)
	}
}

// A server that ends leaves the cluster, and what it has of it then fails as such.
func TestClusterWithoutAServer(t *testing.T) {
	cl := startCluster(t, 3)
	count := func(want int) {
		t.Helper()
		if n, err := cl.nodes[0].NodeCount(t.Context()); n != want || err != nil {
			t.Errorf("%d nodes, %v", n, err)
		}
	}
	count(3)
	if err := cl.nodes[1].Close(); err != nil {
		t.Error(err)
	}
	count(2)
	if err := cl.nodes[2].Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	count(1)
	if err := cl.nodes[0].Emit("e", 1); err != nil {
		t.Error(err)
	}
	cl.clients[0].Want(`42["e",1]`)
	gone := cl.nodes[1]
	late := gone.Of("/late") // made after the end: it leaves at once
	for name, err := range map[string]error{
		"Emit": gone.Emit("e"), "SocketsJoin": gone.SocketsJoin("x"), "ServerSideEmit": gone.ServerSideEmit("e"), "late": late.Emit("e"),
	} {
		if !errors.Is(err, broadcast.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := gone.EmitWithAck(t.Context(), "q"); !errors.Is(err, broadcast.ErrClosed) {
		t.Errorf("EmitWithAck: %v", err)
	}
	if _, err := gone.FetchSockets(t.Context()); !errors.Is(err, broadcast.ErrClosed) {
		t.Errorf("FetchSockets: %v", err)
	}
	if _, err := gone.ServerSideEmitWithAck(t.Context(), "q"); !errors.Is(err, broadcast.ErrClosed) {
		t.Errorf("ServerSideEmitWithAck: %v", err)
	}
	if _, err := gone.NodeCount(t.Context()); !errors.Is(err, broadcast.ErrClosed) {
		t.Errorf("NodeCount: %v", err)
	}
	if err := errors.Join(gone.Local().Emit("e"), late.Local().Emit("e")); err != nil {
		t.Errorf("locally: %v", err)
	}
	if n, err := cl.nodes[0].Of("/late").NodeCount(t.Context()); n != 1 || err != nil {
		t.Errorf("%d nodes of /late, %v", n, err)
	}
}

// Children of parents are in the cluster, and leave it when they are removed.
func TestClusterOfChildren(t *testing.T) {
	cl := startCluster(t, 2, cleanup)
	var clients []*siotest.Conn
	var parents []*sio.ParentNamespace
	for _, f := range cl.nodes {
		parents = append(parents, f.OfPattern(numbered))
		c, _ := enterAt(t, f.addr, "/dyn-1")
		clients = append(clients, c)
	}
	if err := parents[0].Emit("e", 1); err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.Want(`42/dyn-1,["e",1]`)
	}
	child := parents[0].Children()[0]
	if n, err := child.NodeCount(t.Context()); n != 2 || err != nil {
		t.Errorf("%d nodes, %v", n, err)
	}
	clients[1].Close()
	eventually(t, "one node", func() bool { n, err := child.NodeCount(t.Context()); return n == 1 && err == nil })
	clients[0].Close()
	eventually(t, "no node", func() bool { _, err := child.NodeCount(t.Context()); return errors.Is(err, broadcast.ErrClosed) })
}

// adapterFor makes a server's adapters by name of the namespace.
func adapterFor(makers map[string]broadcast.Connect) func(*sio.Options) {
	return func(o *sio.Options) {
		o.Adapter = func(ns string, local broadcast.Local) (broadcast.Adapter, error) {
			if connect := makers[ns]; connect != nil {
				return connect(ns, local)
			}
			return broadcast.NewBus().Join(ns, local)
		}
	}
}

// An adapter that can't be made, or fails, is reported, and costs the namespace nothing
// but the other servers.
func TestAdaptersThatFail(t *testing.T) {
	sentinel := errors.New("no adapter")
	f := serve(t, adapterFor(map[string]broadcast.Connect{
		"/dyn-1": func(string, broadcast.Local) (broadcast.Adapter, error) { return nil, sentinel },
		"/dyn-2": func(string, broadcast.Local) (broadcast.Adapter, error) { panic("in Connect") },
		"/dyn-3": func(string, broadcast.Local) (broadcast.Adapter, error) { return failingAdapter{sentinel}, nil },
	}))
	p := f.OfPattern(numbered)
	clients := make(map[string]*siotest.Conn)
	for _, name := range []string{"/dyn-1", "/dyn-2", "/dyn-3", "/dyn-4"} {
		clients[name], _ = enterAt(t, f.addr, name)
	}
	f.wantError(t, isError(sentinel))
	f.wantError(t, asError[*sio.PanicError])
	for name, c := range clients {
		err := f.Of(name).Emit("e", 1)
		if errors.Is(err, sentinel) != (name == "/dyn-3") {
			t.Errorf("%s: %v", name, err)
		}
		c.Want("42" + name + `,["e",1]`) // this server's sockets get it
	}
	if err := p.Emit("all"); !errors.Is(err, sentinel) {
		t.Errorf("a parent with a child that fails: %v", err)
	}
	for name, c := range clients {
		c.Want("42" + name + `,["all"]`)
	}
	if err := p.SocketsJoin("room"); !errors.Is(err, sentinel) {
		t.Errorf("SocketsJoin: %v", err)
	}
	all, err := p.In("room").FetchSockets(t.Context())
	if !errors.Is(err, sentinel) || len(all) != 4 {
		t.Errorf("fetched %d, %v", len(all), err)
	}
	if err := f.Of("/dyn-3").ServerSideEmit("e"); !errors.Is(err, sentinel) {
		t.Errorf("ServerSideEmit: %v", err)
	}
}

type failingAdapter struct{ err error }

func (a failingAdapter) Publish(*broadcast.Request) error { return a.err }
func (a failingAdapter) Ask(context.Context, *broadcast.Request, func(broadcast.Answer)) error {
	return a.err
}
func (a failingAdapter) Nodes(context.Context) (int, error) { return 0, a.err }
func (a failingAdapter) Close() error                       { return nil }

// Whoever gets a namespace while its adapter is being made can use it: it is not alone
// for a moment. Nor is it for events of other servers that come that early.
func TestNamespaceWhileItsAdapterIsMade(t *testing.T) {
	bus := broadcast.NewBus()
	other := serve(t, func(o *sio.Options) { o.Adapter = bus.Join })
	c := dialAt(t, other.addr)
	other.Of("/dyn-1")
	c.Join("/dyn-1", "")
	entered, release := make(chan struct{}), make(chan struct{})
	f := serve(t, adapterFor(map[string]broadcast.Connect{
		"/dyn-1": func(ns string, local broadcast.Local) (broadcast.Adapter, error) {
			a, err := bus.Join(ns, local)
			if other.Of("/dyn-1").SocketsJoin("early") != nil {
				t.Error("SocketsJoin")
			}
			close(entered)
			<-release
			return a, err
		},
	}))
	p := f.OfPattern(regexp.MustCompile(`^/dyn-1$`))
	go f.Of("/dyn-1")
	<-entered
	sent := make(chan error, 2)
	go func() { sent <- f.Of("/dyn-1").Emit("e") }()
	go func() { sent <- p.Emit("e") }()
	close(release)
	for range 2 {
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	c.Want(`42/dyn-1,["e"]`, `42/dyn-1,["e"]`)
}
