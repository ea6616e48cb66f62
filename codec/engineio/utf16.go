package engineio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Lengths in text payloads of revision 3 are those of JavaScript's strings: a
// character takes one UTF-16 code unit, beyond U+FFFF two, which in UTF-8 are
// the characters of four bytes.

// highs are the bits that no ASCII byte has, in each of eight bytes.
const highs = 0x8080808080808080

// utf16Len returns how many UTF-16 code units b has, and whether it is UTF-8. If
// it is not, each byte that does not belong counts as one.
func utf16Len(b []byte) (units int, valid bool) {
	i := asciiPrefix(b)
	if i == len(b) {
		return i, true
	}
	rest := b[i:]
	if !utf8.Valid(rest) {
		for len(rest) > 0 {
			r, n := utf8.DecodeRune(rest)
			if i++; r > 0xffff {
				i++
			}
			rest = rest[n:]
		}
		return i, false
	}
	for ; len(rest) >= 8; rest = rest[8:] {
		i += unitsOfWord(binary.LittleEndian.Uint64(rest))
	}
	for _, c := range rest {
		i += unitsOfByte(c)
	}
	return i, true
}

// utf16Prefix returns how many bytes the first n UTF-16 code units of b take, and
// whether they are all ASCII. That is -1 if b has fewer, or if they end inside
// of a surrogate pair. Whether b is UTF-8 is not looked at.
func utf16Prefix(b []byte, n int) (end int, ascii bool) {
	i := 0
	if n <= len(b) {
		if i = asciiPrefix(b[:n]); i == n {
			return i, true
		}
		n -= i
	}
	for n >= 9 && i+8 <= len(b) { // a word has up to 9: a pair begins in its last byte
		n -= unitsOfWord(binary.LittleEndian.Uint64(b[i:]))
		i += 8
	}
	for ; n > 0 && i < len(b); i++ {
		n -= unitsOfByte(b[i])
	}
	if n != 0 {
		return -1, false
	}
	for i < len(b) && unitsOfByte(b[i]) == 0 { // the rest of the last character
		i++
	}
	return i, false
}

// asciiPrefix returns how many bytes at the start of b are ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+32 <= len(b); i += 32 {
		w := b[i : i+32]
		if (binary.LittleEndian.Uint64(w)|binary.LittleEndian.Uint64(w[8:])|
			binary.LittleEndian.Uint64(w[16:])|binary.LittleEndian.Uint64(w[24:]))&highs != 0 {
			break
		}
	}
	for ; i+8 <= len(b); i += 8 {
		if w := binary.LittleEndian.Uint64(b[i:]) & highs; w != 0 {
			return i + bits.TrailingZeros64(w)/8
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// unitsOfByte returns how many code units begin with the byte c: none with one in
// the middle of a character, two with the first of four.
func unitsOfByte(c byte) int {
	switch {
	case c < 0x80, c >= 0xc0 && c < 0xf0:
		return 1
	case c < 0xc0:
		return 0
	}
	return 2
}

// unitsOfWord returns the sum of unitsOfByte for eight bytes.
func unitsOfWord(w uint64) int {
	const ones = 0x0101010101010101
	middle := w >> 7 & ^(w >> 6) & ones
	four := w >> 7 & (w >> 6) & (w >> 5) & (w >> 4) & ones
	return 8 - bits.OnesCount64(middle) + bits.OnesCount64(four)
}

// appendText appends b. If it is not valid UTF-8, bytes that don't belong
// become U+FFFD each.
func appendText(dst, b []byte, valid bool) []byte {
	if valid {
		return append(dst, b...)
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		dst = utf8.AppendRune(dst, r)
		b = b[n:]
	}
	return dst
}

// repairedLen returns how many bytes appendText makes of b, which is not valid.
func repairedLen(b []byte) (size int) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		size += utf8.RuneLen(r)
		b = b[n:]
	}
	return size
}
