package engineio

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// AppendPacketV3 appends a packet in the text form of revision 3: the type and
// the data, or for a binary packet "b", the type, and the data in base64.
func AppendPacketV3(dst []byte, p Packet) []byte {
	if p.Binary {
		return base64.StdEncoding.AppendEncode(append(dst, 'b', byte(p.Type)), p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// AppendBinaryPacketV3 appends a packet in the binary form of revision 3, which is
// what a binary WebSocket message holds: the type's number as a byte, and the data.
func AppendBinaryPacketV3(dst []byte, p Packet) []byte {
	return append(append(dst, byte(p.Type-Open)), p.Data...)
}

// DecodeTextV3 decodes a packet in the text form of revision 3. The packet's data
// is a view of b, and binary data was decoded in place: b is overwritten. A
// binary packet may be of any type, also of [Unknown].
func DecodeTextV3(b []byte) (Packet, error) {
	if len(b) == 0 || b[0] != 'b' {
		return DecodeText(b)
	}
	if len(b) == 1 || b[1] < byte(Open) || b[1] > byte(Noop) {
		return Packet{Binary: true}, nil
	}
	return Packet{Type: PacketType(b[1]), Binary: true, Data: decodeBase64(b[2:])}, nil
}

// DecodeBinaryV3 decodes a packet in the binary form of revision 3, such as a
// binary WebSocket message. It may be of any type, also of [Unknown]. The
// packet's data is a view of b.
func DecodeBinaryV3(b []byte) Packet {
	if len(b) == 0 || b[0] > byte(Noop-Open) {
		return Packet{Binary: true}
	}
	return Packet{Type: Open + PacketType(b[0]), Binary: true, Data: b[1:]}
}

// AppendPayloadV3 appends a packet to a text payload of revision 3: its length
// in UTF-16 code units, a colon, and the packet as from [AppendPacketV3]. Packets
// follow each other with nothing in between. So that the length holds for
// whoever reads it, bytes that are not UTF-8 become U+FFFD each.
func AppendPayloadV3(dst []byte, p Packet) []byte {
	if p.Binary {
		n := len("b4") + base64.StdEncoding.EncodedLen(len(p.Data))
		return AppendPacketV3(append(strconv.AppendInt(dst, int64(n), 10), ':'), p)
	}
	n, valid := utf16Len(p.Data)
	dst = append(strconv.AppendInt(dst, int64(1+n), 10), ':', byte(p.Type))
	return appendText(dst, p.Data, valid)
}

// AppendBinaryPayloadV3 appends a packet to a binary payload of revision 3: a
// byte that tells text from binary, the digits of the length in bytes, 0xff, and
// the packet. It is for clients that understand XHR2, and for payloads with a
// binary packet: the reference sends one without any as text. Bytes of a text
// that are not UTF-8 become U+FFFD each.
func AppendBinaryPayloadV3(dst []byte, p Packet) []byte {
	if p.Binary {
		dst = appendFrameHead(dst, framedBinary, 1+len(p.Data))
		return AppendBinaryPacketV3(dst, p)
	}
	n, valid := len(p.Data), utf8.Valid(p.Data)
	if !valid {
		n = repairedLen(p.Data)
	}
	dst = append(appendFrameHead(dst, framedText, 1+n), byte(p.Type))
	return appendText(dst, p.Data, valid)
}

// appendFrameHead appends what stands before a packet of n bytes in a binary
// payload.
func appendFrameHead(dst []byte, kind byte, n int) []byte {
	at := len(dst) + 1
	dst = strconv.AppendInt(append(dst, kind), int64(n), 10)
	for i := at; i < len(dst); i++ {
		dst[i] -= '0'
	}
	return append(dst, framedEnd)
}
