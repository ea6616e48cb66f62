package broadcast

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
)

// Hub holds the rooms of one namespace. Its methods may be called from any
// goroutine and never block for long. T is what a member stands for.
type Hub[T any] struct {
	lanes    int
	seed     maphash.Seed
	everyone shard[T] // one room, "", that all members are in
	shards   [shardCount]shard[T]
	batches  sync.Pool // of *batch[T]
	watcher  atomic.Pointer[func(RoomEvent[T])]
}

const shardCount = 64

// shard guards the rooms whose names hash to it. A room that became empty is
// deleted under the same lock under which a join would find it.
type shard[T any] struct {
	mu    sync.Mutex
	rooms map[string]*room[T]
	_     [40]byte // keeps neighbours off one cache line
}

// room is the members of one room, densely by lane. Guarded by its shard.
type room[T any] struct {
	name  string
	shard *shard[T]
	size  int
	lanes [][]*membership[T]
}

// membership is one member's place in one room. lane and pos are guarded by the
// room's shard.
type membership[T any] struct {
	member *Member[T]
	room   *room[T]
	lane   int32
	pos    int32
}

// Member is one receiver of broadcasts. Its zero value is not in any room.
type Member[T any] struct {
	mu          sync.Mutex
	value       T
	lane        int32
	in          bool // between Add and Remove
	memberships []*membership[T]
}

// NewHub returns a hub for members on that many lanes.
func NewHub[T any](lanes int) *Hub[T] {
	h := &Hub[T]{lanes: lanes, seed: maphash.MakeSeed()}
	h.everyone.rooms = make(map[string]*room[T])
	for i := range h.shards {
		h.shards[i].rooms = make(map[string]*room[T])
	}
	return h
}

func (h *Hub[T]) shard(name string) *shard[T] { return &h.shards[h.shardIndex(name)] }

func (h *Hub[T]) shardIndex(name string) int {
	return int(maphash.String(h.seed, name) % shardCount)
}

// Add makes m a member on a lane; from now on it gets what is sent to everyone.
func (h *Hub[T]) Add(m *Member[T], value T, lane int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.value, m.lane, m.in = value, int32(lane), true
	m.enter(h, &h.everyone, "")
}

// Remove takes m out of everything. Later joins have no effect.
func (h *Hub[T]) Remove(m *Member[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.in = false
	for _, ms := range m.memberships {
		ms.leave(h)
	}
	m.memberships = nil
}

// Join puts m into rooms; it is no error to be in one already.
func (h *Hub[T]) Join(m *Member[T], rooms ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.in {
		return
	}
	for _, name := range rooms {
		if m.find(name) < 0 {
			m.enter(h, h.shard(name), name)
		}
	}
}

// Leave takes m out of rooms; it is no error not to be in one.
func (h *Hub[T]) Leave(m *Member[T], rooms ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range rooms {
		if i := m.find(name); i >= 0 {
			m.memberships[i].leave(h)
			m.memberships = slices.Delete(m.memberships, i, i+1)
		}
	}
}

// Move makes m's lane the given one, for all of its rooms at once: a broadcast
// sees m on one lane only, one that was handed to the old lane was posted there
// before Move returns, and none goes there after another, to whatever room, has
// gone to the new one.
func (h *Hub[T]) Move(m *Member[T], lane int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	shards := m.shards(h)
	for _, s := range shards {
		s.mu.Lock()
	}
	m.lane = int32(lane)
	for _, ms := range m.memberships {
		ms.takeOut()
		ms.putIn(m.lane)
	}
	for _, s := range shards {
		s.mu.Unlock()
	}
}

// shards returns those of m's rooms, each once, in the order in which Select takes
// their locks.
func (m *Member[T]) shards(h *Hub[T]) []*shard[T] {
	var has [shardCount]bool
	for _, ms := range m.memberships {
		if ms.room.shard != &h.everyone {
			has[h.shardIndex(ms.room.name)] = true
		}
	}
	all := make([]*shard[T], 0, len(m.memberships))
	if len(m.memberships) > 0 {
		all = append(all, &h.everyone)
	}
	for i := range has {
		if has[i] {
			all = append(all, &h.shards[i])
		}
	}
	return all
}

// Rooms returns the rooms that m is in, in the order of joining.
func (h *Hub[T]) Rooms(m *Member[T]) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.memberships))
	for _, ms := range m.memberships {
		if ms.room.shard != &h.everyone {
			names = append(names, ms.room.name)
		}
	}
	return names
}

// In reports whether m is in the room.
func (h *Hub[T]) In(m *Member[T], room string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(room) >= 0
}

// Size returns how many members a room has.
func (h *Hub[T]) Size(room string) int { return h.shard(room).roomSize(room) }

// Len returns how many members there are.
func (h *Hub[T]) Len() int { return h.everyone.roomSize("") }

// RoomCount returns how many rooms have members.
func (h *Hub[T]) RoomCount() int {
	n := 0
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		n += len(s.rooms)
		s.mu.Unlock()
	}
	return n
}

// RoomNames returns the names of the rooms that have members, in no order.
func (h *Hub[T]) RoomNames() []string {
	var names []string
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		for name := range s.rooms {
			names = append(names, name)
		}
		s.mu.Unlock()
	}
	return names
}

func (s *shard[T]) roomSize(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[name]; r != nil {
		return r.size
	}
	return 0
}

// find returns the index of m's membership in the named room, or -1. The first
// membership is the one that all members have.
func (m *Member[T]) find(name string) int {
	for i := 1; i < len(m.memberships); i++ {
		if m.memberships[i].room.name == name {
			return i
		}
	}
	return -1
}

func (m *Member[T]) enter(h *Hub[T], s *shard[T], name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[name]
	if r == nil {
		r = &room[T]{name: name, shard: s, lanes: make([][]*membership[T], h.lanes)}
		s.rooms[name] = r
		h.tell(r, RoomCreated, m)
	}
	ms := &membership[T]{member: m, room: r}
	ms.putIn(m.lane)
	r.size++
	m.memberships = append(m.memberships, ms)
	h.tell(r, RoomJoined, m)
}

func (ms *membership[T]) leave(h *Hub[T]) {
	s := ms.room.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	ms.takeOut()
	h.tell(ms.room, RoomLeft, ms.member)
	if ms.room.size--; ms.room.size == 0 {
		delete(s.rooms, ms.room.name)
		h.tell(ms.room, RoomDeleted, ms.member)
	}
}

func (ms *membership[T]) putIn(lane int32) {
	list := &ms.room.lanes[lane]
	ms.lane, ms.pos = lane, int32(len(*list))
	*list = append(*list, ms)
}

func (ms *membership[T]) takeOut() {
	list := &ms.room.lanes[ms.lane]
	last := len(*list) - 1
	(*list)[ms.pos] = (*list)[last]
	(*list)[ms.pos].pos = ms.pos
	(*list)[last] = nil
	*list = (*list)[:last]
	if cap(*list) > 64 && last < cap(*list)/4 {
		*list = append(make([]*membership[T], 0, 2*last), *list...)
	}
}
