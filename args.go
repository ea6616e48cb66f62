package sio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/bytedance/sonic"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// RawArgs are the arguments of an event or acknowledgement as they came: JSON
// and attachments. Those that a handler gets are views which are valid until
// it returns; [RawArgs.Clone] makes a copy that stays.
type RawArgs struct {
	values      [][]byte
	attachments [][]byte
}

// MakeRawArgs encodes arguments once, for use in several raw emits.
func MakeRawArgs(args ...any) (RawArgs, error) {
	var r RawArgs
	for i, arg := range args {
		var (
			raw   []byte
			found [][]byte
			err   error
		)
		if mayHoldBinary(arg) {
			raw, found, err = extractBinary(arg, len(r.attachments))
		} else {
			raw, err = appendJSON(nil, arg)
		}
		if err != nil {
			return RawArgs{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
		r.values = append(r.values, raw)
		r.attachments = append(r.attachments, found...)
	}
	return r, nil
}

// Len returns the number of arguments.
func (r RawArgs) Len() int { return len(r.values) }

// JSON returns an argument as it came, with {"_placeholder":true,"num":n} for
// binary data; nil if there are not so many.
func (r RawArgs) JSON(i int) []byte {
	if i < 0 || i >= len(r.values) {
		return nil
	}
	return r.values[i]
}

// Attachments returns the binary data that the placeholders stand for.
func (r RawArgs) Attachments() [][]byte { return r.attachments }

// Tail returns the arguments from i on, with all attachments.
func (r RawArgs) Tail(i int) RawArgs {
	r.values = r.values[min(i, len(r.values)):]
	return r
}

// Clone returns a copy that is valid for good.
func (r RawArgs) Clone() RawArgs {
	var c RawArgs
	for _, v := range r.values {
		c.values = append(c.values, bytes.Clone(v))
	}
	for _, a := range r.attachments {
		c.attachments = append(c.attachments, bytes.Clone(a))
	}
	return c
}

// Decode stores the arguments in what dst point to, in order. Pointers beyond
// the arguments get zero values, further arguments are left out. The error is
// an [*ArgumentError]. What was stored shares no memory with r.
func (r RawArgs) Decode(dst ...any) error {
	for i, d := range dst {
		v := reflect.ValueOf(d)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			return fmt.Errorf("sio: Decode wants pointers, not %T", d)
		}
		if err := r.decode(i, v.Elem()); err != nil {
			return &ArgumentError{Index: i, Type: v.Type().Elem(), Err: err}
		}
	}
	return nil
}

// decoding is sonic with copies of strings, since arguments are views.
var decoding = sonic.Config{CopyString: true}.Froze()

var rawMessage = reflect.TypeFor[json.RawMessage]()

// decode stores argument i in v.
func (r RawArgs) decode(i int, v reflect.Value) error {
	if i >= len(r.values) {
		v.SetZero()
		return nil
	}
	raw := r.values[i]
	switch {
	case v.Type() == rawMessage:
		v.SetBytes(bytes.Clone(raw))
		return nil
	case len(r.attachments) == 0:
		return decoding.Unmarshal(raw, v.Addr().Interface()) //nolint:wrapcheck // wrapped by the callers
	}
	return r.decodeBinary(raw, v)
}

func (r RawArgs) decodeBinary(raw []byte, v reflect.Value) error {
	if num, ok := socketio.IsPlaceholder(raw); ok && isBytes(v.Type()) && num < len(r.attachments) {
		v.SetBytes(bytes.Clone(r.attachments[num]))
		return nil
	}
	var text []byte
	last := 0
	err := socketio.WalkPlaceholders(raw, len(r.attachments), func(start, end, num int) error {
		text = append(append(text, raw[last:start]...), '"')
		text = append(appendTokenText(text, num), '"')
		last = end
		return nil
	})
	if err != nil {
		return err //nolint:wrapcheck // wrapped by the callers
	}
	text = append(text, raw[last:]...)
	if err := decoding.Unmarshal(text, v.Addr().Interface()); err != nil {
		return err //nolint:wrapcheck // wrapped by the callers
	}
	if last == 0 {
		return nil
	}
	own := make([][]byte, len(r.attachments))
	for i, a := range r.attachments {
		own[i] = bytes.Clone(a)
	}
	return insertBinary(v, own)
}
