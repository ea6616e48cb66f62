package msgpack

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// FuzzDecode decodes any bytes. What is a packet is so after encoding, too, and says the
// same.
func FuzzDecode(f *testing.F) {
	for _, v := range readVectors(f, "packets.txt") {
		f.Add(v.wire, 0)
	}
	f.Add(event(nested(100)), 10)
	f.Add(event(array(300)), 3)
	f.Add(event([]byte{0xdd, 0xff, 0xff, 0xff, 0xff}), 3)
	f.Fuzz(func(t *testing.T, wire []byte, limit int) {
		lim := socketio.Limits{Depth: limit % 200, Args: limit % 1000}
		p, err := Parser{}.DecodePacket(wire, true, nil, lim)
		if err != nil {
			return
		}
		if p.Type > socketio.ConnectError || len(p.Args) > lim.WithDefaults().Args {
			t.Fatalf("%v with %d arguments", p.Type, len(p.Args))
		}
		event, checkErr := socketio.CheckPacket(Parser{}, p)
		if checkErr == nil && p.Type == socketio.Event && socketio.Reserved(string(event)) {
			t.Fatalf("event %q", event)
		}
		if _, otherErr := socketio.CheckPacket(plain{}, p); (checkErr == nil) != (otherErr == nil) {
			t.Fatalf("checked: %v, without shortcuts: %v", checkErr, otherErr)
		}
		again, binary, err := Parser{}.AppendPacket(nil, p)
		if err != nil || !binary {
			t.Fatal(binary, err)
		}
		q, err := Parser{}.DecodePacket(again, true, nil, lim)
		if err != nil {
			t.Fatalf("encoded to %x: %v", again, err)
		}
		if q.Type != p.Type || !bytes.Equal(q.Namespace, p.Namespace) || q.ID != p.ID || q.HasID != p.HasID ||
			!slices.EqualFunc(q.Args, p.Args, bytes.Equal) {
			t.Fatalf("encoded to %x", again)
		}
		// An array's length may be written in several ways.
		if list := p.Type == socketio.Event || p.Type == socketio.Ack; !list && !bytes.Equal(q.Data, p.Data) {
			t.Fatalf("the data became %x", q.Data)
		}
		for _, raw := range append(p.Args, p.Data) {
			if raw != nil {
				checkValue(t, raw)
			}
		}
	})
}

// FuzzValue decodes any bytes into all kinds of types.
func FuzzValue(f *testing.F) {
	for _, v := range readVectors(f, "values.txt") {
		f.Add(v.wire)
	}
	raw, err := Parser{}.AppendValue(nil, full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := check(raw, maxDepth); err != nil {
			var value any
			if err := (Parser{}).DecodeValue(raw, &value); err == nil {
				t.Fatal("decoded what is no value")
			}
			return
		}
		checkValue(t, raw)
	})
}

// checkValue decodes a valid value. What comes of it is encoded and decoded to the same.
func checkValue(t *testing.T, raw []byte) {
	t.Helper()
	if rest, err := msgp.Skip(raw); err != nil || len(rest) > 0 {
		t.Fatalf("%x: the library says %d, %v", raw, len(rest), err)
	}
	text, jsonErr := Parser{}.AppendJSON(nil, raw)
	if jsonErr == nil && !json.Valid(text) {
		t.Fatalf("%x: %q is no JSON", raw, text)
	}
	for _, dst := range []any{
		new(string), new([]byte), new(int8), new(uint64), new(float32), new(bool), new(time.Time), new(json.RawMessage), new(json.Number), new(Extension),
		new([]int), new([][]byte), new([3]string), new(map[string]any), new(map[int]string), new(map[color]color), new(everything), new(embeds), new(recursive),
	} {
		if err := (Parser{}).DecodeValue(raw, dst); err != nil && !errors.Is(err, ErrMismatch) {
			t.Fatalf("%x into %T: %v", raw, dst, err)
		}
	}
	var value, again any
	err := Parser{}.DecodeValue(raw, &value)
	if (err == nil) != (jsonErr == nil) {
		t.Fatalf("%x: %v, as JSON: %v", raw, err, jsonErr)
	}
	if err != nil {
		return
	}
	encoded, err := Parser{}.AppendValue(nil, value)
	if errors.Is(err, ErrUnsupported) {
		return // nested deeper than what is encoded
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := (Parser{}).DecodeValue(encoded, &again); err != nil {
		t.Fatalf("%x became %x: %v", raw, encoded, err)
	}
	if !same(value, again) {
		t.Fatalf("%x: %#v became %#v", raw, value, again)
	}
}

// same compares values; NaN is the same as NaN, a time the same to the millisecond.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || a != a && b != b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.UnixMilli() == b.UnixMilli()
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case Extension:
		b, ok := b.(Extension)
		return ok && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if !same(a[k], b[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}
