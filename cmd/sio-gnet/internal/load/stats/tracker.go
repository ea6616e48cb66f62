package stats

// Verdict is what a numbered message turns out to be.
type Verdict uint8

// The verdicts.
const (
	Fresh Verdict = iota
	Late          // one with a higher number came first
	Double
)

// Tracker follows the messages of one sender to one receiver, which are numbered from 0.
// The zero value is ready, and has no memory of its own as long as they come in order.
type Tracker struct {
	next    uint64 // the lowest number above all that came
	missing []span // what did not come below it, in order
}

// span are the numbers from first on, below end.
type span struct{ first, end uint64 }

// Take judges the message n.
func (t *Tracker) Take(n uint64) Verdict {
	switch {
	case n == t.next:
		t.next++
		return Fresh
	case n > t.next:
		t.missing = append(t.missing, span{t.next, n})
		t.next = n + 1
		return Fresh
	}
	for i := len(t.missing) - 1; i >= 0; i-- {
		s := t.missing[i]
		if n >= s.end {
			return Double
		}
		if n >= s.first {
			t.remove(i, n)
			return Late
		}
	}
	return Double
}

// remove takes n out of the span i.
func (t *Tracker) remove(i int, n uint64) {
	s := t.missing[i]
	switch {
	case s.first+1 == s.end:
		t.missing = append(t.missing[:i], t.missing[i+1:]...)
	case n == s.first:
		t.missing[i].first++
	case n == s.end-1:
		t.missing[i].end--
	default:
		t.missing = append(t.missing, span{})
		copy(t.missing[i+1:], t.missing[i:])
		t.missing[i].end = n
		t.missing[i+1].first = n + 1
	}
	if len(t.missing) == 0 {
		t.missing = nil
	}
}

// Missing returns how many did not come of the first sent messages; of those below
// what came, if sent is 0.
func (t *Tracker) Missing(sent uint64) (n uint64) {
	for _, s := range t.missing {
		n += s.end - s.first
	}
	if sent > t.next {
		n += sent - t.next
	}
	return n
}
