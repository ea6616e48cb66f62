package broadcast

import (
	"fmt"
	"testing"
)

func BenchmarkSelect(b *testing.B) {
	for _, members := range []int{1, 100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			h := NewHub[*target](2)
			for i := range members {
				add(h, "", i%2, "room")
			}
			sel := Selection[*target]{Rooms: []string{"room"}}
			b.ReportAllocs()
			for b.Loop() {
				h.Select(sel, func(int, []*target) {})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members), "ns/member")
		})
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	h := NewHub[*target](2)
	add(h, "stays", 0, "room")
	m := add(h, "comes and goes", 0)
	b.ReportAllocs()
	for b.Loop() {
		h.Join(&m.Member, "room")
		h.Leave(&m.Member, "room")
	}
}

func TestSelectAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := NewHub[*target](2)
	for i := range 1000 {
		add(h, "", i%2, "room")
	}
	sel := Selection[*target]{Rooms: []string{"room"}}
	n := 0
	if a := testing.AllocsPerRun(100, func() {
		h.Select(sel, func(_ int, targets []*target) { n += len(targets) })
	}); a > 0 {
		t.Errorf("%v allocations per broadcast", a)
	}
}
