package msgpack

import (
	"encoding/binary"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// maxDepth bounds what is encoded, and what is decoded outside of a packet, which has
// a limit of its own.
const maxDepth = 10_000

// check judges whether data is exactly one value, with at most depth levels of arrays and
// maps. Nothing is allocated, whatever lengths it claims: all that follows relies on
// their being true.
func check(data []byte, depth int) error {
	rest, err := skip(data, depth)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrSyntax, len(rest))
	}
	return nil
}

// skip goes behind the first value of b.
func skip(b []byte, depth int) (rest []byte, err error) {
	var items uint64
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		var n uint32
		if n, rest, err = msgp.ReadArrayHeaderBytes(b); err != nil {
			return nil, syntax(err)
		}
		items = uint64(n)
	case msgp.MapType:
		var n uint32
		if n, rest, err = msgp.ReadMapHeaderBytes(b); err != nil {
			return nil, syntax(err)
		}
		items = 2 * uint64(n)
	default:
		return skipScalar(b)
	}
	if depth == 0 {
		return nil, socketio.ErrNestingTooDeep
	}
	if items > uint64(len(rest)) { // each takes a byte at least
		return nil, fmt.Errorf("%w: it is cut short", ErrSyntax)
	}
	for range items {
		if rest, err = skip(rest, depth-1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// skipScalar goes behind a value that holds no others.
func skipScalar(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: it is cut short", ErrSyntax)
	}
	switch {
	case b[0] < 0x80, b[0] >= 0xe0: // most numbers
		return b[1:], nil
	case isExt(b[0]):
		_, _, rest, err := readExt(b)
		return rest, err
	case b[0] == 0xc1:
		return nil, fmt.Errorf("%w: a byte that means nothing", ErrSyntax)
	}
	rest, err := msgp.Skip(b)
	if err != nil {
		return nil, syntax(err)
	}
	return rest, nil
}

func syntax(err error) error { return fmt.Errorf("%w: %w", ErrSyntax, err) }

// next cuts the first value off b, which was checked.
func next(b []byte) (value, rest []byte, err error) {
	rest, err = skip(b, maxDepth)
	if err != nil {
		return nil, nil, err
	}
	n := len(b) - len(rest)
	return b[:n:n], rest, nil
}

// Of extensions the library knows types of its own only, hence these few lines.

const (
	fixExt1 = 0xd4 // up to fixExt16, for 1, 2, 4, 8 and 16 bytes
	fixExt8 = 0xd7
	ext8    = 0xc7 // up to ext32, with a length of 1, 2 or 4 bytes
)

func isExt(lead byte) bool {
	return lead >= ext8 && lead <= ext8+2 || lead >= fixExt1 && lead <= fixExt1+4
}

// readExt reads an extension, whose lead byte is known to be one. data is a view.
func readExt(b []byte) (typ int8, data, rest []byte, err error) {
	lead, b := b[0], b[1:]
	var n uint64
	if lead >= fixExt1 {
		n = 1 << (lead - fixExt1)
	} else {
		size := 1 << (lead - ext8)
		if len(b) < size {
			return 0, nil, nil, fmt.Errorf("%w: it is cut short", ErrSyntax)
		}
		var length [8]byte
		copy(length[8-size:], b)
		n, b = binary.BigEndian.Uint64(length[:]), b[size:]
	}
	if uint64(len(b)) < n+1 {
		return 0, nil, nil, fmt.Errorf("%w: it is cut short", ErrSyntax)
	}
	return int8(b[0]), b[1 : n+1 : n+1], b[n+1:], nil
}

// isUndefined says whether a value is JavaScript's undefined.
func isUndefined(raw []byte) bool { return len(raw) == 3 && raw[0] == fixExt1 && raw[1] == 0 }
