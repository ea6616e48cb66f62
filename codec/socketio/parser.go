package socketio

import (
	"math"
	"strconv"
)

// Parser is another form of packets than the one that this package's functions
// write and read. Server and clients have to agree on it: nothing on the wire says
// which it is.
//
// It has two levels. Values, that is arguments and payloads, are written and read
// on their own, so that an event is decoded only as far as its handler asks; packets
// are put together of values that are written already. A packet is exactly one
// message, text or binary, and has no attachments: a Parser has a form of its own for
// binary data. Only the types from [Connect] to [ConnectError] occur.
//
// All methods may be called at the same time from many goroutines, and none may
// block. A panic is taken as an error.
type Parser interface {
	// AppendValue appends one value to dst.
	AppendValue(dst []byte, v any) ([]byte, error)
	// DecodeValue stores a value in what v points to, as a copy: nothing of raw is
	// kept. Into an any goes nil, a bool, a number, a string, a []byte, a []any, a
	// map[string]any, or what else the form knows.
	DecodeValue(raw []byte, v any) error
	// AppendPacket appends a whole packet to dst, and says whether it is a binary
	// message. Args, of which an event's name is the first, and Data hold what
	// AppendValue wrote; Data is nil if there is none.
	AppendPacket(dst []byte, p Packet) (_ []byte, binary bool, err error)
	// DecodePacket decodes a message of a client, which may hold anything. Its Args,
	// an event's name first, are appended to args[:0]; they and Data are what
	// DecodeValue takes, as views of data or in memory of their own. It has to hold
	// the limits of depth and of arguments, and to refuse what is cut short or has
	// something behind it; an error ends the client's connection. What the packet
	// says is for the caller to judge.
	DecodePacket(data []byte, binary bool, args [][]byte, lim Limits) (Packet, error)
}

// JSONAppender is a [Parser] that can write its values as JSON, without a Go value
// in between. Binary data are base64 strings in it.
type JSONAppender interface {
	AppendJSON(dst, raw []byte) ([]byte, error)
}

// NameDecoder is a [Parser] that finds the name of an event without memory of its
// own: what a string says, or the digits of an integer.
type NameDecoder interface {
	EventName(raw []byte) ([]byte, error)
}

// CheckPacket judges a packet that came through a [Parser], as [Decode] does with
// its own: whether the type can be, whether an acknowledgement has an id and an event a
// name that is not reserved. It returns that name, which is valid as long as the
// packet.
func CheckPacket(parser Parser, p Packet) (event []byte, err error) {
	switch p.Type {
	case Connect, Disconnect, ConnectError:
		return nil, nil
	case Ack:
		if !p.HasID {
			return nil, ErrInvalidID
		}
		return nil, nil
	case Event:
		if len(p.Args) == 0 {
			return nil, ErrInvalidPayload
		}
		if event, err = parsedName(parser, p.Args[0]); err != nil || Reserved(string(event)) {
			return nil, ErrInvalidPayload
		}
		return event, nil
	}
	return nil, ErrUnknownType
}

func parsedName(parser Parser, raw []byte) ([]byte, error) {
	if d, ok := parser.(NameDecoder); ok {
		return d.EventName(raw) //nolint:wrapcheck // it is not looked at
	}
	var name any
	if err := parser.DecodeValue(raw, &name); err != nil {
		return nil, err //nolint:wrapcheck // it is not looked at
	}
	switch n := name.(type) {
	case string:
		return []byte(n), nil
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return strconv.AppendInt(nil, int64(n), 10), nil
		}
		return strconv.AppendFloat(nil, n, 'g', -1, 64), nil
	case int:
		return strconv.AppendInt(nil, int64(n), 10), nil
	case int64:
		return strconv.AppendInt(nil, n, 10), nil
	case uint64:
		return strconv.AppendUint(nil, n, 10), nil
	}
	return nil, ErrInvalidPayload
}
