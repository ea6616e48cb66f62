package sio_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// TestConnect shows S3.1: a socket is there once the client asks for it, with an id of its own.
func TestConnect(t *testing.T) {
	f := serve(t)
	f.Of("/admin")
	c := f.dial(t)
	root := c.Join("/", "")
	admin := c.Join("/admin", `{"token":"t"}`)
	if root == admin || root == c.SID() || len(root) != 20 {
		t.Errorf("ids %q and %q of session %q", root, admin, c.SID())
	}
	if s := f.Of("/admin").Socket(admin); s == nil || !s.Connected() || string(s.Handshake().Auth) != `{"token":"t"}` {
		t.Errorf("socket in /admin: %+v", s)
	}
	if got := string(f.Of("/").Socket(root).Handshake().Auth); got != "{}" {
		t.Errorf("auth without any is %s", got)
	}
	if f.Of("admin") != f.Of("/admin") || f.Of("") != f.Of("/") {
		t.Error("names of namespaces differ by their slash")
	}
	if n := f.Clients(); n != 1 {
		t.Errorf("%d clients", n)
	}
	if n := len(f.Sockets()); n != 1 {
		t.Errorf("%d sockets in /", n)
	}
}

// TestConnectToUnknownNamespace shows S3.3: an unknown namespace costs the connection nothing.
func TestConnectToUnknownNamespace(t *testing.T) {
	f := serve(t)
	c := f.dial(t)
	c.Send("40/nope,")
	c.Want(`44/nope,{"message":"Invalid namespace"}`)
	c.Join("/", "") // the connection is none the worse
	f.Of("/nope")
	c.Join("/nope", "")
}

// TestHandshake shows S4.1 and S4.2: what is known of the request. All values of a query key are kept.
func TestHandshake(t *testing.T) {
	f := serve(t)
	c := f.dial(t, siotest.Query("token", "a b"), siotest.Query("token", "c"))
	h := f.Of("/").Socket(c.Join("/", "")).Handshake()
	if got := h.Query["token"]; !slices.Equal(got, []string{"a b", "c"}) {
		t.Errorf("query %v", h.Query)
	}
	if h.Headers.Get("Upgrade") != "websocket" || h.Secure || h.CrossDomain {
		t.Errorf("handshake %+v", h)
	}
	if !h.RemoteAddr.Addr().IsLoopback() || h.RemoteAddr.Port() == 0 || h.Time.IsZero() {
		t.Errorf("address %v, time %v", h.RemoteAddr, h.Time)
	}
	if !strings.HasPrefix(h.URL, "/socket.io/?EIO=4") {
		t.Errorf("URL %q", h.URL)
	}
	h.Auth[0], h.Headers["Upgrade"] = 'x', nil // the copy is the caller's
	if again := f.Of("/").Sockets()[0].Handshake(); again.Auth[0] != '{' || again.Headers.Get("Upgrade") == "" {
		t.Error("a caller's change is seen by the next")
	}
}

// TestMiddleware shows S3.5, S3.6 and, with a panic in place of an exception, S3.12.
func TestMiddleware(t *testing.T) {
	f := serve(t)
	ns := f.Of("/guarded")
	var asked recorder
	ns.Use(func(s *sio.Socket) error {
		asked.add("first")
		s.SetData("seen")
		s.Join("room")
		if s.Connected() || ns.Socket(s.ID()) != nil || ns.RoomSize("room") != 0 {
			asked.add("connected too early")
		}
		return nil
	})
	ns.Use(func(s *sio.Socket) error {
		switch string(s.Handshake().Auth) {
		case `{"who":"plain"}`:
			return errors.New("not authorized")
		case `{"who":"data"}`:
			return fmt.Errorf("wrapped: %w", &sio.ConnectError{Message: "no", Data: map[string]int{"code": 7}})
		case `{"who":"panic"}`:
			panic("middleware")
		}
		asked.add(fmt.Sprint("second: ", s.Data()))
		return nil
	})
	ns.OnConnection(func(s *sio.Socket) { asked.add(fmt.Sprint("connected: ", s.InRoom("room"))) })

	c := f.dial(t)
	for _, tc := range []struct{ auth, answer string }{
		{`{"who":"plain"}`, `44/guarded,{"message":"not authorized"}`},
		{`{"who":"data"}`, `44/guarded,{"message":"no","data":{"code":7}}`},
		{`{"who":"panic"}`, `44/guarded,{"message":"Internal server error"}`},
	} {
		c.Send("40/guarded," + tc.auth)
		c.Want(tc.answer)
	}
	c.Join("/guarded", `{"who":"me"}`)
	asked.want(t, "first", "first", "first", "first", "second: seen", "connected: true")
	if ns.RoomSize("room") != 1 {
		t.Errorf("%d sockets in the room", ns.RoomSize("room"))
	}
	f.wantError(t, asError[*sio.PanicError])
	f.wantNoErrors(t)
}

// A middleware may take its time: the loop goes on, and a client that leaves
// meanwhile is forgotten.
// Shows S3.10.
func TestMiddlewareThatBlocks(t *testing.T) {
	f := serve(t, oneLoop)
	f.on(t, "echo", echo)
	entered, release := make(chan struct{}), make(chan struct{})
	slow := f.Of("/slow")
	slow.Use(func(*sio.Socket) error { entered <- struct{}{}; <-release; return nil })
	slow.OnConnection(func(*sio.Socket) { t.Error("a client that has left was connected") })

	c := f.dial(t)
	c.Send("40/slow,")
	<-entered
	other, _ := f.connect(t)
	other.Send(`420["echo"]`)
	other.Want("430[]")
	c.Close()
	eventually(t, "the client gone", func() bool { return f.Clients() == 1 })
	close(release)
	other.Send(`421["echo"]`)
	other.Want("431[]")
	if slow.SocketCount() != 0 {
		t.Error("the socket is there")
	}
}

// The answer to CONNECT comes before all that is emitted to the new socket.
// Shows S3.7.
func TestConnectionHandler(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []sio.HandlerOption
	}{{"on a goroutine", nil}, {"inline", []sio.HandlerOption{sio.Inline}}} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			for i := range 3 {
				f.OnConnection(func(s *sio.Socket) {
					if err := s.Emit("welcome", i); err != nil {
						t.Error(err)
					}
				}, tc.opts...)
			}
			c, _ := f.connect(t)
			c.Want(`42["welcome",0]`, `42["welcome",1]`, `42["welcome",2]`)
		})
	}
}

// TestDisconnectByClient shows S3.13 and S6.10: one namespace is left, and can be joined again.
func TestDisconnectByClient(t *testing.T) {
	f := serve(t)
	f.Of("/admin")
	var ends recorder
	c, s := f.connect(t)
	admin := f.Of("/admin").Socket(c.Join("/admin", ""))
	note := func(s *sio.Socket, r sio.Reason) { ends.add(s.Namespace().Name() + ": " + string(r)) }
	s.OnDisconnect(note)
	admin.OnDisconnect(note)
	s.Join("room")
	c.Send("41")
	ends.want(t, "/: client namespace disconnect")
	if s.Connected() || !admin.Connected() || len(s.Rooms()) != 0 || f.Of("/").RoomSize("room") != 0 {
		t.Errorf("connected %v and %v, rooms %v", s.Connected(), admin.Connected(), s.Rooms())
	}
	if err := s.Emit("late"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("Emit after the end: %v", err)
	}
	s.OnDisconnect(note) // called at once
	if id := c.Join("/", ""); id == s.ID() {
		t.Error("the id was used again")
	}
	c.Close()
	ends.want(t, "/: client namespace disconnect", "/: client namespace disconnect", "/admin: transport close")
}

// TestDisconnectByServer shows S8.7.
func TestDisconnectByServer(t *testing.T) {
	f := serve(t)
	f.Of("/admin")
	var ends recorder
	note := func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) }
	t.Run("one namespace", func(t *testing.T) {
		c, s := f.connect(t)
		c.Join("/admin", "")
		s.OnDisconnect(note)
		if err := s.Emit("bye"); err != nil {
			t.Error(err)
		}
		s.Disconnect(false)
		s.Disconnect(false)
		c.Want(`42["bye"]`, "41")
		ends.want(t, "server namespace disconnect")
		c.Join("/", "") // the connection has stayed
	})
	t.Run("all of them", func(t *testing.T) {
		c, s := f.connect(t)
		c.Join("/admin", "")
		s.Disconnect(true)
		if got, _ := c.WantClosed(); !slices.Equal(got, []string{"41", "41/admin,"}) {
			t.Errorf("before the close came %q", got)
		}
	})
}

// TestConnectTimeout shows S1.3 and S3.2.
func TestConnectTimeout(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.ConnectTimeout = 50 * time.Millisecond })
	joined, _ := f.connect(t)
	idle := f.dial(t)
	if packets, _ := idle.WantClosed(); len(packets) > 0 {
		t.Errorf("got %q", packets)
	}
	joined.Send("41") // having joined once is enough
	eventually(t, "the socket gone", func() bool { return f.Of("/").SocketCount() == 0 })
	joined.Join("/", "")
}

// TestMaxNamespaces shows a limit that S16.2 lacks.
func TestMaxNamespaces(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.MaxNamespaces = 2 })
	f.Of("/a")
	f.Of("/b")
	c, _ := f.connect(t)
	c.Join("/a", "")
	c.Send("40/b,")
	c.Want(`44/b,{"message":"Too many namespaces"}`)
	c.Send("41/a,")
	c.Join("/b", "")
}

// Violations close their client's connection, with the reason "forced close",
// and no other's.
// Shows S2.15, S3.9, S3.11, S10.3 and, with nesting without end, S16.1.
func TestViolations(t *testing.T) {
	f := serve(t, oneLoop)
	f.on(t, "echo", echo, sio.Inline)
	f.Of("/admin")
	waiting := make(chan struct{})
	f.Of("/slow").Use(func(*sio.Socket) error { <-waiting; return nil })
	t.Cleanup(func() { close(waiting) })

	const binary = "binary:" // sent as a binary message
	for _, tc := range []struct {
		name string
		send []string
	}{
		{"an unknown packet type", []string{`49["a"]`}},
		{"no packet type", []string{`4`}},
		{"JSON that is none", []string{`42["a",`}},
		{"text behind the JSON", []string{`42["a"]x`}},
		{"an event without name", []string{`42[]`}},
		{"an event that is no array", []string{`42{"a":1}`}},
		{"an event's name that is no name", []string{`42[true]`}},
		{"a reserved event", []string{`42["disconnect"]`}},
		{"a reserved event, escaped", []string{`42["d\u0069sconnect"]`}},
		{"nesting without end", []string{`42["a",` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `]`}},
		{"an ack that is no array", []string{`430{}`}},
		{"auth that is no object", []string{`40/admin,"a"`}},
		{"a second CONNECT", []string{`40`}},
		{"a second CONNECT while the first is pending", []string{`40/slow,`, `40/slow,`}},
		{"an event for a namespace not joined", []string{`42/admin,["a"]`}},
		{"an event for a namespace whose middleware runs", []string{`40/slow,`, `42/slow,["a"]`}},
		{"a DISCONNECT from a namespace not joined", []string{`41/admin,`}},
		{"a CONNECT_ERROR", []string{`44{"message":"no"}`}},
		{"a binary event without count", []string{`45["a"]`}},
		{"a binary event without attachments", []string{`450-["a"]`}},
		{"too many attachments", []string{`4511-["a"]`}},
		{"text among attachments", []string{`451-["a",{"_placeholder":true,"num":0}]`, `42["a"]`}},
		{"binary out of nowhere", []string{binary + "x"}},
		{"a placeholder for no attachment", []string{`451-["a",{"_placeholder":true,"num":1}]`, binary + "x"}},
		{"a placeholder with half a number", []string{`451-["a",{"_placeholder":true,"num":0.5}]`, binary + "x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			witness, _ := f.connect(t)
			c, s := f.connect(t)
			var ends recorder
			s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) })
			for _, m := range tc.send {
				if b, ok := strings.CutPrefix(m, binary); ok {
					c.SendBinary([]byte(b))
				} else {
					c.Send(m)
				}
			}
			c.WantClosed()
			ends.want(t, "forced close")
			witness.Send(`427["echo","still here"]`)
			witness.Want(`437["still here"]`)
			f.wantError(t, func(error) bool { return true })
		})
	}
}

// Before a namespace is joined, there is no socket to tell, but the connection
// is closed all the same.
func TestViolationBeforeConnect(t *testing.T) {
	f := serve(t)
	c := f.dial(t)
	c.Send(`42["a"]`)
	c.WantClosed()
	f.wantError(t, isError(sio.ErrPacket))
}

func TestManyClientsAtOnce(t *testing.T) {
	f := serve(t)
	f.on(t, "echo", echo)
	var ended atomic.Int32
	f.OnConnection(func(s *sio.Socket) { s.OnDisconnect(func(*sio.Socket, sio.Reason) { ended.Add(1) }) })
	const clients = 200
	done := make(chan struct{})
	for range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			c, _ := f.enter(t)
			c.Send(`421["echo",1]`)
			c.Want("431[1]")
			c.Close()
		}()
	}
	for range clients {
		<-done
	}
	eventually(t, "all disconnected", func() bool { return ended.Load() == clients })
	// A socket is told of its end a little before its connection is off the count.
	eventually(t, "no client and no socket", func() bool {
		return f.Clients() == 0 && f.Of("/").SocketCount() == 0
	})
}

// echo acknowledges with its own arguments.
func echo(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { return ack.SendRaw(args) }
