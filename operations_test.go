package sio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// namesOf returns which of the crowd are meant, sorted.
func (f *crowd) namesOf(has func(*sio.Socket) bool) string {
	var names strings.Builder
	for _, name := range []string{"a", "b", "c", "d"} {
		if has(f.sockets[name]) {
			names.WriteString(name)
		}
	}
	return names.String()
}

// TestOperations shows S7.12: sockets can be made to join, leave and go by whatever
// selects them.
func TestOperations(t *testing.T) {
	for _, tc := range []struct {
		name   string
		choose func(*crowd) sio.Broadcast
		want   string
	}{
		{"all", func(f *crowd) sio.Broadcast { return f.Broadcast }, "abcd"},
		{"a namespace", func(f *crowd) sio.Broadcast { return f.Of("/").Broadcast }, "abcd"},
		{"a room", func(f *crowd) sio.Broadcast { return f.In("red") }, "ab"},
		{"rooms", func(f *crowd) sio.Broadcast { return f.In("red", "blue") }, "abc"},
		{"all but a room", func(f *crowd) sio.Broadcast { return f.Except("red") }, "cd"},
		{"a room but another", func(f *crowd) sio.Broadcast { return f.In("red").Except("blue") }, "a"},
		{"the others of a socket", func(f *crowd) sio.Broadcast { return f.sockets["a"].Broadcast() }, "bcd"},
		{"a room's others", func(f *crowd) sio.Broadcast { return f.sockets["a"].To("red") }, "b"},
		{"one socket", func(f *crowd) sio.Broadcast { return f.In(f.sockets["c"].ID()) }, "c"},
		{"this server's", func(f *crowd) sio.Broadcast { return f.Local() }, "abcd"},
		{"nobody", func(f *crowd) sio.Broadcast { return f.In("nowhere") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := gather(t)
			b := tc.choose(f)
			fetched, err := b.FetchSockets(t.Context())
			if err != nil {
				t.Error(err)
			}
			if got := f.namesOf(func(s *sio.Socket) bool {
				return slices.ContainsFunc(fetched, func(r *sio.RemoteSocket) bool { return r.ID == s.ID() })
			}); got != tc.want || len(fetched) != len(tc.want) {
				t.Errorf("fetched %q, want %q", got, tc.want)
			}
			if err := b.SocketsJoin("new", "newer"); err != nil {
				t.Error(err)
			}
			for _, room := range []string{"new", "newer"} {
				if got := f.namesOf(func(s *sio.Socket) bool { return s.InRoom(room) }); got != tc.want {
					t.Errorf("in %s are %q, want %q", room, got, tc.want)
				}
			}
			if err := b.SocketsLeave("new"); err != nil {
				t.Error(err)
			}
			if f.RoomSize("new") != 0 || f.RoomSize("newer") != len(tc.want) {
				t.Errorf("sizes %d and %d", f.RoomSize("new"), f.RoomSize("newer"))
			}
			if err := b.DisconnectSockets(false); err != nil {
				t.Error(err)
			}
			eventually(t, "the others only", func() bool { return f.SocketCount() == 4-len(tc.want) })
			if got := f.namesOf(func(s *sio.Socket) bool { return !s.Connected() }); got != tc.want {
				t.Errorf("disconnected %q, want %q", got, tc.want)
			}
			for _, name := range tc.want {
				f.clients[string(name)].Want("41")
				f.clients[string(name)].Join("/", "") // the connection has stayed
			}
		})
	}
}

func TestDisconnectSocketsOfAllNamespaces(t *testing.T) {
	f := gather(t)
	f.Of("/x")
	f.clients["a"].Join("/x", "")
	if err := f.To("red").DisconnectSockets(true); err != nil {
		t.Error(err)
	}
	for name, want := range map[string][]string{"a": {"41", "41/x,"}, "b": {"41"}} {
		if got, _ := f.clients[name].WantClosed(); !slices.Equal(got, want) {
			t.Errorf("%s got %q", name, got)
		}
	}
	if err := f.Emit("e", 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c", "d"} {
		f.clients[name].Want(`42["e",1]`)
	}
}

// TestRemoteSocket shows S7.13: what is fetched is a view of a socket that can be acted
// on.
func TestRemoteSocket(t *testing.T) {
	f := serve(t)
	c := dialAt(t, f.addr, siotest.Query("k", "v"))
	s := f.Socket(c.Join("/", `{"token":"x"}`))
	s.Join("room")
	type user struct{ Name string }
	s.SetData(user{"ada"})
	all, err := f.FetchSockets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	r := all[0]
	if r.ID != s.ID() || !slices.Equal(r.Rooms, []string{s.ID(), "room"}) || !r.InRoom("room") || r.InRoom("x") {
		t.Errorf("%+v", r)
	}
	if h := r.Handshake; string(h.Auth) != `{"token":"x"}` || h.Query.Get("k") != "v" || !h.Time.Equal(s.Handshake().Time) {
		t.Errorf("handshake %+v", h)
	}
	var u user
	if err := r.DecodeData(&u); err != nil || u.Name != "ada" {
		t.Errorf("data %v, %v", u, err)
	}
	if err := r.DecodeData(new(int)); err == nil {
		t.Error("a struct was decoded as a number")
	}
	if err := errors.Join(r.Emit("e", 1), r.Join("a", "b"), r.Leave("a", "room")); err != nil {
		t.Error(err)
	}
	c.Want(`42["e",1]`)
	if !slices.Equal(s.Rooms(), []string{s.ID(), "b"}) {
		t.Errorf("rooms %v", s.Rooms())
	}
	reply := make(chan error, 1)
	go func() {
		r, err := r.EmitWithAck(t.Context(), "q")
		if err == nil && firstTexts(t, []sio.Reply{r})[0] != "one" {
			err = errors.New("another answer")
		}
		reply <- err
	}()
	c.Want(`420["q"]`)
	c.Send(`430["one","two"]`)
	if err := <-reply; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.EmitWithAck(ctx, "q"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c.Want(`421["q"]`)
	if err := r.Disconnect(false); err != nil {
		t.Error(err)
	}
	c.Want("41")
	if _, err := r.EmitWithAck(t.Context(), "q"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("when it is gone: %v", err)
	}
	if err := errors.Join(r.Emit("e"), r.Join("x"), r.Disconnect(true)); err != nil {
		t.Errorf("when it is gone: %v", err)
	}
}

// Data that can't be encoded cost only themselves.
func TestRemoteSocketWithStrangeData(t *testing.T) {
	for _, tc := range []struct {
		name string
		data any
	}{
		{"a function", func() {}},
		{"a marshaller that fails", badMarshaler{errors.New("no")}},
		{"a marshaller that panics", badMarshaler{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			_, s := f.connect(t)
			s.SetData(tc.data)
			f.connect(t)
			all, err := f.FetchSockets(t.Context())
			if err != nil || len(all) != 2 {
				t.Fatal(all, err)
			}
			for _, r := range all {
				var v any
				if err := r.DecodeData(&v); (err != nil) != (r.ID == s.ID()) || v != nil {
					t.Errorf("data %v, %v", v, err)
				}
			}
		})
	}
}

// badMarshaler fails, or panics without an error.
type badMarshaler struct{ err error }

func (m badMarshaler) MarshalJSON() ([]byte, error) {
	if m.err == nil {
		panic("in MarshalJSON")
	}
	return nil, m.err
}

// Operations race with sockets that come and go, and nothing is left behind.
func TestOperationsWhileSocketsComeAndGo(t *testing.T) {
	f := serve(t)
	done := make(chan struct{}, 4)
	for i := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 200 {
				room := fmt.Sprint("r", i)
				var err error
				switch i {
				case 0:
					_, err = f.FetchSockets(t.Context())
				case 1:
					err = f.SocketsJoin(room)
				case 2:
					err = f.In("r1").SocketsLeave("r1")
				case 3:
					_, err = f.In("r1").Timeout(1).EmitWithAck(t.Context(), "q")
					if errors.Is(err, sio.ErrAckTimeout) || errors.Is(err, sio.ErrDisconnected) {
						err = nil
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for range 50 {
		c, _ := enterAt(t, f.addr, "/")
		c.Close()
	}
	for range 4 {
		<-done
	}
	eventually(t, "all gone", func() bool { return f.SocketCount() == 0 && len(f.Rooms()) == 0 })
}
