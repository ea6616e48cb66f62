package sio

import (
	"slices"
	"sync"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

// RoomEventKind says what happened to a room.
type RoomEventKind = broadcast.RoomEventKind

// The kinds of room events. The first socket to join a room creates it, the last
// one to leave deletes it.
const (
	RoomCreated = broadcast.RoomCreated
	RoomJoined  = broadcast.RoomJoined
	RoomLeft    = broadcast.RoomLeft
	RoomDeleted = broadcast.RoomDeleted
)

// RoomEvent is something that happened to a room of this server's sockets.
type RoomEvent struct {
	Kind   RoomEventKind
	Room   string
	Socket *Socket // who joined or left
	// Own says that the room is the one that every socket has for itself, named by its
	// id.
	Own bool
}

type roomWatch struct {
	mu   sync.Mutex
	fns  []func(RoomEvent)
	jobs jobQueue
}

// OnRoomEvent adds a function that is told of what happens to rooms, in the
// order in which it happens, one event at a time, on a goroutine of its own: rooms
// may have changed again by then. Being disconnected counts as leaving. It may
// block, but the events wait in memory meanwhile.
func (ns *Namespace) OnRoomEvent(fn func(e RoomEvent)) {
	w := &ns.roomEvents
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fns = append(slices.Clip(w.fns), fn)
	fns := w.fns
	ns.hub.Watch(func(e broadcast.RoomEvent[*Socket]) {
		event := RoomEvent{e.Kind, e.Room, e.Member, e.Room == e.Member.id}
		w.jobs.push(func() {
			for _, fn := range fns {
				ns.server.protect("OnRoomEvent", func() { fn(event) })
			}
		})
	})
}
