package sio_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// crowd is four clients: a and b in the room red, b and c in blue, d in none.
type crowd struct {
	*fixture
	clients map[string]*siotest.Conn
	sockets map[string]*sio.Socket
}

func gather(t *testing.T, opts ...func(*sio.Options)) *crowd {
	t.Helper()
	f := &crowd{serve(t, opts...), make(map[string]*siotest.Conn), make(map[string]*sio.Socket)}
	for name, rooms := range map[string][]string{"a": {"red"}, "b": {"red", "blue"}, "c": {"blue"}, "d": nil} {
		c, s := f.connect(t)
		s.Join(rooms...)
		f.clients[name], f.sockets[name] = c, s
	}
	return f
}

// want checks that exactly these clients got the event "e". For all of them,
// a second event marks the end.
func (f *crowd) want(t *testing.T, names string) {
	t.Helper()
	var got strings.Builder
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := f.sockets[name].Emit("end"); err != nil {
			t.Fatal(err)
		}
		for packet := f.clients[name].Next(); packet != `42["end"]`; packet = f.clients[name].Next() {
			if packet != `42["e",1]` {
				t.Errorf("%s got %q", name, packet)
			}
			got.WriteString(name)
		}
	}
	if got.String() != names {
		t.Errorf("reached %q, want %q", got.String(), names)
	}
}

// TestBroadcast shows S7.2 and S7.3: whom a broadcast reaches.
func TestBroadcast(t *testing.T) {
	f := gather(t)
	a, b := f.sockets["a"], f.sockets["b"]
	for _, tc := range []struct {
		name string
		emit func(event string, args ...any) error
		want string
	}{
		{"everyone", f.Emit, "abcd"},
		{"a room", f.To("red").Emit, "ab"},
		{"In is To", f.In("red").Emit, "ab"},
		{"two rooms, each member once", f.To("red", "blue").Emit, "abc"},
		{"rooms one after the other", f.To("red").In("blue").Emit, "abc"},
		{"all but a room", f.Except("red").Emit, "cd"},
		{"a room but another", f.To("red").Except("blue").Emit, "a"},
		{"all but two rooms", f.Except("red").Except("blue").Emit, "d"},
		{"an empty room", f.To("nowhere").Emit, ""},
		{"a socket by its id", f.To(a.ID()).Emit, "a"},
		{"all but a socket", f.Except(a.ID()).Emit, "bcd"},
		{"the others", a.Broadcast().Emit, "bcd"},
		{"others in a room", a.To("red").Emit, "b"},
		{"others in rooms", b.In("red", "blue").Emit, "ac"},
		{"others but a room", a.Except("blue").Emit, "d"},
		{"oneself is none of the others", a.To(a.ID()).Emit, ""},
		{"volatile", f.To("blue").Volatile().Emit, "bc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // an operator can be used again
				if err := tc.emit("e", 1); err != nil {
					t.Fatal(err)
				}
				f.want(t, tc.want)
			}
		})
	}
	if err := f.To("red").Emit("e", func() {}); err == nil {
		t.Error("a function was broadcast")
	}
}

// TestBroadcastIsImmutable shows S7.4.
func TestBroadcastIsImmutable(t *testing.T) {
	f := gather(t)
	red := f.To("red")
	_ = red.To("blue")
	_ = red.Except("red")
	_ = red.Volatile()
	if err := red.Emit("e", 1); err != nil {
		t.Fatal(err)
	}
	f.want(t, "ab")
}

// TestRooms shows S7.1.
func TestRooms(t *testing.T) {
	f := gather(t)
	ns, b := f.Of("/"), f.sockets["b"]
	if got := b.Rooms(); got[0] != b.ID() || !slices.Contains(got, "red") || !slices.Contains(got, "blue") || len(got) != 3 {
		t.Errorf("rooms %q", got)
	}
	b.Join("red", "red")
	b.Leave("never", "blue")
	b.Leave("blue")
	if ns.RoomSize("red") != 2 || ns.RoomSize("blue") != 1 || b.InRoom("blue") || !b.InRoom("red") {
		t.Errorf("sizes %d and %d", ns.RoomSize("red"), ns.RoomSize("blue"))
	}
	f.clients["b"].Close()
	eventually(t, "b gone", func() bool { return ns.SocketCount() == 3 })
	b.Join("late")
	if ns.RoomSize("red") != 1 || ns.RoomSize("late") != 0 {
		t.Errorf("after the end: sizes %d and %d", ns.RoomSize("red"), ns.RoomSize("late"))
	}
	eventually(t, "no rooms", func() bool { return len(b.Rooms()) == 0 })
	if err := f.To("red").Emit("e", 1); err != nil {
		t.Fatal(err)
	}
	f.clients["a"].Want(`42["e",1]`)
}

// TestNamespacesAreApart shows S9.7.
func TestNamespacesAreApart(t *testing.T) {
	f := serve(t)
	admin := f.Of("/admin")
	c := dialAt(t, f.addr)
	root := f.Of("/").Socket(c.Join("/", ""))
	other := admin.Socket(c.Join("/admin", ""))
	root.Join("room")
	other.Join("room")
	for _, emit := range []func(string, ...any) error{f.Emit, f.To("room").Emit, root.Emit} {
		if err := emit("e"); err != nil {
			t.Fatal(err)
		}
		c.Want(`42["e"]`)
	}
	for _, emit := range []func(string, ...any) error{admin.Emit, admin.To("room").Emit, admin.In("room").Emit, admin.Except("x").Emit, other.Emit} {
		if err := emit("e"); err != nil {
			t.Fatal(err)
		}
		c.Want(`42/admin,["e"]`)
	}
	if err := root.Send("hi"); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["message","hi"]`)
}

// TestBroadcastOfBinary shows S7.5.
func TestBroadcastOfBinary(t *testing.T) {
	f := gather(t)
	if err := f.To("red").Emit("e", []byte("one"), map[string][]byte{"k": []byte("two")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		f.clients[name].Want(holes(`452-["e",#,{"k":#}]`), "binary:one", "binary:two")
	}
}

// What one goroutine sends arrives in order, be it by broadcasts or directly.
func TestOrderOfEmits(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	const each, senders = 100, 4
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			emits := []func(string, ...any) error{f.Emit, s.Emit, f.To(s.ID()).Emit}
			for i := range each {
				if err := emits[i%len(emits)]("e", sender, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := make([]int, senders)
	for range each * senders {
		var sender, i int
		packet := c.Next()
		if _, err := fmt.Sscanf(packet, `42["e",%d,%d]`, &sender, &i); err != nil || next[sender] != i {
			t.Fatalf("got %q, expected number %v next, %v", packet, next, err)
		}
		next[sender]++
	}
	wg.Wait()
}

// A client that does not read costs what it may, then it is gone; the others
// get everything.
// Shows a limit that S16.2 lacks.
func TestSlowClientInABroadcast(t *testing.T) {
	f := serve(t, oneLoop, func(o *sio.Options) { o.MaxPending = 64 << 10 })
	fast, _ := f.connect(t)
	_, slow := f.connect(t)
	var ends recorder
	slow.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) })
	text := strings.Repeat("x", 32<<10)
	for i := 0; slow.Connected(); i++ {
		if err := f.Emit("e", i, text); err != nil {
			t.Fatal(err)
		}
		if got := fast.Next(); !strings.HasPrefix(got, fmt.Sprintf(`42["e",%d,`, i)) {
			t.Fatalf("the fast client got %.20q", got)
		}
	}
	ends.want(t, "transport error")
	if err := slow.Emit("e"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("Emit to the slow client: %v", err)
	}
}

// A socket that joins and leaves while others broadcast gets whole events, and
// nothing is left behind.
func TestJoinAndLeaveDuringBroadcasts(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.MaxPending = 1 << 30 })
	const clients = 8
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f.To("room").Emit("e", i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var members sync.WaitGroup
	for range clients {
		members.Go(func() {
			for range 10 {
				c, id := enterAt(t, f.addr, "/")
				s := f.Of("/").Socket(id)
				s.Join("room")
				for range 5 {
					if got := c.Next(); !strings.HasPrefix(got, `42["e",`) {
						t.Errorf("got %q", got)
					}
				}
				s.Leave("room")
				c.Close()
			}
		})
	}
	members.Wait()
	close(stop)
	wg.Wait()
	eventually(t, "all gone", func() bool { return f.Clients() == 0 })
	if n := f.Of("/").RoomSize("room"); n != 0 {
		t.Errorf("%d members are left", n)
	}
}
