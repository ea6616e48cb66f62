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
}

type roomWatch struct {
	mu   sync.Mutex
	fns  []func(RoomEvent)
	jobs jobQueue
}

// OnRoomEvent adds a function that is told of what happens to rooms, in the
// order in which it happens, one event at a time. It may block, but the events
// wait in memory meanwhile. A socket's own id is a room, too.
func (ns *Namespace) OnRoomEvent(fn func(e RoomEvent)) {
	w := &ns.roomEvents
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fns = append(slices.Clip(w.fns), fn)
	fns := w.fns
	ns.hub.Watch(func(e broadcast.RoomEvent[*Socket]) {
		event := RoomEvent{e.Kind, e.Room, e.Member}
		w.jobs.push(func() {
			for _, fn := range fns {
				ns.server.protect(func() { fn(event) })
			}
		})
	})
}
