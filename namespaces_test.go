package sio_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// TestNamesOfNamespaces shows S9.1: the slash may be left out, and the server is
// the namespace "/".
func TestNamesOfNamespaces(t *testing.T) {
	f := serve(t)
	root := f.Of("/")
	if f.Of("") != root || f.Namespace != root || root.Name() != "/" {
		t.Errorf("%q is not the root", f.Of("").Name())
	}
	if ns := f.Of("x"); f.Of("/x") != ns || ns.Name() != "/x" {
		t.Errorf("%q and %q", ns.Name(), f.Of("/x").Name())
	}
	f.OnConnection(func(s *sio.Socket) {
		if s.Namespace() != root {
			t.Error("io.OnConnection is not about /")
		}
	})
	f.connect(t)
}

// TestSocketsOfANamespace shows S9.7 and S4.4: only connected sockets are listed, by
// ids that tell nothing of the session's, and a lost connection ends all of them.
func TestSocketsOfANamespace(t *testing.T) {
	f := serve(t)
	var ends recorder
	names := []string{"/", "/a", "/b"}
	c := dialAt(t, f.addr)
	ids := make(map[string]bool)
	for _, name := range names {
		ns := f.Of(name)
		ns.OnConnection(func(s *sio.Socket) {
			if s.Data() != nil {
				t.Errorf("data %v", s.Data())
			}
			s.SetData(name)
			s.OnDisconnect(func(s *sio.Socket, r sio.Reason) { ends.add(fmt.Sprint(s.Data(), ": ", r)) })
		})
		id := c.Join(name, "")
		s := ns.Socket(id)
		if s == nil || s.ID() != id || s.Namespace() != ns || len(ns.Sockets()) != 1 || ns.Sockets()[0] != s || ns.SocketCount() != 1 {
			t.Errorf("socket of %s: %v", name, s)
		}
		if ids[id] || id == c.SID() || len(id) != 20 {
			t.Errorf("id %q of session %q", id, c.SID())
		}
		ids[id] = true
		eventually(t, "the handler", func() bool { return s.Data() == name })
	}
	c.Send("41/a,")
	eventually(t, "one gone", func() bool { return f.Of("/a").SocketCount() == 0 })
	ends.want(t, "/a: client namespace disconnect")
	c.Close()
	eventually(t, "all gone", func() bool { return len(f.Sockets()) == 0 && len(f.Of("/b").Sockets()) == 0 })
	eventually(t, "three ends", func() bool { return ends.count() == 3 })
	_, rest, _ := strings.Cut(ends.text(), "\n")
	if rest != "/: transport close\n/b: transport close" && rest != "/b: transport close\n/: transport close" {
		t.Errorf("ends:\n%s", rest)
	}
}

// TestConnectTimeoutGoesOn shows S3.2: a refused CONNECT, or a middleware that is
// still at it, is not joining; having been in a namespace is enough for good.
func TestConnectTimeoutGoesOn(t *testing.T) {
	release := make(chan struct{})
	f := serve(t, func(o *sio.Options) { o.ConnectTimeout = 60 * time.Millisecond })
	f.Of("/never").Use(func(*sio.Socket) error { return errors.New("no") })
	f.Of("/slow").Use(func(*sio.Socket) error { <-release; return nil })
	defer close(release)
	left, _ := enterAt(t, f.addr, "/")
	left.Send("41")
	for _, packet := range []string{"40/never,", "40/nowhere,", "40/slow,"} {
		c := dialAt(t, f.addr)
		c.Send(packet)
		if _, code := c.WantClosed(); code != 1005 {
			t.Errorf("%s: closed with %d", packet, code)
		}
	}
	left.Join("/", "")
}

// TestMiddlewaresOfNamespaces shows S3.5: each namespace has its own, and the list is
// what it was when the client came.
func TestMiddlewaresOfNamespaces(t *testing.T) {
	f := serve(t)
	var asked recorder
	entered, release := make(chan struct{}), make(chan struct{})
	f.Use(func(*sio.Socket) error { asked.add("/"); return nil })
	a := f.Of("/a")
	a.Use(func(s *sio.Socket) error {
		asked.add("/a")
		if h := s.Handshake(); h.URL == "" || string(h.Auth) != `{"x":1}` || s.Connected() || len(a.Sockets()) != 0 {
			t.Errorf("in the middleware: %+v, connected %v", h, s.Connected())
		}
		close(entered)
		<-release
		return nil
	})
	c := dialAt(t, f.addr)
	c.Send(`40/a,{"x":1}`)
	<-entered
	a.Use(func(*sio.Socket) error { asked.add("late"); return nil })
	close(release)
	if got := c.Next(); got[:5] != "40/a," {
		t.Errorf("got %q", got)
	}
	asked.want(t, "/a")
	c.Join("/", "")
	asked.want(t, "/a", "/")
}

// TestRefusals shows S3.6: what a client is told by a middleware's error, that its
// rooms are left, and that it may try again.
func TestRefusals(t *testing.T) {
	f := serve(t)
	refusals := make(chan error, 1)
	f.Use(func(s *sio.Socket) error {
		s.Join("room")
		return <-refusals
	})
	c := dialAt(t, f.addr)
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"an error", errors.New("nope"), `44{"message":"nope"}`},
		{"a text that needs escapes", errors.New("a\"\n<"), `44{"message":"a\"\n<"}`},
		{"no text", errors.New(""), `44{"message":""}`},
		{"data", &sio.ConnectError{Message: "nope", Data: map[string]int{"a": 1}}, `44{"message":"nope","data":{"a":1}}`},
		{"wrapped", fmt.Errorf("more: %w", &sio.ConnectError{Message: "nope", Data: []int{}}), `44{"message":"nope","data":[]}`},
		{"data that are nothing are left out", &sio.ConnectError{Message: "nope"}, `44{"message":"nope"}`},
		{"data that can't be sent are left out", &sio.ConnectError{Message: "nope", Data: func() {}}, `44{"message":"nope"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			refusals <- tc.err
			c.Send("40")
			c.Want(tc.want)
			if f.SocketCount() != 0 || f.RoomSize("room") != 0 || len(f.Rooms()) != 0 {
				t.Errorf("%d sockets, rooms %v are left", f.SocketCount(), f.Rooms())
			}
		})
	}
	refusals <- nil
	c.Join("/", "")
	if f.RoomSize("room") != 1 {
		t.Error("the room was not joined")
	}
}

// TestMiddlewareThatSends shows S3.8: what a middleware emits comes before the answer
// to the CONNECT, and broadcasts don't reach a socket that is not connected.
func TestMiddlewareThatSends(t *testing.T) {
	f := serve(t)
	f.Use(func(s *sio.Socket) error {
		s.Join("room")
		return errors.Join(s.Emit("hello"), f.To("room").Emit("broadcast"), f.Emit("broadcast"))
	})
	c := dialAt(t, f.addr)
	c.Send("40")
	c.Want(`42["hello"]`)
	if got := c.Next(); got[:2] != "40" {
		t.Errorf("got %q", got)
	}
	if err := f.To("room").Emit("e"); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["e"]`)
}

// Rooms in a middleware are those that the socket will be in.
func TestRoomsInAMiddleware(t *testing.T) {
	f := serve(t)
	f.Use(func(s *sio.Socket) error {
		s.Join("a", "b", "a")
		s.Leave("b", "never")
		s.Join("c")
		if !s.InRoom("a") || s.InRoom("b") || !slices.Equal(s.Rooms(), []string{"a", "c"}) {
			t.Errorf("rooms %q", s.Rooms())
		}
		if f.RoomSize("a") != 0 {
			t.Error("others see the room already")
		}
		return nil
	})
	_, s := f.connect(t)
	if want := []string{s.ID(), "a", "c"}; !slices.Equal(s.Rooms(), want) || f.RoomSize("b") != 0 {
		t.Errorf("rooms %q", s.Rooms())
	}
}

// A middleware can close the connection; it can't leave a namespace that the socket
// is not in.
func TestDisconnectInAMiddleware(t *testing.T) {
	f := serve(t)
	f.Of("/a").Use(func(s *sio.Socket) error { s.Disconnect(false); return nil })
	f.Of("/b").Use(func(s *sio.Socket) error { s.Disconnect(true); return nil })
	c, s := f.connect(t)
	c.Join("/a", "")
	c.Send("40/b,")
	packets, _ := c.WantClosed()
	if len(packets) < 2 || packets[0] != "41" || packets[1] != "41/a," {
		t.Errorf("got %q", packets)
	}
	eventually(t, "the socket gone", func() bool { return !s.Connected() && f.Of("/b").SocketCount() == 0 })
}
