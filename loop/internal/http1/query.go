package http1

import "bytes"

// QueryValue returns the value of the parameter key in a query of the form
// a=1&b=2, and whether there is one. Of repeated keys the last one counts. A
// key without "=" has an empty value.
//
// Both keys and values are form-decoded: "+" is a space, and a "%" that no two
// hexadecimal digits follow stands for itself. A value that needs no decoding is
// a view of query; one that does is newly allocated.
func QueryValue(query []byte, key string) (value []byte, ok bool) {
	for more := len(query) > 0; more; {
		pair := query
		i := bytes.LastIndexByte(query, '&')
		if more = i >= 0; more {
			query, pair = query[:i], query[i+1:]
		}
		name, value, found := bytes.Cut(pair, []byte("="))
		if len(pair) == 0 || !equalDecoded(name, key) {
			continue
		}
		if !found {
			value = pair[len(pair):]
		}
		return decode(value), true
	}
	return nil, false
}

// equalDecoded compares the form-decoded b with s.
func equalDecoded(b []byte, s string) bool {
	for len(s) > 0 {
		if len(b) == 0 {
			return false
		}
		c, n := decodeByte(b)
		if c != s[0] {
			return false
		}
		b, s = b[n:], s[1:]
	}
	return len(b) == 0
}

func decode(b []byte) []byte {
	i := bytes.IndexAny(b, "%+")
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for b = b[i:]; len(b) > 0; {
		c, n := decodeByte(b)
		out = append(out, c)
		b = b[n:]
	}
	return out
}

// decodeByte decodes the first character of b, and returns how many bytes it
// took.
func decodeByte(b []byte) (c byte, n int) {
	switch {
	case b[0] == '+':
		return ' ', 1
	case b[0] == '%' && len(b) >= 3:
		high, ok1 := unhex(b[1])
		low, ok2 := unhex(b[2])
		if ok1 && ok2 {
			return high<<4 | low, 3
		}
	}
	return b[0], 1
}
