package engineio

// decodeBase64 decodes in place, as leniently as the reference does: both
// alphabets are understood, other characters are skipped, padding may be
// missing, and what follows it is ignored.
func decodeBase64(b []byte) []byte {
	in, out := 0, 0
	for in+4 <= len(b) {
		q := b[in : in+4]
		v0, v1, v2, v3 := base64Values[q[0]], base64Values[q[1]], base64Values[q[2]], base64Values[q[3]]
		if v0|v1|v2|v3 == skip {
			break // not four digits in a row: the loop below takes the rest
		}
		v := uint32(v0)<<18 | uint32(v1)<<12 | uint32(v2)<<6 | uint32(v3)
		b[out], b[out+1], b[out+2] = byte(v>>16), byte(v>>8), byte(v)
		in, out = in+4, out+3
	}
	bits, have := uint32(0), 0
	for _, c := range b[in:] {
		if c == '=' {
			break
		}
		v := base64Values[c]
		if v == skip {
			continue
		}
		bits = bits<<6 | uint32(v)
		if have++; have == 4 {
			b[out], b[out+1], b[out+2] = byte(bits>>16), byte(bits>>8), byte(bits)
			out, bits, have = out+3, 0, 0
		}
	}
	switch have {
	case 2:
		b[out] = byte(bits >> 4)
		out++
	case 3:
		b[out], b[out+1] = byte(bits>>10), byte(bits>>2)
		out += 2
	}
	return b[:out]
}

const skip = 0xff

var base64Values = func() (values [256]byte) {
	for i := range values {
		values[i] = skip
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(alphabet) {
		values[alphabet[i]] = byte(i)
	}
	values['-'], values['_'] = values['+'], values['/']
	return values
}()
