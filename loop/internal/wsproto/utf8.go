package wsproto

import "unicode/utf8"

// UTF8 validates text that arrives in pieces, cut anywhere. The zero value is
// ready.
type UTF8 struct {
	need    uint8 // continuation bytes that are still missing
	low, up uint8 // bounds of the next one
	bad     bool
}

// Reset makes the validator ready for the next text.
func (u *UTF8) Reset() { *u = UTF8{} }

// Complete reports whether all that was written is valid and does not end
// within a character.
func (u *UTF8) Complete() bool { return u.need == 0 && !u.bad }

// Write takes the next piece, and reports whether the text so far can be the
// start of valid UTF-8. It says no at the first byte that rules that out
// (overlong forms, surrogates, code points above U+10FFFF), even within a
// character, and from then on.
func (u *UTF8) Write(p []byte) bool {
	for u.need > 0 && len(p) > 0 && !u.bad {
		u.next(p[0])
		p = p[1:]
	}
	if u.bad || len(p) == 0 {
		return !u.bad
	}
	whole := len(p) - partial(p)
	if !utf8.Valid(p[:whole]) {
		u.bad = true
		return false
	}
	for _, c := range p[whole:] {
		u.next(c)
	}
	return !u.bad
}

// partial returns how many bytes at the end of p may begin a character that
// does not end there.
func partial(p []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		switch c := p[len(p)-i]; {
		case c < utf8.RuneSelf:
			return 0
		case c >= 0xc0: // a leading byte
			if size := 2 + b2i(c >= 0xe0) + b2i(c >= 0xf0); i < size {
				return i
			}
			return 0
		}
	}
	return 0
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// next takes one byte of a character that is looked at on its own, by the table
// of RFC 3629, section 4.
func (u *UTF8) next(c byte) {
	if u.need > 0 {
		u.bad = u.bad || c < u.low || c > u.up
		u.need--
		u.low, u.up = 0x80, 0xbf
		return
	}
	u.low, u.up = 0x80, 0xbf
	switch {
	case c < utf8.RuneSelf:
	case c < 0xc2 || c > 0xf4:
		u.bad = true
	case c < 0xe0:
		u.need = 1
	case c < 0xf0:
		u.need = 2
		switch c {
		case 0xe0:
			u.low = 0xa0
		case 0xed:
			u.up = 0x9f
		}
	default:
		u.need = 3
		switch c {
		case 0xf0:
			u.low = 0x90
		case 0xf4:
			u.up = 0x8f
		}
	}
}
