package msgpack

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// Errors. Compare with [errors.Is].
var (
	// ErrSyntax says that something is not MessagePack, is cut short, or has something
	// behind it.
	ErrSyntax = errors.New("msgpack: invalid MessagePack")
	// ErrText says that a packet came as a text message.
	ErrText = errors.New("msgpack: packet is no binary message")
	// ErrMismatch says that a value does not fit the Go type that is wanted.
	ErrMismatch = errors.New("msgpack: value does not fit")
	// ErrUnsupported says that a Go value can't be encoded.
	ErrUnsupported = errors.New("msgpack: unsupported value")
)

// Parser implements [socketio.Parser]. It has no state.
type Parser struct{}

var (
	_ socketio.Parser       = Parser{}
	_ socketio.JSONAppender = Parser{}
	_ socketio.NameDecoder  = Parser{}
)

// The keys of a packet, which is a map.
const (
	keyType      = "type"
	keyData      = "data"
	keyNamespace = "nsp"
	keyID        = "id"
)

// AppendPacket appends a packet, which is always a binary message.
func (Parser) AppendPacket(dst []byte, p socketio.Packet) (_ []byte, binary bool, err error) {
	if p.Type > socketio.ConnectError {
		return dst, false, fmt.Errorf("%w: %v", ErrUnsupported, p.Type)
	}
	list := p.Type == socketio.Event || p.Type == socketio.Ack
	pairs := uint32(2)
	if list || p.Data != nil {
		pairs++
	}
	if p.HasID {
		pairs++
	}
	dst = msgp.AppendMapHeader(dst, pairs)
	dst = append(msgp.AppendString(dst, keyType), byte(p.Type))
	switch {
	case list:
		dst = msgp.AppendString(dst, keyData)
		dst = msgp.AppendArrayHeader(dst, uint32(len(p.Args)))
		for _, arg := range p.Args {
			dst = append(dst, arg...)
		}
	case p.Data != nil:
		dst = append(msgp.AppendString(dst, keyData), p.Data...)
	}
	dst = msgp.AppendString(dst, keyNamespace)
	dst = msgp.AppendStringFromBytes(dst, p.Namespace)
	if p.HasID {
		dst = msgp.AppendUint64(msgp.AppendString(dst, keyID), p.ID)
	}
	return dst, true, nil
}

// DecodePacket decodes a packet. All of it are views of data.
func (Parser) DecodePacket(data []byte, binary bool, args [][]byte, lim socketio.Limits) (p socketio.Packet, err error) {
	if !binary {
		return p, ErrText
	}
	lim = lim.WithDefaults()
	if len(data) == 0 || msgp.NextType(data) != msgp.MapType {
		return p, socketio.ErrUnknownType
	}
	// The packet's own map is a level that JSON does not have.
	if err := check(data, lim.Depth+1); err != nil {
		return p, err
	}
	f, err := splitPacket(data)
	if err != nil {
		return p, err
	}
	t, ok := integer(f.packetType)
	if !ok || t > uint64(socketio.ConnectError) {
		return p, socketio.ErrUnknownType
	}
	p.Type = socketio.PacketType(t)
	if p.Namespace, _, err = msgp.ReadStringZC(f.namespace); err != nil {
		return p, fmt.Errorf("%w: no namespace", socketio.ErrInvalidPayload)
	}
	if f.id != nil {
		if p.ID, p.HasID = integer(f.id); !p.HasID {
			return p, socketio.ErrInvalidID
		}
	}
	p.Data = f.data
	err = payload(&p, args, lim.Args)
	return p, err
}

// parts are the values of a packet's map, nil if absent or undefined.
type parts struct{ packetType, data, namespace, id []byte }

// splitPacket finds them in a map that was checked. Of a repeated key the last counts.
func splitPacket(data []byte) (f parts, err error) {
	n, b, err := msgp.ReadMapHeaderBytes(data)
	if err != nil {
		return f, syntax(err)
	}
	for range n {
		var key, value []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return f, socketio.ErrInvalidPayload // it is another type
		}
		if value, b, err = next(b); err != nil {
			return f, err
		}
		if isUndefined(value) {
			value = nil
		}
		switch string(key) {
		case keyType:
			f.packetType = value
		case keyData:
			f.data = value
		case keyNamespace:
			f.namespace = value
		case keyID:
			f.id = value
		}
	}
	return f, nil
}

// payload judges the data of a packet, and lists what is in an array.
func payload(p *socketio.Packet, args [][]byte, limit int) error {
	kind := msgp.InvalidType
	if p.Data != nil {
		kind = msgp.NextType(p.Data)
	}
	ok := false
	switch p.Type {
	case socketio.Connect:
		ok = p.Data == nil || kind == msgp.MapType
	case socketio.Disconnect:
		ok = p.Data == nil
	case socketio.ConnectError:
		ok = kind == msgp.StrType || kind == msgp.MapType
	default:
		if kind != msgp.ArrayType {
			break
		}
		n, b, err := msgp.ReadArrayHeaderBytes(p.Data)
		if err != nil || uint64(n) > uint64(limit) {
			return socketio.ErrTooManyArgs
		}
		p.Args = args[:0]
		for range n {
			var arg []byte
			if arg, b, err = next(b); err != nil {
				return err
			}
			p.Args = append(p.Args, arg)
		}
		ok = true
	}
	if !ok {
		return socketio.ErrInvalidPayload
	}
	return nil
}

// integer reads an integer that is not negative, whatever number it is written as.
func integer(raw []byte) (n uint64, ok bool) {
	if len(raw) == 0 {
		return 0, false
	}
	num, ok := readNumber(raw)
	if !ok {
		return 0, false
	}
	return num.uint64()
}

// EventName returns what a string says, or the digits of a number.
func (Parser) EventName(raw []byte) ([]byte, error) {
	if name, _, err := msgp.ReadStringZC(raw); err == nil {
		return name, nil
	}
	num, ok := readNumber(raw)
	if !ok {
		return nil, socketio.ErrInvalidPayload
	}
	if n, ok := num.int64(); ok {
		return strconv.AppendInt(nil, n, 10), nil
	}
	return appendFloat(nil, num.float64()), nil
}

// AppendValue appends v; see the package's documentation for how.
func (Parser) AppendValue(dst []byte, v any) ([]byte, error) {
	out, err := appendAny(dst, v, 0)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// DecodeValue decodes raw into what v points to.
func (Parser) DecodeValue(raw []byte, v any) error {
	if err := check(raw, maxDepth); err != nil {
		return err
	}
	return decodeInto(raw, v)
}

// AppendJSON appends a value as JSON. Binary data are base64 strings, a Date is a string
// as its toJSON gives it, NaN and infinity are null, and an extension is an array of its
// number and its data.
func (Parser) AppendJSON(dst, raw []byte) ([]byte, error) {
	if err := check(raw, maxDepth); err != nil {
		return dst, err
	}
	out, _, err := appendJSON(dst, raw)
	if err != nil {
		return dst, err
	}
	return out, nil
}
