package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gobwas/ws"
)

// Frame is a WebSocket frame of a server.
type Frame struct {
	Op      ws.OpCode
	Fin     bool
	Rsv1    bool   // of the first frame of a compressed message (RFC 7692, section 6)
	Payload []byte // a view of the input
}

// ParseFrame takes a frame off b, of which the payload may have up to limit bytes.
// size is that of the whole frame, 0 if b does not hold all of it.
func ParseFrame(b []byte, limit int) (f Frame, size int, err error) {
	if len(b) < 2 {
		return f, 0, nil
	}
	f = Frame{Op: ws.OpCode(b[0] & 0x0f), Fin: b[0]&0x80 != 0, Rsv1: b[0]&0x40 != 0}
	switch {
	case b[0]&0x30 != 0, f.Op.IsReserved():
		return f, 0, fmt.Errorf("%w: frame with first byte %#x", ErrProtocol, b[0])
	case b[1]&0x80 != 0:
		return f, 0, fmt.Errorf("%w: masked frame of a server", ErrProtocol)
	case f.Op.IsControl() && (!f.Fin || f.Rsv1 || b[1] > ws.MaxControlFramePayloadSize):
		return f, 0, fmt.Errorf("%w: control frame with first bytes %#x", ErrProtocol, b[:2])
	}
	head, length := 2, uint64(b[1])
	switch length {
	case 126:
		if head = 4; len(b) < head {
			return f, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return f, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > uint64(limit) {
		return f, 0, fmt.Errorf("%w: frame of %d bytes", ErrProtocol, length)
	}
	if size = head + int(length); len(b) < size {
		return f, 0, nil
	}
	f.Payload = b[head:size:size]
	return f, size, nil
}

// maxHeader is the size of the longest header of a client's frame.
const maxHeader = 14

// BeginFrame makes room in dst for the header of a frame, whose payload the caller
// then appends. [EndFrame] writes the header.
func BeginFrame(dst []byte) []byte {
	var room [maxHeader]byte
	return append(dst, room[:]...)
}

// EndFrame finishes the frame that was begun where dst had at bytes: it masks the
// payload with mask, and moves it next to its header.
func EndFrame(dst []byte, at int, op ws.OpCode, mask uint32) []byte {
	payload := dst[at+maxHeader:]
	var header [maxHeader]byte
	h := append(header[:0], 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		h = append(h, 0x80|byte(n))
	case n <= math.MaxUint16:
		h = append(h, 0x80|126, byte(n>>8), byte(n))
	default:
		h = binary.BigEndian.AppendUint64(append(h, 0x80|127), uint64(n))
	}
	key := [4]byte{byte(mask), byte(mask >> 8), byte(mask >> 16), byte(mask >> 24)}
	h = append(h, key[:]...)
	cipher(payload, key)
	start := at + copy(dst[at:], h)
	return append(dst[:start], payload...)
}

// AppendFrame appends a whole frame.
func AppendFrame(dst []byte, op ws.OpCode, mask uint32, payload []byte) []byte {
	at := len(dst)
	return EndFrame(append(BeginFrame(dst), payload...), at, op, mask)
}

// cipher is ws.Cipher without its checks for short payloads, which are most.
func cipher(payload []byte, mask [4]byte) {
	if len(payload) > 64 {
		ws.Cipher(payload, mask, 0)
		return
	}
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
}
