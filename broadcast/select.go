package broadcast

import "slices"

// Selection says whom a broadcast is for: the members of any of Rooms, or all
// if there are none, less the members of any of Except and Skip. Unknown rooms
// are empty.
type Selection[T any] struct {
	Rooms, Except []string
	Skip          *Member[T]
}

// Post hands the targets on one lane over. It is called under the locks of the
// rooms that were selected, so it must do no more than post; targets is only
// valid until it returns.
type Post[T any] func(lane int, targets []T)

// Select calls post once for each lane that has targets, and returns how many
// targets there are. Two broadcasts to a room are posted in the same order on
// all lanes.
func (h *Hub[T]) Select(sel Selection[T], post Post[T]) int {
	b := h.takeBatch()
	defer h.giveBatch(b)
	h.lock(sel, b)
	defer b.unlock()
	if len(sel.Except) == 0 && len(sel.Rooms) <= 1 {
		return h.postRoom(h.room(sel.Rooms), sel.Skip, b, post)
	}
	return h.postUnion(sel, b, post)
}

// lock takes the locks of all shards that the selection touches, in one order.
func (h *Hub[T]) lock(sel Selection[T], b *batch[T]) {
	if len(sel.Rooms) == 0 {
		b.locked = append(b.locked, &h.everyone)
	}
	for _, name := range sel.Rooms {
		b.order = append(b.order, h.shardIndex(name))
	}
	for _, name := range sel.Except {
		b.order = append(b.order, h.shardIndex(name))
	}
	slices.Sort(b.order)
	for _, i := range slices.Compact(b.order) {
		b.locked = append(b.locked, &h.shards[i])
	}
	for _, s := range b.locked {
		s.mu.Lock()
	}
}

func (b *batch[T]) unlock() {
	for _, s := range b.locked {
		s.mu.Unlock()
	}
	b.locked, b.order = b.locked[:0], b.order[:0]
}

// room returns the one room of a simple selection, nil if it has no members.
func (h *Hub[T]) room(names []string) *room[T] {
	if len(names) == 0 {
		return h.everyone.rooms[""]
	}
	return h.shard(names[0]).rooms[names[0]]
}

// batch is the memory that one Select works with.
type batch[T any] struct {
	locked  []*shard[T]
	order   []int // indexes of shards, to be locked in ascending order
	targets []T   // of one lane
	high    int   // the most targets of one lane
}

// keepBatch bounds the memory of a batch that is kept for reuse.
const keepBatch = 1 << 16

func (h *Hub[T]) takeBatch() *batch[T] {
	if b, ok := h.batches.Get().(*batch[T]); ok {
		return b
	}
	return new(batch[T])
}

func (h *Hub[T]) giveBatch(b *batch[T]) {
	if cap(b.targets) <= keepBatch {
		clear(b.targets[:b.high]) // a pool must not keep members alive
		b.high = 0
		h.batches.Put(b)
	}
}

func (h *Hub[T]) postRoom(r *room[T], skip *Member[T], b *batch[T], post Post[T]) int {
	if r == nil {
		return 0
	}
	total := 0
	for lane, list := range r.lanes {
		b.targets = b.targets[:0]
		for _, ms := range list {
			if ms.member != skip {
				b.targets = append(b.targets, ms.member.value)
			}
		}
		if len(b.targets) > 0 {
			b.high = max(b.high, len(b.targets))
			post(lane, b.targets)
			total += len(b.targets)
		}
	}
	return total
}

func (h *Hub[T]) postUnion(sel Selection[T], b *batch[T], post Post[T]) int {
	done := make(map[*Member[T]]struct{})
	if sel.Skip != nil {
		done[sel.Skip] = struct{}{}
	}
	for _, name := range sel.Except {
		if r := h.room([]string{name}); r != nil {
			for _, list := range r.lanes {
				for _, ms := range list {
					done[ms.member] = struct{}{}
				}
			}
		}
	}
	sources := make([]*room[T], 0, max(len(sel.Rooms), 1))
	if len(sel.Rooms) == 0 {
		sources = append(sources, h.room(nil))
	}
	for _, name := range sel.Rooms {
		sources = append(sources, h.room([]string{name}))
	}
	total := 0
	for lane := range h.lanes {
		b.targets = b.targets[:0]
		for _, r := range sources {
			if r == nil {
				continue
			}
			for _, ms := range r.lanes[lane] {
				if _, dup := done[ms.member]; !dup {
					done[ms.member] = struct{}{}
					b.targets = append(b.targets, ms.member.value)
				}
			}
		}
		if len(b.targets) > 0 {
			b.high = max(b.high, len(b.targets))
			post(lane, b.targets)
			total += len(b.targets)
		}
	}
	return total
}
