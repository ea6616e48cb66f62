package engineio

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// AppendJSONPIndex appends the digits of j, the query's parameter that says which
// of the page's callbacks a JSONP answer calls, up to limit digits. All else
// is left out.
func AppendJSONPIndex(dst, j []byte, limit int) []byte {
	for _, c := range j {
		if c < '0' || c > '9' {
			continue
		}
		if limit <= 0 {
			break
		}
		dst = append(dst, c)
		limit--
	}
	return dst
}

// AppendJSONP appends the script that answers a poll by JSONP: a call of the
// callback with the given index, with the payload as a string literal. The
// payload must be a text payload. It is escaped such that it is JSON and
// JavaScript of any edition; that does not make it fit for being put into a
// page of HTML. Bytes that are not UTF-8 become U+FFFD each. Of the index only
// the digits are written, so that nothing else can ever get into the script.
func AppendJSONP(dst, index, payload []byte) []byte {
	dst = AppendJSONPIndex(append(dst, "___eio["...), index, len(index))
	dst = appendJSONString(append(dst, "]("...), payload)
	return append(dst, ");"...)
}

// appendJSONString appends b as JSON.stringify writes strings, but with U+2028 and
// U+2029, which end a line in JavaScript before ES2019, escaped.
func appendJSONString(dst, b []byte) []byte {
	valid := utf8.Valid(b)
	dst = append(dst, '"')
	for {
		n := stringPrefix(b)
		dst = appendText(dst, b[:n], valid)
		if b = b[n:]; len(b) == 0 {
			return append(dst, '"')
		}
		const hex = "0123456789abcdef"
		switch c := b[0]; {
		case c == lineEndLead:
			r, n := utf8.DecodeRune(b)
			if r == '\u2028' || r == '\u2029' {
				dst = append(dst, '\\', 'u', '2', '0', '2', hex[r&0xf])
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			b = b[n:]
			continue
		case shortEscapes[c] != 0:
			dst = append(dst, '\\', shortEscapes[c])
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		b = b[1:]
	}
}

// lineEndLead is the first byte of U+2028 and U+2029, as of all of U+2000–U+2FFF.
const lineEndLead = 0xe2

// shortEscapes has what stands behind the backslash for a byte that has a
// short escape.
var shortEscapes = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}

// stringPrefix returns how many bytes at the start of b need no look: neither an
// escape nor a line end begins there.
func stringPrefix(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		const ones = 0x0101010101010101
		w := binary.LittleEndian.Uint64(b[i:])
		quote, backslash, lead := w^ones*'"', w^ones*'\\', w^ones*lineEndLead
		// The lowest bit that is set is right; those above may be from borrowing.
		found := ((w-ones*' ')&^w | (quote-ones)&^quote | (backslash-ones)&^backslash | (lead-ones)&^lead) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' && b[i] != lineEndLead {
		i++
	}
	return i
}

// DecodeJSONPBody decodes the body of a POST by JSONP, a form whose field d
// holds the payload. It reports false if there is no such field or more than one;
// such a body has no effect. The payload is a view of the body, decoded in place,
// and lives as long; the body is overwritten.
//
// "+" is a space; percent signs with no two hexadecimal digits stand for
// themselves. The reference's clients write a line end as a backslash and "n", since
// browsers change line ends in forms, and a backslash and "n" of the payload with
// one more backslash in front. The lengths of revision 3 count what results here.
func DecodeJSONPBody(body []byte) (payload []byte, ok bool) {
	for len(body) > 0 {
		var field []byte
		field, body, _ = bytes.Cut(body, []byte{'&'})
		name, value, _ := bytes.Cut(field, []byte{'='})
		if string(name) != "d" && string(name) != "%64" {
			continue
		}
		if ok {
			return nil, false
		}
		payload, ok = value, true
	}
	return unescapeLineEnds(unescapeForm(payload)), ok
}

// unescapeForm decodes application/x-www-form-urlencoded in place.
func unescapeForm(b []byte) []byte {
	out := 0
	for in := 0; in < len(b); in++ {
		c := b[in]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && in+2 < len(b):
			if high, low := hexValues[b[in+1]], hexValues[b[in+2]]; high|low < 16 {
				c = high<<4 | low
				in += 2
			}
		}
		b[out] = c
		out++
	}
	return b[:out]
}

var hexValues = func() (values [256]byte) {
	for i := range values {
		values[i] = skip
	}
	for i := range byte(16) {
		values["0123456789abcdef"[i]], values["0123456789ABCDEF"[i]] = i, i
	}
	return values
}()

// unescapeLineEnds makes a line end of a backslash and "n", and takes one
// backslash away where there are more, in place.
func unescapeLineEnds(b []byte) []byte {
	out, in := 0, 0
	for {
		n := bytes.IndexByte(b[in:], '\\')
		if n < 0 {
			n = copy(b[out:], b[in:])
			return b[: out+n : out+n]
		}
		out += copy(b[out:], b[in:in+n])
		in += n
		n = 1
		for in+n < len(b) && b[in+n] == '\\' {
			n++
		}
		if in+n == len(b) || b[in+n] != 'n' {
			out += copy(b[out:], b[in:in+n])
			in += n
			continue
		}
		in += n
		if n == 1 {
			b[out] = '\n'
			out++
			in++ // the n, too
			continue
		}
		out += copy(b[out:], b[in-n+1:in])
	}
}
