package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// counting is encoding/json, and counts how often it is used.
type counting struct{ marshalled, unmarshalled atomic.Int64 }

func (c *counting) use(o *sio.Options) {
	o.JSON = &sio.JSON{
		Marshal:   func(v any) ([]byte, error) { c.marshalled.Add(1); return json.Marshal(v) },
		Unmarshal: func(data []byte, v any) error { c.unmarshalled.Add(1); return json.Unmarshal(data, v) },
	}
}

// took fails unless the library was used so often since the last call.
func (c *counting) took(t *testing.T, marshalled, unmarshalled int64) {
	t.Helper()
	if m, u := c.marshalled.Swap(0), c.unmarshalled.Swap(0); m != marshalled || u != unmarshalled {
		t.Errorf("%d marshalled and %d unmarshalled, want %d and %d", m, u, marshalled, unmarshalled)
	}
}

// TestJSONLibrary shows S2.18: another library takes all arguments, both ways.
func TestJSONLibrary(t *testing.T) {
	lib := new(counting)
	f := serve(t, lib.use)
	f.on(t, "echo", func(text string, n int, p point, ack sio.Ack) error { return ack.Send(text, n, p) })
	f.on(t, "binary", func(v map[string]any, data []byte, ack sio.Ack) error { return ack.Send(v, data) })
	f.on(t, "raw", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { return ack.SendRaw(args) })
	c, s := f.connect(t)

	c.Send(`420["echo","<\u00e9>",7,{"x":1}]`)
	c.Want(`430["\u003cé\u003e",7,{"x":1,"name":""}]`)
	lib.took(t, 3, 3)
	c.Send(`451-1["binary",{"a":[` + holes("#") + `]},` + holes("#") + `]`)
	c.SendBinary([]byte("x"))
	c.Want(`462-1[`+holes(`{"a":[#]},#`)+`]`, "binary:x", "binary:x")
	lib.took(t, 1, 1)
	c.Send(`422["raw","<"]`)
	c.Want(`432["<"]`)
	lib.took(t, 0, 0)

	if err := errors.Join(s.Emit("e", "<"), f.Emit("e", true), f.To(s.ID()).Emit("e", nil)); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["e","\u003c"]`, `42["e",true]`, `42["e",null]`)
	lib.took(t, 3, 0)
	raw, err := f.MakeRawArgs("<", []byte("x"))
	if err != nil || s.EmitRaw("e", raw) != nil {
		t.Fatal(err)
	}
	c.Want(`451-["e","\u003c",`+holes("#")+`]`, "binary:x")
	lib.took(t, 1, 0)
	raw, err = sio.MakeRawArgs("<")
	if err != nil || s.EmitRaw("e", raw) != nil {
		t.Fatal(err)
	}
	c.Want(`42["e","<"]`)
	lib.took(t, 0, 0)

	answered := make(chan string, 1)
	if err := s.EmitAck(func(r sio.Reply, err error) {
		var text string
		err = errors.Join(err, r.Decode(&text))
		answered <- fmt.Sprint(text, err)
	}, "ask"); err != nil {
		t.Fatal(err)
	}
	c.Want(`420["ask"]`)
	c.Send(`430["yes"]`)
	if got := <-answered; got != "yes<nil>" {
		t.Errorf("answered %s", got)
	}
	lib.took(t, 0, 1)

	f.Of("/no").Use(func(*sio.Socket) error { return &sio.ConnectError{Message: "<", Data: "<"} })
	c.Send("40/no,")
	c.Want(`44/no,{"message":"<","data":"\u003c"}`)
	lib.took(t, 1, 0)
	f.wantNoErrors(t)
}

// Either half may be left as it is.
func TestJSONLibraryInPart(t *testing.T) {
	shout := func(v any) ([]byte, error) { b, err := json.Marshal(v); return []byte(strings.ToUpper(string(b))), err }
	deaf := func(_ []byte, v any) error { *v.(*string) = "deaf"; return nil }
	for _, tc := range []struct {
		name string
		lib  *sio.JSON
		want string
	}{
		{"none", &sio.JSON{}, `"a"`},
		{"no library", nil, `"a"`},
		{"marshal", &sio.JSON{Marshal: shout}, `"A"`},
		{"unmarshal", &sio.JSON{Unmarshal: deaf}, `"deaf"`},
		{"both", &sio.JSON{Marshal: shout, Unmarshal: deaf}, `"DEAF"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) { o.JSON = tc.lib })
			f.on(t, "echo", func(text string, ack sio.Ack) error { return ack.Send(text) })
			c, _ := f.connect(t)
			c.Send(`420["echo","a"]`)
			c.Want("430[" + tc.want + "]")
		})
	}
}

// A library may keep the data that it was given.
func TestJSONLibraryThatKeepsData(t *testing.T) {
	var views [][]byte
	f := serve(t, oneLoop, func(o *sio.Options) {
		o.JSON = &sio.JSON{Unmarshal: func(data []byte, v any) error {
			views = append(views, data)
			return json.Unmarshal(data, v)
		}}
	})
	done := make(chan struct{}, 2)
	f.on(t, "keep", func(string) { done <- struct{}{} }, sio.Inline)
	c, _ := f.connect(t)
	for _, text := range []string{"first", "other"} {
		c.Send(`42["keep","` + text + `"]`)
		<-done
	}
	if got := fmt.Sprintf("%s", views); got != `["first" "other"]` {
		t.Errorf("kept %s", got)
	}
}

// Errors and panics of a library are the emitter's, and nothing is written.
func TestJSONLibraryErrors(t *testing.T) {
	f := serve(t, func(o *sio.Options) {
		o.JSON = &sio.JSON{
			Marshal: func(v any) ([]byte, error) {
				switch v {
				case "error":
					return []byte("half"), errFailing
				case "panic":
					panic("no")
				case "nothing":
					return nil, nil
				}
				return json.Marshal(v)
			},
			Unmarshal: func(data []byte, v any) error {
				if string(data) == `"panic"` {
					panic("no")
				}
				return json.Unmarshal(data, v)
			},
		}
	})
	f.on(t, "take", func(text string) { t.Errorf("took %q", text) })
	c, s := f.connect(t)
	for _, v := range []string{"error", "panic", "nothing"} {
		for _, err := range []error{s.Emit("e", v), s.Emit("e", 1, []byte{1}, v), f.Emit("e", v), s.EmitAck(nil, "e", v)} {
			if err == nil || v == "error" && !errors.Is(err, errFailing) {
				t.Errorf("%s: got %v", v, err)
			}
		}
	}
	c.Send(`42["take","panic"]`, `42["take",1]`)
	for range 2 {
		f.wantError(t, asError[*sio.ArgumentError])
	}
	if err := s.Emit("next"); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["next"]`)
	f.wantNoErrors(t)
}

// marshals are types that write their own.
type (
	ownJSON struct{}
	ownText struct{}
	noJSON  struct{}
	tagged  struct {
		Name  string `json:"n,omitempty"`
		Count int64  `json:"count,string"`
		Skip  int    `json:"-"`
		hide  int
	}
)

func (ownJSON) MarshalJSON() ([]byte, error) { return []byte(`{ "own" : "<b>" }`), nil }
func (ownText) MarshalText() ([]byte, error) { return []byte("<own>"), nil }
func (noJSON) MarshalJSON() ([]byte, error)  { return []byte(`{"a":`), nil }

// TestEncodedJSON shows S2.5: how values are written by the library built in.
func TestEncodedJSON(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	for _, tc := range []struct {
		name string
		v    any
		want string
	}{
		{"S2.5: <>& and U+2028 are not escaped", "<>&\u2028\u2029", "\"<>&\u2028\u2029\""},
		{"S2.5: nor inside", []any{map[string]string{"<k>": "<>&\u2028"}}, "[{\"<k>\":\"<>&\u2028\"}]"},
		{"S2.5: nor in a struct", struct{ A string }{"<&>"}, `{"A":"<&>"}`},
		{"control characters are", "\x00\b\f\n\r\t\"\\\x1f", `"\u0000\b\f\n\r\t\"\\\u001f"`},
		{"invalid UTF-8 is replaced", "a\xffb", "\"a\ufffdb\""},
		{"invalid UTF-8 inside", []string{"a\xffb"}, `["a\ufffdb"]`},
		{"half of a pair, as CESU-8", "\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},
		{"all of Unicode", "é日😀", `"é日😀"`},
		{"S2.5: toJSON is used", ownJSON{}, `{"own":"<b>"}`},
		{"text of its own", ownText{}, `"<own>"`},
		{"tags", tagged{Count: 5, Skip: 1, hide: 2}, `{"count":"5"}`},
		{"raw JSON", json.RawMessage(`{ "a" : 1.0 }`), `{"a":1.0}`},
		{"no raw JSON", json.RawMessage(nil), "null"},
		{"an integer beyond 2^53", int64(9007199254740993), "9007199254740993"},
		{"the largest", uint64(math.MaxUint64), "18446744073709551615"},
		{"the smallest", int64(math.MinInt64), "-9223372036854775808"},
		{"a number written out", json.Number("123456789012345678901234567890"), "123456789012345678901234567890"},
		{"fractions", []float64{0.1, 1e21, 1e-7, 123456789, 1e20}, "[0.1,1e+21,1e-7,123456789,100000000000000000000]"},
		{"a short fraction", float32(0.1), "0.1"},
		{"nothing", []any{nil, (*int)(nil), []int(nil), map[string]int(nil)}, "[null,null,null,null]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := s.Emit("e", tc.v); err != nil {
				t.Fatal(err)
			}
			c.Want(`42["e",` + tc.want + `]`)
		})
	}
}

// TestNotEncodedJSON shows S2.5, and where we differ: what JSON has not is an error, for NaN and
// infinity, too, of which JavaScript makes null. Nothing is written.
func TestNotEncodedJSON(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	loop := map[string]any{}
	loop["loop"] = loop
	for _, tc := range []struct {
		name string
		v    any
	}{
		{"NaN", math.NaN()},
		{"infinity", math.Inf(-1)},
		{"NaN inside", []float64{1, math.NaN()}},
		{"infinity in a map", map[string]any{"a": math.Inf(1)}},
		{"S2.5: circular data", loop},
		{"a function", func() {}},
		{"a channel in a struct", struct{ C chan int }{}},
		{"a marshaller of no JSON", noJSON{}},
		{"a marshaller that fails", failing{}},
		{"a marshaller that panics", panicking{}},
		{"broken raw JSON", json.RawMessage(`{"a":`)},
		{"two values of raw JSON", json.RawMessage(`1 2`)},
		{"no number", json.Number("x")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, err := range []error{s.Emit("e", tc.v), s.Emit("e", []byte{1}, tc.v), f.Emit("e", tc.v), s.EmitAck(nil, "e", tc.v)} {
				if err == nil {
					t.Error("it was encoded")
				}
			}
		})
	}
	if err := s.Emit("next"); err != nil { // S2.5: the socket stays open
		t.Fatal(err)
	}
	c.Want(`42["next"]`)
}

// TestDecodedJSON shows how values are read, and that raw arguments stay what they are.
func TestDecodedJSON(t *testing.T) {
	f := serve(t)
	show := func(ack sio.Ack, v any) error { return ack.Send(fmt.Sprintf("%v", v)) }
	f.on(t, "text", func(v string, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "any", func(v any, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "int", func(v int64, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "uint", func(v uint64, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "float", func(v float64, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "number", func(v json.Number, ack sio.Ack) error { return show(ack, v) })
	f.on(t, "raw", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { return ack.SendRaw(args) })
	c, _ := f.connect(t)
	for _, tc := range []struct{ name, event, sent, want string }{
		{"S2.5: a lone surrogate stays in raw arguments", "raw", `"\ud800"`, `"\ud800"`},
		{"a lone surrogate in Go", "text", `"\ud800a"`, "\"\ufffda\""},
		{"a pair of them", "text", `"\ud83d\ude00"`, `"😀"`},
		{"U+2028", "text", "\"\u2028\"", "\"\u2028\""},
		{"an integer beyond 2^53", "int", "9007199254740993", `"9007199254740993"`},
		{"the largest", "uint", "18446744073709551615", `"18446744073709551615"`},
		{"one too large for a float64 to be exact", "any", "9007199254740993", `"9.007199254740992e+15"`},
		{"a number written out", "number", "123456789012345678901234567890", `"123456789012345678901234567890"`},
		{"a fraction", "float", "-1.5e-7", `"-1.5e-07"`},
		{"raw numbers", "raw", "-0,1.0,1E5", "-0,1.0,1E5"},
		{"repeated keys: the last counts", "any", `{"a":1,"a":2}`, `"map[a:2]"`},
		{"repeated keys stay in raw arguments", "raw", `{"a":1,"a":2}`, `{"a":1,"a":2}`},
	} {
		t.Run(tc.name, func(*testing.T) {
			c.Send(`420["` + tc.event + `",` + tc.sent + `]`)
			c.Want("430[" + tc.want + "]")
		})
	}
	for _, sent := range []string{`["int",9223372036854775808]`, `["int",1.5]`, `["uint",-1]`, `["float",1e400]`, `["text",1]`} {
		c.Send("42" + sent)
		f.wantError(t, asError[*sio.ArgumentError])
	}
	f.wantNoErrors(t)
}
