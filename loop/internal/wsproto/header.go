package wsproto

import (
	"encoding/binary"
	"math"

	"github.com/gobwas/ws"
)

// Layout of a frame header (RFC 6455, section 5.2).
const (
	bitFin   = 0x80
	bitRsv1  = 0x40
	bitMask  = 0x80
	length16 = 126 // the length follows in 2 bytes
	length64 = 127 // in 8
)

// MaxHeaderSize is the size in bytes of the longest unmasked header: the
// headroom that [PutHeader] may need.
const MaxHeaderSize = 10

var (
	errLengthMSB     = &Error{ws.StatusProtocolError, "frame length with the top bit set"}
	errLengthPadding = &Error{ws.StatusProtocolError, "frame length not in its shortest form"}
)

// ParseHeader parses the frame header at the start of b and returns how many
// bytes it has; 0 without an error means that it is not complete yet. The
// payload follows, still masked.
//
// It refuses, with an [*Error] of code 1002, only lengths that are not encoded
// as RFC 6455, section 5.2 demands. [State.CheckHeader] judges the rest.
func ParseHeader(b []byte) (h ws.Header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	n = 2
	length := uint64(b[1] &^ bitMask)
	switch length {
	case length16:
		if n += 2; len(b) < n {
			return h, 0, nil
		}
		if length = uint64(binary.BigEndian.Uint16(b[2:])); length < length16 {
			return h, 0, errLengthPadding
		}
	case length64:
		if n += 8; len(b) < n {
			return h, 0, nil
		}
		switch length = binary.BigEndian.Uint64(b[2:]); {
		case length > math.MaxInt64:
			return h, 0, errLengthMSB
		case length <= math.MaxUint16:
			return h, 0, errLengthPadding
		}
	}
	if b[1]&bitMask != 0 {
		if len(b) < n+4 {
			return h, 0, nil
		}
		h.Masked = true
		h.Mask = [4]byte(b[n:])
		n += 4
	}
	h.Fin = b[0]&bitFin != 0
	h.Rsv = b[0] >> 4 & 7
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Length = int64(length)
	return h, n, nil
}

// HeaderSize returns the size in bytes of the unmasked header of a frame with a
// payload of length bytes: 2, 4 or 10.
func HeaderSize(length int) int {
	switch {
	case length < length16:
		return 2
	case length <= math.MaxUint16:
		return 4
	}
	return MaxHeaderSize
}

// AppendHeader appends the unmasked header of a frame with a payload of length
// bytes.
func AppendHeader(dst []byte, op ws.OpCode, fin, rsv1 bool, length int) []byte {
	first := firstByte(op, fin)
	if rsv1 {
		first |= bitRsv1
	}
	switch HeaderSize(length) {
	case 2:
		return append(dst, first, byte(length))
	case 4:
		return append(dst, first, length16, byte(length>>8), byte(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, first, length64), uint64(length))
}

// PutHeader writes the unmasked header of a frame with a payload of length bytes
// so that it ends at the end of dst, directly in front of a payload that is
// there already, and returns the index in dst at which it starts. It panics if
// dst is shorter than [HeaderSize]; [MaxHeaderSize] bytes are always enough.
func PutHeader(dst []byte, op ws.OpCode, fin, rsv1 bool, length int) int {
	size := HeaderSize(length)
	start := len(dst) - size
	AppendHeader(dst[start:start:len(dst)], op, fin, rsv1, length)
	return start
}

func firstByte(op ws.OpCode, fin bool) byte {
	if fin {
		return byte(op) | bitFin
	}
	return byte(op)
}
