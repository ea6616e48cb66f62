package socketio

import (
	"encoding/binary"
	"unicode/utf8"
)

// scanner validates JSON (RFC 8259) without building anything of it.
type scanner struct {
	b     []byte
	i     int
	depth int // nesting that is still allowed
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// value scans one value, from its first byte to behind its last.
func (s *scanner) value() error {
	if s.i >= len(s.b) {
		return ErrInvalidPayload
	}
	switch c := s.b[s.i]; {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object()
	case c == '[':
		return s.array(nil)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return ErrInvalidPayload
}

func (s *scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return ErrInvalidPayload
	}
	s.i += len(word)
	return nil
}

// str scans a string. Invalid UTF-8 passes; a WebSocket has none, polling may.
func (s *scanner) str() error {
	for i := s.i + 1; ; {
		// Most strings end soon; of a longer one, words are faster than bytes.
		for near := min(i+16, len(s.b)); i < near && !special[s.b[i]]; {
			i++
		}
		if i < len(s.b) && !special[s.b[i]] {
			for i+8 <= len(s.b) && plain(binary.LittleEndian.Uint64(s.b[i:])) {
				i += 8
			}
			for i < len(s.b) && !special[s.b[i]] {
				i++
			}
		}
		if i >= len(s.b) || s.b[i] < ' ' {
			return ErrInvalidPayload
		}
		if s.b[i] == '"' {
			s.i = i + 1
			return nil
		}
		n := escapeLen(s.b[i:])
		if n == 0 {
			return ErrInvalidPayload
		}
		i += n
	}
}

// special are the bytes that have a meaning in a JSON string: quotes, backslashes
// and control characters.
var special = func() (is [256]bool) {
	for c := range ' ' {
		is[c] = true
	}
	is['"'], is['\\'] = true, true
	return is
}()

// plain reports whether none of eight bytes is special.
func plain(b uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := b^ones*'"', b^ones*'\\'
	return ((b-ones*' ')&^b|(quote-ones)&^quote|(backslash-ones)&^backslash)&highs == 0
}

// escapeLen returns the length of the escape that b begins with, 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := unhex4(b); ok {
			return 6
		}
	}
	return 0
}

func unhex4(b []byte) (rune, bool) {
	if len(b) < 6 {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i >= len(s.b):
		return ErrInvalidPayload
	case s.b[s.i] == '0':
		s.i++
	case !s.digits():
		return ErrInvalidPayload
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return ErrInvalidPayload
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return ErrInvalidPayload
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

func (s *scanner) object() error {
	if s.depth--; s.depth < 0 {
		return ErrNestingTooDeep
	}
	s.i++
	if s.space(); s.i < len(s.b) && s.b[s.i] == '}' {
		s.i++
		s.depth++
		return nil
	}
	for {
		s.space()
		if s.i >= len(s.b) || s.b[s.i] != '"' {
			return ErrInvalidPayload
		}
		if err := s.str(); err != nil {
			return err
		}
		if s.space(); s.i >= len(s.b) || s.b[s.i] != ':' {
			return ErrInvalidPayload
		}
		s.i++
		s.space()
		if err := s.value(); err != nil {
			return err
		}
		more, err := s.next('}')
		if !more {
			return err
		}
	}
}

// elements receives what an array's elements are; see Decode.
type elements struct {
	list [][]byte
	max  int
}

// array scans an array and notes its elements if it is asked to.
func (s *scanner) array(into *elements) error {
	if s.depth--; s.depth < 0 {
		return ErrNestingTooDeep
	}
	s.i++
	if s.space(); s.i < len(s.b) && s.b[s.i] == ']' {
		s.i++
		s.depth++
		return nil
	}
	for {
		s.space()
		from := s.i
		if err := s.value(); err != nil {
			return err
		}
		if into != nil {
			if len(into.list) == into.max {
				return ErrTooManyArgs
			}
			into.list = append(into.list, s.b[from:s.i])
		}
		more, err := s.next(']')
		if !more {
			return err
		}
	}
}

// next scans what follows an element: a comma, or the end of what it is in.
func (s *scanner) next(end byte) (more bool, err error) {
	s.space()
	if s.i >= len(s.b) {
		return false, ErrInvalidPayload
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case ',':
		return true, nil
	case end:
		s.depth++
		return false, nil
	}
	return false, ErrInvalidPayload
}

// unquote appends the content of a valid JSON string to dst.
func unquote(dst, quoted []byte) []byte {
	b := quoted[1 : len(quoted)-1]
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			dst = append(dst, b[i])
			i++
			continue
		}
		n := escapeLen(b[i:])
		switch b[i+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, n = unquoteRune(b[i:])
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, b[i+1])
		}
		i += n
	}
	return dst
}

// unquoteRune decodes a \u escape, with its second half if it is a surrogate. A
// lone half becomes U+FFFD.
func unquoteRune(b []byte) (r rune, n int) {
	r, _ = unhex4(b)
	if r >= 0xd800 && r < 0xdc00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low, ok := unhex4(b[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			return (r-0xd800)<<10 | (low - 0xdc00) + 0x10000, 12
		}
	}
	return r, 6
}
