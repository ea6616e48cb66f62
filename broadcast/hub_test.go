package broadcast

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// target is what the members of these tests stand for.
type target struct {
	name string
	Member[*target]
}

func add(h *Hub[*target], name string, lane int, rooms ...string) *target {
	t := &target{name: name}
	h.Add(&t.Member, t, lane)
	h.Join(&t.Member, rooms...)
	return t
}

// selected returns the names that a selection reaches, by lane.
func selected(h *Hub[*target], sel Selection[*target]) (byLane map[int][]string, total int) {
	byLane = make(map[int][]string)
	total = h.Select(sel, func(lane int, targets []*target) {
		for _, t := range targets {
			byLane[lane] = append(byLane[lane], t.name)
		}
		slices.Sort(byLane[lane])
	})
	return byLane, total
}

func TestSelect(t *testing.T) {
	h := NewHub[*target](2)
	a := add(h, "a", 0, "red", "square")
	add(h, "b", 1, "red")
	add(h, "c", 0, "square")
	add(h, "d", 1)

	for _, tc := range []struct {
		name string
		sel  Selection[*target]
		want string
	}{
		{"everyone", Selection[*target]{}, "map[0:[a c] 1:[b d]]"},
		{"everyone but the sender", Selection[*target]{Skip: &a.Member}, "map[0:[c] 1:[b d]]"},
		{"one room", Selection[*target]{Rooms: []string{"red"}}, "map[0:[a] 1:[b]]"},
		{"one room but the sender", Selection[*target]{Rooms: []string{"red"}, Skip: &a.Member}, "map[1:[b]]"},
		{"two rooms, each member once", Selection[*target]{Rooms: []string{"red", "square"}}, "map[0:[a c] 1:[b]]"},
		{"a room named twice", Selection[*target]{Rooms: []string{"red", "red"}}, "map[0:[a] 1:[b]]"},
		{"except a room", Selection[*target]{Except: []string{"square"}}, "map[1:[b d]]"},
		{"a room except another", Selection[*target]{Rooms: []string{"red"}, Except: []string{"square"}}, "map[1:[b]]"},
		{"except everything", Selection[*target]{Rooms: []string{"red"}, Except: []string{"red"}}, "map[]"},
		{"unknown rooms are empty", Selection[*target]{Rooms: []string{"blue"}, Except: []string{"green"}}, "map[]"},
		{"an unknown exception changes nothing", Selection[*target]{Rooms: []string{"red"}, Except: []string{"green"}}, "map[0:[a] 1:[b]]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, total := selected(h, tc.sel)
			if fmt.Sprint(got) != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if n := len(got[0]) + len(got[1]); n != total {
				t.Errorf("total %d, want %d", total, n)
			}
		})
	}
}

func TestJoinAndLeaveAreIdempotent(t *testing.T) {
	h := NewHub[*target](1)
	a := add(h, "a", 0, "r", "r")
	h.Join(&a.Member, "r")
	if h.Size("r") != 1 || fmt.Sprint(h.Rooms(&a.Member)) != "[r]" {
		t.Fatalf("size %d, rooms %v", h.Size("r"), h.Rooms(&a.Member))
	}
	h.Leave(&a.Member, "r", "never")
	h.Leave(&a.Member, "r")
	if h.Size("r") != 0 || h.RoomCount() != 0 || h.In(&a.Member, "r") {
		t.Fatalf("size %d, rooms %d", h.Size("r"), h.RoomCount())
	}
}

func TestRemovedMemberCannotJoin(t *testing.T) {
	h := NewHub[*target](1)
	a := add(h, "a", 0, "r")
	h.Remove(&a.Member)
	h.Join(&a.Member, "r")
	if h.RoomCount() != 0 || h.Len() != 0 {
		t.Fatalf("%d rooms, %d members", h.RoomCount(), h.Len())
	}
}

func TestRoomNamedLikeEveryone(t *testing.T) {
	h := NewHub[*target](1)
	a := add(h, "a", 0, "")
	add(h, "b", 0)
	if got, _ := selected(h, Selection[*target]{Rooms: []string{""}}); fmt.Sprint(got) != "map[0:[a]]" {
		t.Fatalf("got %v", got)
	}
	h.Leave(&a.Member, "")
	if h.Len() != 2 {
		t.Fatalf("%d members", h.Len())
	}
}

func TestMove(t *testing.T) {
	h := NewHub[*target](3)
	a := add(h, "a", 0, "r", "s")
	add(h, "b", 0, "r")
	h.Move(&a.Member, 2)
	h.Join(&a.Member, "late")
	for room, want := range map[string]string{"r": "map[0:[b] 2:[a]]", "s": "map[2:[a]]", "late": "map[2:[a]]"} {
		if got, _ := selected(h, Selection[*target]{Rooms: []string{room}}); fmt.Sprint(got) != want {
			t.Errorf("room %s: got %v, want %v", room, got, want)
		}
	}
}

// TestModel compares the hub with plain sets over random operations.
func TestModel(t *testing.T) {
	const lanes, members, names = 3, 20, 6
	rng := rand.New(rand.NewPCG(1, 2))
	h := NewHub[*target](lanes)
	all := make([]*target, members)
	model := make([]map[string]bool, members)
	lane := make([]int, members)
	for i := range all {
		lane[i] = rng.IntN(lanes)
		all[i] = add(h, fmt.Sprint(i), lane[i])
		model[i] = make(map[string]bool)
	}
	room := func() string { return fmt.Sprint("room", rng.IntN(names)) }
	for step := range 20_000 {
		i := rng.IntN(members)
		switch rng.IntN(4) {
		case 0, 1:
			r := room()
			h.Join(&all[i].Member, r)
			model[i][r] = true
		case 2:
			r := room()
			h.Leave(&all[i].Member, r)
			delete(model[i], r)
		case 3:
			lane[i] = rng.IntN(lanes)
			h.Move(&all[i].Member, lane[i])
		}
		if step%50 != 0 {
			continue
		}
		in, out := []string{room(), room()}, []string{room()}
		want := make(map[int][]string)
		for i, rooms := range model {
			if (rooms[in[0]] || rooms[in[1]]) && !rooms[out[0]] {
				want[lane[i]] = append(want[lane[i]], all[i].name)
			}
		}
		for _, l := range want {
			slices.Sort(l)
		}
		if got, _ := selected(h, Selection[*target]{Rooms: in, Except: out}); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("step %d: to %v except %v: got %v, want %v", step, in, out, got, want)
		}
	}
	for _, m := range all {
		h.Remove(&m.Member)
	}
	if h.Len() != 0 || h.RoomCount() != 0 {
		t.Fatalf("left: %d members, %d rooms", h.Len(), h.RoomCount())
	}
}

// TestJoinRacesDelete shows that a join never lands in a room that another
// member's leaving has just deleted.
func TestJoinRacesDelete(t *testing.T) {
	h := NewHub[*target](1)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			m := add(h, fmt.Sprint(g), 0)
			for range 3000 {
				h.Join(&m.Member, "r")
				found := false
				h.Select(Selection[*target]{Rooms: []string{"r"}}, func(_ int, targets []*target) {
					found = found || slices.Contains(targets, m)
				})
				if !found {
					t.Error("a member that joined is not in the room")
					return
				}
				h.Leave(&m.Member, "r")
			}
		})
	}
	wg.Wait()
	if h.RoomCount() != 0 {
		t.Errorf("%d rooms left", h.RoomCount())
	}
}

// TestOrderOfPosts shows that all lanes see two broadcasts to a room in one
// order, and that Move comes behind what was posted to the old lane.
func TestOrderOfPosts(t *testing.T) {
	h := NewHub[*target](2)
	add(h, "x", 0, "r")
	add(h, "y", 1, "r")
	var posted [2][]int // guarded by the room's lock
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				h.Select(Selection[*target]{Rooms: []string{"r"}}, func(lane int, _ []*target) {
					posted[lane] = append(posted[lane], g*1000+i)
				})
			}
		})
	}
	wg.Wait()
	if !slices.Equal(posted[0], posted[1]) {
		t.Error("lanes disagree about the order")
	}
}

// TestMoveIsOneStep shows that a member's rooms move together: who broadcasts to
// one of them and then to another does not see the member on the old lane after it
// was on the new one, or the second broadcast would overtake the first.
func TestMoveIsOneStep(t *testing.T) {
	const rooms, trials = 60, 300
	names := make([]string, rooms)
	for i := range names {
		names[i] = fmt.Sprint("room", i)
	}
	for range trials {
		h := NewHub[*target](2)
		m := add(h, "m", 0, names...)
		var wg sync.WaitGroup
		wg.Go(func() { h.Move(&m.Member, 1) })
		moved := 0 // broadcasts that saw it on the new lane
		for i := 0; moved < rooms; i++ {
			sel := Selection[*target]{Rooms: names[i%rooms : i%rooms+1]}
			if i%7 == 0 {
				sel = Selection[*target]{}
			}
			h.Select(sel, func(lane int, _ []*target) {
				if lane == 1 {
					moved++
				} else if moved > 0 {
					t.Fatalf("a broadcast to the old lane after %d to the new one", moved)
				}
			})
		}
		wg.Wait()
	}
}
