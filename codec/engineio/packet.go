package engineio

import (
	"encoding/base64"
	"errors"
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

	// Unknown is the type of a binary packet of revision 3 that has no type or one
	// that does not exist. Other than in text, that is no error: it has no effect.
	Unknown PacketType = 0
)

// String returns the type's name in the protocol.
func (t PacketType) String() string {
	names := [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}
	if t < Open || t > Noop {
		return "unknown"
	}
	return names[t-Open]
}

// Separator stands between the packets of a payload of revision 4. A text message that holds
// it is taken apart by the receiver of a payload; the protocol has no escape.
const Separator = 0x1e

// Errors of decoding. Compare with [errors.Is].
var (
	ErrEmptyPacket    = errors.New("engineio: empty packet")
	ErrUnknownType    = errors.New("engineio: unknown packet type")
	ErrTooManyPackets = errors.New("engineio: too many packets in a payload")
	// ErrInvalidLength is a length in a payload of revision 3 that is no number,
	// does not end, is beyond the payload, or cuts a character in two.
	ErrInvalidLength = errors.New("engineio: invalid length of a packet in a payload")
	// ErrInvalidUTF8 is a text packet in a payload of revision 3 that is no UTF-8.
	ErrInvalidUTF8 = errors.New("engineio: text is not valid UTF-8")
)

// Packet is a packet. In revision 4 only messages are ever binary.
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
