package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
)

// PacketType is the type of a packet: the character that it begins with on the
// wire.
type PacketType byte

// The packet types.
const (
	Open    PacketType = '0'
	Close   PacketType = '1'
	Ping    PacketType = '2'
	Pong    PacketType = '3'
	Message PacketType = '4'
	Upgrade PacketType = '5'
	Noop    PacketType = '6'
)

// String returns the type's name in the protocol.
func (t PacketType) String() string {
	names := [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}
	if t < Open || t > Noop {
		return "unknown"
	}
	return names[t-Open]
}

// Separator stands between the packets of a payload. A text message that holds
// it is taken apart by the receiver of a payload; the protocol has no escape.
const Separator = 0x1e

// Errors of decoding. Compare with [errors.Is].
var (
	ErrEmptyPacket    = errors.New("engineio: empty packet")
	ErrUnknownType    = errors.New("engineio: unknown packet type")
	ErrTooManyPackets = errors.New("engineio: too many packets in a payload")
)

// Packet is a packet. Only messages are ever binary.
type Packet struct {
	Type   PacketType
	Binary bool
	Data   []byte
}

// AppendPacket appends a packet in its text form: the type and the data, or for
// a binary message "b" and the data in base64.
func AppendPacket(dst []byte, p Packet) []byte {
	if p.Binary {
		return base64.StdEncoding.AppendEncode(append(dst, 'b'), p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// DecodeText decodes a packet in its text form. The packet's data is a view of
// b, and that of a binary message was decoded in place: b is overwritten.
func DecodeText(b []byte) (Packet, error) {
	switch {
	case len(b) == 0:
		return Packet{}, ErrEmptyPacket
	case b[0] == 'b':
		return Packet{Type: Message, Binary: true, Data: decodeBase64(b[1:])}, nil
	case b[0] < byte(Open) || b[0] > byte(Noop):
		return Packet{}, ErrUnknownType
	}
	return Packet{Type: PacketType(b[0]), Data: b[1:]}, nil
}

// DecodeBinary decodes a binary WebSocket message, which is a message's data.
func DecodeBinary(b []byte) Packet { return Packet{Type: Message, Binary: true, Data: b} }

// PayloadReader takes a payload, the packets of one request body, apart.
type PayloadReader struct {
	rest []byte
	left int
	done bool
}

// NewPayloadReader reads a payload of up to limit packets.
func NewPayloadReader(payload []byte, limit int) PayloadReader {
	return PayloadReader{rest: payload, left: limit}
}

// Next returns the next packet, and [io.EOF] behind the last. See DecodeText for
// its data. Empty packets are errors, so an empty payload is one, too.
func (r *PayloadReader) Next() (Packet, error) {
	if r.done {
		return Packet{}, io.EOF
	}
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
