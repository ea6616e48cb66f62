package engineio

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// PayloadReader takes a payload, the packets of one request body, apart.
type PayloadReader struct {
	rest []byte
	left int
	form payloadForm
	done bool
}

// payloadForm is how the packets of a payload are told from each other.
type payloadForm uint8

const (
	separated payloadForm = iota // revision 4
	counted                      // revision 3 as text
	framed                       // revision 3 as bytes
)

// NewPayloadReader reads a payload of revision 4 of up to limit packets.
func NewPayloadReader(payload []byte, limit int) PayloadReader {
	return PayloadReader{rest: payload, left: limit}
}

// NewPayloadReaderV3 reads a text payload of revision 3 of up to limit packets.
// Its text must be UTF-8 and its lengths decimal digits.
func NewPayloadReaderV3(payload []byte, limit int) PayloadReader {
	return PayloadReader{rest: payload, left: limit, form: counted}
}

// NewBinaryPayloadReaderV3 reads a binary payload of revision 3 of up to limit
// packets. An empty one has none, which is no error.
func NewBinaryPayloadReaderV3(payload []byte, limit int) PayloadReader {
	return PayloadReader{rest: payload, left: limit, form: framed, done: len(payload) == 0}
}

// Next returns the next packet, and [io.EOF] behind the last. The packet's data
// is a view of the payload and lives as long as that; base64 was decoded in
// place, which overwrites the payload. Empty packets are errors, so an empty
// payload is one, too; but in a text payload of revision 3 an empty packet has
// no effect, apart from counting against the limit. Nothing is to be read behind
// an error: in revision 3 nobody knows where the next packet would begin.
func (r *PayloadReader) Next() (Packet, error) {
	switch {
	case r.done:
		return Packet{}, io.EOF
	case r.form == separated:
		return r.nextSeparated()
	}
	p, err := r.nextV3()
	if err != nil && err != ErrTooManyPackets { //nolint:errorlint // never wrapped, and it must stay
		r.done = true
	}
	return p, err
}

func (r *PayloadReader) nextSeparated() (Packet, error) {
	if r.left <= 0 {
		return Packet{}, ErrTooManyPackets
	}
	r.left--
	item := r.rest
	if i := bytes.IndexByte(item, Separator); i >= 0 {
		item, r.rest = item[:i:i], item[i+1:]
	} else {
		r.done = true
	}
	return DecodeText(item)
}

func (r *PayloadReader) nextV3() (Packet, error) {
	if len(r.rest) == 0 {
		return Packet{}, ErrEmptyPacket
	}
	for len(r.rest) > 0 {
		if r.left <= 0 {
			return Packet{}, ErrTooManyPackets
		}
		r.left--
		if r.form == framed {
			return r.nextFramed()
		}
		item, err := r.cutCounted()
		if err != nil {
			return Packet{}, err
		}
		if len(item) > 0 {
			return DecodeTextV3(item)
		}
	}
	return Packet{}, io.EOF
}

// cutCounted takes one item of the form <length>:<packet> off, where the length
// counts UTF-16 code units.
func (r *PayloadReader) cutCounted() ([]byte, error) {
	units, head := decimal(r.rest, '0', ':')
	if head < 0 {
		return nil, ErrInvalidLength
	}
	body := r.rest[head:]
	n, ascii := utf16Prefix(body, units)
	switch {
	case n < 0 && utf8.Valid(body):
		return nil, ErrInvalidLength
	case n < 0, !ascii && !utf8.Valid(body[:n]):
		return nil, ErrInvalidUTF8
	}
	r.take(head + n)
	return body[:n:n], nil
}

// The first byte of an item in a binary payload.
const (
	framedText   = 0
	framedBinary = 1
	framedEnd    = 0xff // behind the digits of the length
)

// nextFramed reads one item of the form <kind><digits>0xff<packet>, where the
// length counts bytes.
func (r *PayloadReader) nextFramed() (Packet, error) {
	kind := r.rest[0]
	if kind > framedBinary {
		return Packet{}, ErrUnknownType
	}
	n, head := decimal(r.rest[1:], 0, framedEnd)
	head++
	if head < 1 || n > len(r.rest)-head {
		return Packet{}, ErrInvalidLength
	}
	item := r.rest[head : head+n : head+n]
	r.take(head + n)
	if kind == framedBinary {
		return DecodeBinaryV3(item), nil
	}
	if !utf8.Valid(item) {
		return Packet{}, ErrInvalidUTF8
	}
	return DecodeTextV3(item)
}

// take drops the first n bytes, and the payload ends where it has no more.
func (r *PayloadReader) take(n int) {
	r.rest = r.rest[n:]
	r.done = len(r.rest) == 0
}

// decimal reads the digits at the start of b, of which zero is the first, and
// the end behind them. It returns the number and where b goes on. That is -1
// if there is no such number, or if it is larger than b is long; so it ends
// early and can't overflow, however many digits there are.
func decimal(b []byte, zero, end byte) (n, next int) {
	for i, c := range b {
		if c == end {
			if i == 0 {
				break
			}
			return n, i + 1
		}
		digit := c - zero
		if digit > 9 {
			break
		}
		if n = 10*n + int(digit); n > len(b) {
			break
		}
	}
	return 0, -1
}
