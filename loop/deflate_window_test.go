package loop

import (
	"slices"
	"testing"
)

// wantWindow reads the blocks of a compressed message (RFC 1951, section 3.2) and
// fails at a reference that goes back by more than size.
func wantWindow(tb testing.TB, payload []byte, size int) {
	tb.Helper()
	r := &blockReader{tb: tb, b: append(slices.Clone(payload), deflateTail...)}
	for r.more() {
		r.bits(1)
		switch r.bits(2) {
		case 0:
			r.pos = (r.pos + 7) &^ 7
			n := r.bits(16)
			r.pos += 16 + 8*n
		case 1:
			r.block(fixedLengths(), slices.Repeat([]int{5}, 30))
		case 2:
			r.block(r.lengths())
		default:
			tb.Fatal("reserved block type")
		}
	}
	if r.farthest > size {
		tb.Fatalf("a reference goes back by %d bytes, the window has %d", r.farthest, size)
	}
}

// blockReader reads deflate data bit by bit.
type blockReader struct {
	tb       testing.TB
	b        []byte
	pos      int // in bits
	farthest int
}

func (r *blockReader) more() bool { return r.pos+3 <= 8*len(r.b) }

func (r *blockReader) bits(n int) (v int) {
	for i := range n {
		if r.pos >= 8*len(r.b) {
			r.tb.Fatal("blocks end too soon")
		}
		v |= int(r.b[r.pos/8]>>(r.pos%8)&1) << i
		r.pos++
	}
	return v
}

// code is a Huffman code: symbols by their length and code.
type code map[[2]int]int

func newCode(lengths []int) code {
	c := make(code)
	next := 0
	for length := 1; length <= 15; length++ {
		for symbol, l := range lengths {
			if l == length {
				c[[2]int{length, next}] = symbol
				next++
			}
		}
		next <<= 1
	}
	return c
}

func (r *blockReader) symbol(c code) int {
	v := 0
	for length := 1; length <= 15; length++ {
		v = v<<1 | r.bits(1)
		if s, ok := c[[2]int{length, v}]; ok {
			return s
		}
	}
	r.tb.Fatal("no such code")
	return 0
}

func fixedLengths() []int {
	return slices.Concat(slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112), slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8))
}

func (r *blockReader) lengths() (literals, distances []int) {
	nlit, ndist, ncode := r.bits(5)+257, r.bits(5)+1, r.bits(4)+4
	codes := make([]int, 19)
	for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:ncode] {
		codes[symbol] = r.bits(3)
	}
	c := newCode(codes)
	var all []int
	for len(all) < nlit+ndist {
		switch s := r.symbol(c); s {
		case 16:
			all = append(all, slices.Repeat(all[len(all)-1:], 3+r.bits(2))...)
		case 17:
			all = append(all, make([]int, 3+r.bits(3))...)
		case 18:
			all = append(all, make([]int, 11+r.bits(7))...)
		default:
			all = append(all, s)
		}
	}
	return all[:nlit], all[nlit:]
}

func (r *blockReader) block(literals, distances []int) {
	lit, dist := newCode(literals), newCode(distances)
	for {
		s := r.symbol(lit)
		switch {
		case s < 256:
			continue
		case s == 256:
			return
		}
		if s >= 265 && s < 285 {
			r.bits((s - 261) / 4)
		}
		d := r.symbol(dist)
		back := d + 1
		if d >= 4 {
			extra := d/2 - 1
			back = 1 + (2+d%2)<<extra + r.bits(extra)
		}
		r.farthest = max(r.farthest, back)
	}
}
