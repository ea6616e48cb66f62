package sio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// TestReasons shows S8.6: why a socket was disconnected, in the reference's words.
// Its "forced server close" is "forced close" here: how fast the transport could close is
// nothing that a program needs to know.
func TestReasons(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*fixture, *siotest.Conn, *sio.Socket)
		want sio.Reason
	}{
		{"a DISCONNECT", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Send("41") }, sio.ReasonClientDisconnect},
		{"Disconnect", func(_ *fixture, _ *siotest.Conn, s *sio.Socket) { s.Disconnect(false) }, sio.ReasonServerDisconnect},
		{"Disconnect of all", func(_ *fixture, _ *siotest.Conn, s *sio.Socket) { s.Disconnect(true) }, sio.ReasonServerDisconnect},
		{"DisconnectSockets", func(f *fixture, _ *siotest.Conn, s *sio.Socket) { _ = f.In(s.ID()).DisconnectSockets(true) }, sio.ReasonServerDisconnect},
		{"the connection is lost", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Close() }, sio.ReasonTransportClose},
		{"a close packet", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Send("1") }, sio.ReasonTransportClose},
		{"a message over the limit", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) {
			c.Send(`42["` + strings.Repeat("x", 10_000) + `"]`)
		}, sio.ReasonTransportError},
		{"no pong", func(*fixture, *siotest.Conn, *sio.Socket) {}, sio.ReasonPingTimeout},
		{"an Engine.IO packet that is none", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Send("9") }, sio.ReasonParseError},
		{"a Socket.IO packet that is none", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Send("4x") }, sio.ReasonForcedClose},
		{"a breach of the protocol", func(_ *fixture, c *siotest.Conn, _ *sio.Socket) { c.Send("40") }, sio.ReasonForcedClose},
		{"the server's end", func(f *fixture, _ *siotest.Conn, _ *sio.Socket) { _ = f.Close() }, sio.ReasonShuttingDown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) {
				o.MaxPayload = 5000
				if tc.want == sio.ReasonPingTimeout {
					o.PingInterval, o.PingTimeout = 20*time.Millisecond, 20*time.Millisecond
				}
			})
			var ends recorder
			f.OnConnection(func(s *sio.Socket) {
				s.OnDisconnecting(func(_ *sio.Socket, r sio.Reason) { ends.add("disconnecting: " + string(r)) })
				s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add("disconnected: " + string(r)) })
			})
			c, s := f.connect(t)
			ctx := s.Context()
			tc.end(f, c, s)
			ends.want(t, "disconnecting: "+string(tc.want), "disconnected: "+string(tc.want))
			<-ctx.Done()
			cause := context.Cause(ctx)
			if de, ok := errors.AsType[*sio.DisconnectError](cause); !ok || de.Reason != tc.want || !errors.Is(cause, sio.ErrDisconnected) {
				t.Errorf("the context's cause is %v", cause)
			}
		})
	}
}

// TestDisconnecting shows S7.8: first the functions that still see the rooms, then the
// others. Unlike in the reference, the socket is disconnected in both.
func TestDisconnecting(t *testing.T) {
	f := serve(t)
	var got recorder
	watcher, w := f.connect(t)
	w.Join("red")
	c, s := f.connect(t)
	s.Join("red")
	note := func(when string) func(*sio.Socket, sio.Reason) {
		return func(s *sio.Socket, _ sio.Reason) {
			got.add(fmt.Sprint(when, " ", len(s.Rooms()), " ", s.Connected(), " ", f.RoomSize("red"), " ", f.Socket(s.ID()) == nil))
		}
	}
	s.OnDisconnect(note("disconnect"))
	s.OnDisconnecting(note("disconnecting"))
	s.OnDisconnecting(func(s *sio.Socket, _ sio.Reason) {
		if rooms := s.Rooms(); !slices.Equal(rooms, []string{s.ID(), "red"}) {
			t.Errorf("rooms %q", rooms)
		}
		if err := s.To(s.Rooms()...).Emit("left", s.ID()); err != nil {
			t.Error(err)
		}
		s.OnDisconnecting(note("one more"))
	})
	c.Send("41")
	watcher.Want(fmt.Sprintf(`42["left",%q]`, s.ID()))
	got.want(t, "disconnecting 2 false 1 true", "one more 2 false 1 true", "disconnect 0 false 1 true")
	s.OnDisconnecting(note("late"))
	got.want(t, "disconnecting 2 false 1 true", "one more 2 false 1 true", "disconnect 0 false 1 true", "late 0 false 1 true")
}

func TestEndFunctionsThatPanic(t *testing.T) {
	f := serve(t)
	var got recorder
	c, s := f.connect(t)
	for range 2 {
		s.OnDisconnecting(func(*sio.Socket, sio.Reason) { got.add("disconnecting"); panic("1") })
		s.OnDisconnect(func(*sio.Socket, sio.Reason) { got.add("disconnect"); panic("2") })
	}
	c.Close()
	got.want(t, "disconnecting", "disconnecting", "disconnect", "disconnect")
	for range 4 {
		f.wantError(t, asError[*sio.PanicError])
	}
}

// A middleware's functions for the end are not called for a socket that never was
// connected, but its context ends.
func TestEndOfARefusedSocket(t *testing.T) {
	f := serve(t)
	refused := make(chan *sio.Socket, 1)
	f.Use(func(s *sio.Socket) error {
		refused <- s
		s.OnDisconnect(func(*sio.Socket, sio.Reason) { t.Error("disconnect") })
		s.OnDisconnecting(func(*sio.Socket, sio.Reason) { t.Error("disconnecting") })
		s.Context()
		return errors.New("no")
	})
	c := dialAt(t, f.addr)
	c.Send("40")
	c.Want(`44{"message":"no"}`)
	s := <-refused
	<-s.Context().Done()
	if err := s.Emit("e"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("Emit: %v", err)
	}
	s.Join("room")
	if s.Connected() || len(s.Rooms()) != 0 || f.RoomSize("room") != 0 {
		t.Errorf("rooms %v", s.Rooms())
	}
}

// Context gives the same one each time, also after the end.
func TestContext(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	ctx := s.Context()
	if s.Context() != ctx || ctx.Err() != nil {
		t.Error("not the same context")
	}
	_, late := f.connect(t)
	c.Close()
	<-ctx.Done()
	late.Disconnect(true)
	eventually(t, "the end", func() bool { return !late.Connected() })
	if de, ok := errors.AsType[*sio.DisconnectError](context.Cause(late.Context())); !ok || de.Reason != sio.ReasonServerDisconnect {
		t.Errorf("cause %v", context.Cause(late.Context()))
	}
}

// Whoever looks at a socket while it ends sees either a connected one, or one with a
// reason: nothing in between. And what it registers meanwhile is called once.
func TestEndIsOneStep(t *testing.T) {
	f := serve(t)
	for range 200 {
		c, s := f.connect(t)
		var (
			wg    sync.WaitGroup
			calls recorder
		)
		registered := 0
		wg.Go(func() {
			for s.Connected() {
				s.OnDisconnecting(func(_ *sio.Socket, r sio.Reason) { calls.add(string(r)) })
				registered++
			}
			s.OnDisconnecting(func(_ *sio.Socket, r sio.Reason) { calls.add(string(r)) })
			registered++
			if de, ok := errors.AsType[*sio.DisconnectError](context.Cause(s.Context())); !ok || de.Reason != sio.ReasonServerDisconnect {
				t.Errorf("cause %v", context.Cause(s.Context()))
			}
		})
		s.Disconnect(true)
		wg.Wait()
		c.WantClosed()
		eventually(t, "all calls", func() bool { return calls.count() == registered })
		if strings.Count(calls.text(), string(sio.ReasonServerDisconnect)) != registered {
			t.Fatalf("%d calls with the reason, of %d", strings.Count(calls.text(), string(sio.ReasonServerDisconnect)), registered)
		}
	}
}

// TestDisconnectOrder shows S8.7: sockets go in the order of joining, each with its
// packet, and a socket that is gone can do no more harm.
func TestDisconnectOrder(t *testing.T) {
	f := serve(t)
	for _, name := range []string{"/adm", "/b"} {
		f.Of(name)
	}
	c, s := f.connect(t)
	c.Join("/b", "")
	adm := f.Of("/adm").Socket(c.Join("/adm", ""))
	s.Disconnect(false)
	c.Want("41")
	s.Disconnect(false)
	s.Disconnect(true) // nor the connection of the others
	c.Join("/", "")
	adm.Disconnect(true)
	if got, _ := c.WantClosed(); !slices.Equal(got, []string{"41/b,", "41/adm,", "41"}) {
		t.Errorf("got %q", got)
	}
}
