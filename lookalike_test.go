package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// Data of the program's own that look like a placeholder arrive as they are where
// nothing is binary, as with the reference (S2.12). Beside binary data no client can
// tell them apart, and some end their connection over them: they are refused.
func TestDataLikeAPlaceholder(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	like := map[string]any{"_placeholder": true, "num": 0}
	for _, tc := range []struct {
		name    string
		data    any
		refused bool // beside binary data
	}{
		{"a map", like, true},
		{"one that no attachment has", map[string]any{"_placeholder": true, "num": 99}, true},
		{"without a number", map[string]any{"_placeholder": true}, true},
		{"deep inside", []any{1, map[string]any{"k": []any{like}}}, true},
		{"a struct", struct {
			Placeholder bool `json:"_placeholder"`
			Num         int  `json:"num"`
		}{true, 0}, true},
		{"raw JSON", json.RawMessage(`{"_placeholder":true,"num":0}`), true},
		{"raw JSON with escapes", json.RawMessage(`{"\u005fplaceholder":true,"num":0}`), true},
		{"raw JSON with more in it", json.RawMessage(`{"_placeholder":true,"num":0,"x":[]}`), true},
		{"not true", map[string]any{"_placeholder": 1}, false},
		{"a text", `{"_placeholder":true,"num":0}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw, err := json.Marshal(tc.data)
			if err != nil {
				t.Fatal(err)
			}
			if r, ok := tc.data.(json.RawMessage); ok {
				raw = r
			}
			if err := errors.Join(s.Emit("e", tc.data), f.Emit("e", tc.data)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var got, want any
				err := errors.Join(json.Unmarshal([]byte(c.Next()[2:]), &got), json.Unmarshal(fmt.Appendf(nil, `["e",%s]`, raw), &want))
				if err != nil || !reflect.DeepEqual(got, want) { // the order of a map's keys is open
					t.Errorf("got %v, want %v, %v", got, want, err)
				}
			}
			for name, args := range map[string][]any{
				"behind binary data":           {[]byte("x"), tc.data},
				"in front of binary data":      {tc.data, []byte("x")},
				"among binary data":            {map[string]any{"a": []byte("x"), "b": tc.data}},
				"with binary data and another": {map[string]any{"a": []any{tc.data}}, 1, []byte("x")},
			} {
				t.Run(name, func(t *testing.T) {
					_, rawErr := sio.MakeRawArgs(args...)
					_, ackErr := f.To("nobody").EmitWithAck(t.Context(), "e", args...)
					for how, err := range map[string]error{
						"Emit": s.Emit("e", args...), "broadcast": f.To("nobody").Emit("e", args...), "raw": rawErr, "ack": ackErr,
					} {
						if errors.Is(err, sio.ErrPlaceholder) != tc.refused || !tc.refused && err != nil {
							t.Errorf("%s: %v", how, err)
						}
					}
					if !tc.refused {
						c.Next()
						c.Next()
					}
				})
			}
		})
	}
	if err := s.Emit("end"); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["end"]`)
}

// What a client sends that looks like a placeholder is plain data in a packet without
// attachments, whatever it is decoded into; sent on, it is what it was.
func TestPlaceholderFromAClient(t *testing.T) {
	f := serve(t)
	f.on(t, "any", func(v any, ack sio.Ack) error { return ack.Send(v) })
	f.on(t, "raw", echo)
	f.on(t, "bytes", func([]byte, sio.Ack) { t.Error("an object became bytes") })
	f.on(t, "mixed", func(v any, ack sio.Ack) error {
		err := ack.Send(v, []byte("x"))
		return errors.Join(err, ack.Send("refused"))
	})
	c, _ := f.connect(t)
	for i, data := range []string{`{"_placeholder":true,"num":0}`, `[{"_placeholder":true,"num":99}]`, `{"num":-1,"_placeholder":true}`} {
		c.Send(fmt.Sprintf(`42%d["raw",%s]`, i, data))
		c.Want(fmt.Sprintf(`43%d[%s]`, i, data))
		c.Send(fmt.Sprintf(`42%d["mixed",%s]`, i, data))
		c.Want(fmt.Sprintf(`43%d["refused"]`, i))
		f.wantError(t, isError(sio.ErrPlaceholder))
	}
	c.Send(`427["any",{"_placeholder":true,"num":0}]`)
	if got := c.Next(); got != `437[{"_placeholder":true,"num":0}]` && got != `437[{"num":0,"_placeholder":true}]` {
		t.Errorf("got %q", got)
	}
	c.Send(`42["bytes",{"_placeholder":true,"num":0}]`)
	f.wantError(t, asError[*sio.ArgumentError])
}

type inner struct {
	Data []byte `json:"data,omitempty"`
	note []byte
}

type outer struct {
	inner

	Name  string         `json:"name"`
	Empty []byte         `json:"empty"`
	Left  []byte         `json:"-"`
	More  map[int][]byte `json:"more,omitempty"`
}

// Bytes in embedded structs are found, too, and what JSON would leave out is left out.
func TestBinaryInEmbeddedStructs(t *testing.T) {
	f := serve(t)
	var got outer
	handled := make(chan struct{})
	f.on(t, "e", func(v outer) { got = v; close(handled) })
	c, s := f.connect(t)
	if err := s.Emit("e", outer{inner: inner{[]byte("a"), []byte("unseen")}, Empty: []byte{}, Left: []byte("left")}); err != nil {
		t.Fatal(err)
	}
	c.Want(holes(`452-["e",{"data":#,"name":"","empty":#}]`), "binary:a", "binary:")
	if err := s.Emit("e", outer{inner: inner{Data: []byte{}}, More: map[int][]byte{7: []byte("m")}}); err != nil {
		t.Fatal(err)
	}
	c.Want(holes(`451-["e",{"name":"","empty":null,"more":{"7":#}}]`), "binary:m")
	c.Send(holes(`452-["e",{"data":#,"name":"n","more":{"1":#}}]`))
	c.SendBinary([]byte("in"), []byte("more"))
	<-handled
	if string(got.Data) != "in" || got.Name != "n" || string(got.More[1]) != "more" {
		t.Errorf("got %+v", got)
	}
}
