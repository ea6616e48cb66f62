package http1

import "encoding/binary"

// Character classes, one bit each.
const (
	classToken  = 1 << iota // tchar (RFC 9110, section 5.6.2)
	classValue              // in header values: HTAB, SP, VCHAR, obs-text (section 5.5)
	classTarget             // visible ASCII but "#": a fragment is never sent (RFC 9112, section 3.2)
	classHost               // reg-name without "%" (RFC 3986, section 3.2.2)
	classHex
)

var classes = func() (t [256]uint8) {
	const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	set := func(class uint8, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	set(classToken, alphanumeric+"!#$%&'*+-.^_`|~")
	set(classHost, alphanumeric+"-._~"+"!$&'()*+,;=")
	set(classHex, "0123456789ABCDEFabcdef")
	set(classValue, "\t ")
	for c := 0x21; c <= 0xff; c++ {
		if c == 0x7f {
			continue
		}
		t[c] |= classValue
		if c < 0x7f && c != '#' {
			t[c] |= classTarget
		}
	}
	return t
}()

// isAll reports whether all bytes of b are of the class.
func isAll(b []byte, class uint8) bool {
	for _, c := range b {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

func isToken(b []byte) bool { return len(b) > 0 && isAll(b, classToken) }

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// isValue reports whether b may stand in a header's value. Values are most of a
// head, so it looks at eight bytes at a time for anything below SP or equal to
// DEL, and closer only at words where there may be some.
func isValue(b []byte) bool {
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		del := w ^ 0x7f*lowBits
		suspect := (w-0x20*lowBits)&^w | (del-lowBits)&^del
		if suspect&highBits != 0 && !isAll(b[:8], classValue) {
			return false
		}
		b = b[8:]
	}
	return isAll(b, classValue)
}

// trimSpace takes optional whitespace (RFC 9110, section 5.6.3) off both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// equalFold compares without regard to the case of ASCII letters, and of those
// only.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if d := s[i]; c != d && lower(c) != lower(d) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// unhex returns the value of a hexadecimal digit, and whether it is one.
func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= lower(c) && lower(c) <= 'f':
		return lower(c) - 'a' + 10, true
	}
	return 0, false
}
