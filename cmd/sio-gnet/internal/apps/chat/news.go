package chat

import (
	"sync"
	"time"
)

// gather is how long changes of rooms are gathered before they are told, so
// that a crowd that comes in at once costs a few announcements, not one each.
const gather = 50 * time.Millisecond

// news gathers what changes.
type news struct {
	tell func(rooms []string)

	mu    sync.Mutex
	rooms map[string]bool // changed since the last telling; nil if none waits
}

// of notes that somebody came to or left a room; "" stands for no room, when
// only somebody new has to be told.
func (n *news) of(room string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rooms == nil {
		n.rooms = make(map[string]bool)
		time.AfterFunc(gather, n.publish)
	}
	if room != "" {
		n.rooms[room] = true
	}
}

func (n *news) publish() {
	n.mu.Lock()
	rooms := make([]string, 0, len(n.rooms))
	for room := range n.rooms {
		rooms = append(rooms, room)
	}
	n.rooms = nil
	n.mu.Unlock()
	n.tell(rooms)
}
