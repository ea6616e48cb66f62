package sio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// RawArgs are the arguments of an event or acknowledgement as they came: JSON
// and attachments, or what the server's [Parser] makes of them. Those that a
// handler gets are views which are valid until it returns; [RawArgs.Clone] makes a
// copy that stays.
type RawArgs struct {
	values      [][]byte
	attachments [][]byte
	coding      *coding
}

// rawArgs are arguments in the form of the socket's server.
func (s *Socket) rawArgs(values, attachments [][]byte) RawArgs {
	return RawArgs{values, attachments, s.ns.server.coding}
}

// MakeRawArgs encodes arguments once, for use in several raw emits. They are JSON
// by the library built in; a server with a [Parser] takes them, too, but converts them
// each time. [Server.MakeRawArgs] spares that.
func MakeRawArgs(args ...any) (RawArgs, error) { return (*coding)(nil).makeRaw(args) }

// MakeRawArgs encodes arguments once, for use in several raw emits, in the form that
// the server sends.
func (s *Server) MakeRawArgs(args ...any) (RawArgs, error) { return s.coding.makeRaw(args) }

// Len returns the number of arguments.
func (r RawArgs) Len() int { return len(r.values) }

// JSON returns an argument as it came, with {"_placeholder":true,"num":n} for
// binary data; nil if there are not so many. On a server with a [Parser], it is
// converted, with binary data as base64 strings, and nil if JSON has nothing like it.
func (r RawArgs) JSON(i int) []byte {
	if i < 0 || i >= len(r.values) {
		return nil
	}
	if r.coding.parses() {
		converted, err := r.coding.jsonOf(r.values[i])
		if err != nil {
			return nil
		}
		return converted
	}
	return r.values[i]
}

// Attachments returns the binary data that the placeholders stand for. With a
// [Parser] there are none.
func (r RawArgs) Attachments() [][]byte { return r.attachments }

// Tail returns the arguments from i on, with all attachments.
func (r RawArgs) Tail(i int) RawArgs {
	r.values = r.values[min(i, len(r.values)):]
	return r
}

// Clone returns a copy that is valid for good.
func (r RawArgs) Clone() RawArgs {
	c := RawArgs{coding: r.coding}
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

var rawMessage = reflect.TypeFor[json.RawMessage]()

// decode stores argument i in v.
func (r RawArgs) decode(i int, v reflect.Value) error {
	if i >= len(r.values) {
		v.SetZero()
		return nil
	}
	raw := r.values[i]
	switch {
	case r.coding.parses():
		return r.decodeParsed(i, v)
	case v.Type() == rawMessage:
		v.SetBytes(bytes.Clone(raw))
		return nil
	case len(r.attachments) == 0:
		return r.coding.unmarshal(raw, v.Addr().Interface())
	}
	return r.decodeBinary(raw, v)
}

func (r RawArgs) decodeParsed(i int, v reflect.Value) error {
	if v.Type() != rawMessage {
		return r.coding.decodeValue(r.values[i], v.Addr().Interface())
	}
	converted, err := r.coding.jsonOf(r.values[i])
	if err == nil {
		v.SetBytes(converted)
	}
	return err
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
	if err := r.coding.unmarshal(text, v.Addr().Interface()); err != nil {
		return err
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
