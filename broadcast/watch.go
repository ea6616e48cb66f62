package broadcast

// RoomEventKind says what happened to a room.
type RoomEventKind uint8

// The kinds of room events. The first member to join a room creates it, the last
// one to leave deletes it.
const (
	RoomCreated RoomEventKind = iota + 1
	RoomJoined
	RoomLeft
	RoomDeleted
)

// RoomEvent is something that happened to a room. Member is who joined or left.
type RoomEvent[T any] struct {
	Kind   RoomEventKind
	Room   string
	Member T
}

// Watch has fn told of all that happens to rooms from now on; nil ends that. fn
// is called under locks of the hub, so that the events of a room come in the
// order in which they happened: it must do no more than hand them over.
func (h *Hub[T]) Watch(fn func(RoomEvent[T])) {
	if fn == nil {
		h.watcher.Store(nil)
		return
	}
	h.watcher.Store(&fn)
}

func (h *Hub[T]) tell(r *room[T], kind RoomEventKind, m *Member[T]) {
	if fn := h.watcher.Load(); fn != nil && r.shard != &h.everyone {
		(*fn)(RoomEvent[T]{kind, r.name, m.value})
	}
}

// Collect returns the members that a selection is for, in no order.
func (h *Hub[T]) Collect(sel Selection[T]) []T {
	var all []T
	h.Select(sel, func(_ int, targets []T) { all = append(all, targets...) })
	return all
}
