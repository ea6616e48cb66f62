package msgpack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// Types that write or read their own JSON do it here, too: what they write becomes
// MessagePack, and what they read was.

// appendFromJSON appends what is in a JSON text, keys in the same order.
func appendFromJSON(dst, text []byte, depth int) ([]byte, error) {
	if !json.Valid(text) {
		return dst, fmt.Errorf("%w: a marshaller wrote no JSON", ErrUnsupported)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return appendTokens(dst, d, depth)
}

func appendTokens(dst []byte, d *json.Decoder, depth int) ([]byte, error) {
	token, err := d.Token()
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	switch token := token.(type) {
	case json.Delim:
		return appendComposite(dst, d, token == '{', depth)
	case json.Number:
		return appendJSONNumber(dst, token)
	default:
		return appendAny(dst, token, depth)
	}
}

// appendComposite appends an array or an object, whose header is put in front when it is
// known how much there is.
func appendComposite(dst []byte, d *json.Decoder, object bool, depth int) (_ []byte, err error) {
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	var room [msgp.MapHeaderSize]byte
	from := len(dst)
	dst = append(dst, room[:]...)
	n := uint32(0)
	for ; d.More(); n++ {
		if object {
			if dst, err = appendTokens(dst, d, depth); err != nil { // the key
				return dst, err
			}
		}
		if dst, err = appendTokens(dst, d, depth); err != nil {
			return dst, err
		}
	}
	if _, err := d.Token(); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	header := msgp.AppendArrayHeader(room[:0], n)
	if object {
		header = msgp.AppendMapHeader(room[:0], n)
	}
	copy(dst[from:], header)
	moved := copy(dst[from+len(header):], dst[from+len(room):])
	return dst[:from+len(header)+moved], nil
}

// appendJSON appends the first value of b, which was checked, as JSON.
func appendJSON(dst, b []byte) (_, rest []byte, err error) {
	switch kind := msgp.NextType(b); kind {
	case msgp.NilType:
		return append(dst, "null"...), b[1:], nil
	case msgp.BoolType:
		v, rest, err := msgp.ReadBoolBytes(b)
		return strconv.AppendBool(dst, v), rest, err //nolint:wrapcheck // it was checked
	case msgp.StrType:
		s, rest, err := msgp.ReadStringZC(b)
		return socketio.AppendString(dst, string(s)), rest, err //nolint:wrapcheck // it was checked
	case msgp.BinType:
		data, rest, err := msgp.ReadBytesZC(b)
		return appendBase64(dst, data), rest, err //nolint:wrapcheck // it was checked
	case msgp.ArrayType:
		return appendJSONArray(dst, b)
	case msgp.MapType:
		return appendJSONObject(dst, b)
	}
	if n, ok := readNumber(b); ok {
		rest, err = skipScalar(b)
		return n.appendText(dst), rest, err
	}
	return appendJSONExt(dst, b)
}

func appendJSONArray(dst, b []byte) (_, rest []byte, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, b, err = appendJSON(dst, b); err != nil {
			return dst, b, err
		}
	}
	return append(dst, ']'), b, err //nolint:wrapcheck // it was checked
}

func appendJSONObject(dst, b []byte) (_, rest []byte, err error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var key []byte
		if key, b, err = readKey(b); err != nil {
			return dst, b, err
		}
		dst = append(socketio.AppendString(dst, string(key)), ':')
		if dst, b, err = appendJSON(dst, b); err != nil {
			return dst, b, err
		}
	}
	return append(dst, '}'), b, err //nolint:wrapcheck // it was checked
}

func appendJSONExt(dst, b []byte) (_, rest []byte, err error) {
	typ, data, rest, err := readExt(b)
	if err != nil {
		return dst, rest, err
	}
	switch meaningOf(b[0], typ, data) {
	case undefined:
		return append(dst, "null"...), rest, nil
	case buffer:
		return appendBase64(dst, data), rest, nil
	case date:
		t := readDate(typ, data)
		if y := t.Year(); y < 0 || y > 9999 {
			return append(dst, "null"...), rest, nil // as an invalid Date
		}
		return append(t.AppendFormat(append(dst, '"'), dateFormat), '"'), rest, nil
	}
	dst = strconv.AppendInt(append(dst, '['), int64(typ), 10)
	return append(appendBase64(append(dst, ','), data), ']'), rest, nil
}

func appendBase64(dst, data []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), data), '"')
}

// readKey reads a map's key: a string, or an integer as its digits.
func readKey(b []byte) (key, rest []byte, err error) {
	if key, rest, err = msgp.ReadStringZC(b); err == nil {
		return key, rest, nil
	}
	n, ok := readNumber(b)
	if !ok || n.kind == float {
		return nil, nil, fmt.Errorf("%w: a key that is no string", ErrMismatch)
	}
	rest, err = skipScalar(b)
	return n.appendText(nil), rest, err
}
