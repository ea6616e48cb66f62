package sio_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// follow has a namespace's room events written down, but for those of sockets' own
// rooms.
func follow(ns *sio.Namespace, r *recorder) {
	ns.OnRoomEvent(func(e sio.RoomEvent) {
		if e.Room == e.Socket.ID() {
			return
		}
		kind := map[sio.RoomEventKind]string{
			sio.RoomCreated: "create", sio.RoomJoined: "join", sio.RoomLeft: "leave", sio.RoomDeleted: "delete",
		}[e.Kind]
		r.add(fmt.Sprint(kind, " ", e.Room, " ", e.Socket.Data()))
	})
}

// TestRoomEvents shows S7.1 and S7.7: what happens to rooms is told in order, and what
// changes nothing is not.
func TestRoomEvents(t *testing.T) {
	f := serve(t)
	ca, a := f.connect(t)
	_, b := f.connect(t)
	a.SetData("a")
	b.SetData("b")
	b.Join("before")
	var got recorder
	follow(f.Namespace, &got)
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"the first joins", func() { a.Join("r") }, []string{"create r a", "join r a"}},
		{"again", func() { a.Join("r", "r") }, nil},
		{"another", func() { b.Join("r") }, []string{"join r b"}},
		{"one leaves", func() { a.Leave("r", "never") }, []string{"leave r a"}},
		{"again", func() { a.Leave("r") }, nil},
		{"the last leaves", func() { b.Leave("r") }, []string{"leave r b", "delete r b"}},
		{"two rooms", func() { a.Join("x", "y") }, []string{"create x a", "join x a", "create y a", "join y a"}},
		{"a room from before", func() { b.Leave("before") }, []string{"leave before b", "delete before b"}},
		{"by an operation", func() { _ = f.In("x").SocketsJoin("z") }, []string{"create z a", "join z a"}},
		{"the end", func() { ca.Close() }, []string{"leave x a", "delete x a", "leave y a", "delete y a", "leave z a", "delete z a"}},
		{"after the end", func() { a.Join("late") }, nil},
	} {
		step.do()
		got.want(t, step.want...)
		got.mu.Lock()
		got.lines = nil
		got.mu.Unlock()
	}
	b.Join("fence")
	got.want(t, "create fence b", "join fence b")
}

// TestRoomsAreListed shows S7.6: rooms vanish with their last socket.
func TestRoomsAreListed(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	s.Join("a", "b")
	if got := slices.Sorted(slices.Values(f.Rooms())); !slices.Equal(got, slices.Sorted(slices.Values([]string{s.ID(), "a", "b"}))) {
		t.Errorf("rooms %v", got)
	}
	s.Leave("a")
	if f.RoomSize("a") != 0 || len(f.Rooms()) != 2 {
		t.Errorf("rooms %v", f.Rooms())
	}
	c.Close()
	eventually(t, "no rooms", func() bool { return len(f.Rooms()) == 0 })
}

// A function that panics, or is slow, harms neither the others nor the rooms.
func TestRoomEventFunctions(t *testing.T) {
	f := serve(t)
	_, s := f.connect(t)
	s.SetData("s")
	release := make(chan struct{})
	var first, second recorder
	follow(f.Namespace, &first)
	f.OnRoomEvent(func(sio.RoomEvent) { <-release; panic("in a function") })
	follow(f.Namespace, &second)
	s.Join("r")
	if err := f.To("r").Emit("e"); err != nil || f.RoomSize("r") != 1 {
		t.Error("the room waits for a function")
	}
	first.want(t, "create r s")
	close(release)
	first.want(t, "create r s", "join r s")
	second.want(t, "create r s", "join r s")
	f.wantError(t, asError[*sio.PanicError])
}

// However many join and leave at once, the events of a room add up.
func TestRoomEventsAddUp(t *testing.T) {
	f := serve(t)
	var (
		mu      sync.Mutex
		members = make(map[string]map[*sio.Socket]bool)
		bad     []error
	)
	f.OnRoomEvent(func(e sio.RoomEvent) {
		mu.Lock()
		defer mu.Unlock()
		room, exists := members[e.Room]
		switch {
		case e.Kind == sio.RoomCreated && !exists:
			members[e.Room] = make(map[*sio.Socket]bool)
		case e.Kind == sio.RoomJoined && exists && !room[e.Socket]:
			room[e.Socket] = true
		case e.Kind == sio.RoomLeft && room[e.Socket]:
			delete(room, e.Socket)
		case e.Kind == sio.RoomDeleted && exists && len(room) == 0:
			delete(members, e.Room)
		default:
			bad = append(bad, fmt.Errorf("%v of %s with %d", e.Kind, e.Room, len(room)))
		}
	})
	var wg sync.WaitGroup
	for i := range 4 {
		c, s := f.connect(t)
		wg.Go(func() {
			for n := range 200 {
				room := fmt.Sprint("r", (n*i)%3)
				if n%2 == 0 {
					s.Join(room)
				} else {
					s.Leave(room)
				}
			}
			c.Close()
		})
	}
	wg.Wait()
	eventually(t, "no rooms", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(members) == 0 || len(bad) > 0
	})
	if err := errors.Join(bad...); err != nil {
		t.Error(strings.SplitN(err.Error(), "\n", 4), slices.Collect(maps.Keys(members)))
	}
}
