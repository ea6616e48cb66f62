package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

type picture struct {
	Name string  `json:"name"`
	Data []byte  `json:"data"`
	Next *nested `json:"next,omitempty"`
}

type nested struct {
	List  [][]byte `json:"list"`
	Plain string   `json:"plain"`
}

type ownBytes []byte

const hole = `{"_placeholder":true,"num":%d}`

// holes replaces each # by a placeholder, numbered from 0.
func holes(format string) string {
	for i := 0; strings.Contains(format, "#"); i++ {
		format = strings.Replace(format, "#", fmt.Sprintf(hole, i), 1)
	}
	return format
}

// TestEmitBinary shows S2.4 and S10.1.
func TestEmitBinary(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	a, b := []byte{0, 1, 2, 255}, []byte("second")
	for _, tc := range []struct {
		name        string
		args        []any
		want        string // "#" stands for a placeholder
		attachments [][]byte
	}{
		{"alone", []any{a}, `451-["e",#]`, [][]byte{a}},
		{"empty", []any{[]byte{}}, `451-["e",#]`, [][]byte{{}}},
		{"nil is null", []any{[]byte(nil), a}, `451-["e",null,#]`, [][]byte{a}},
		{"several, among others", []any{1, a, "x", b, nil}, `452-["e",1,#,"x",#,null]`, [][]byte{a, b}},
		{"in a struct", []any{picture{"p", a, &nested{[][]byte{b, a}, "x"}}}, `453-["e",{"name":"p","data":#,"next":{"list":[#,#],"plain":"x"}}]`, [][]byte{a, b, a}},
		{"in a pointer", []any{&picture{Data: b}}, `451-["e",{"name":"","data":#}]`, [][]byte{b}},
		{"in a map", []any{map[string]any{"k": a}}, `451-["e",{"k":#}]`, [][]byte{a}},
		{"in a list of anything", []any{[]any{"x", b, []any{a}}}, `452-["e",["x",#,[#]]]`, [][]byte{b, a}},
		{"in an array", []any{[2][]byte{a, b}}, `452-["e",[#,#]]`, [][]byte{a, b}},
		{"in a type of one's own", []any{ownBytes(a)}, `451-["e",#]`, [][]byte{a}},
		{"more than a client may send", slices.Repeat([]any{a}, 12), `4512-["e"` + strings.Repeat(",#", 12) + `]`, slices.Repeat([][]byte{a}, 12)},
		{"JSON of the program's own", []any{json.RawMessage(`{"a":"AAEC"}`), a}, `451-["e",{"a":"AAEC"},#]`, [][]byte{a}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := s.Emit("e", tc.args...); err != nil {
				t.Fatal(err)
			}
			c.Want(holes(tc.want))
			for _, want := range tc.attachments {
				c.Want("binary:" + string(want))
			}
		})
	}
}

// Emitting leaves the program's values as they are.
func TestEmitDoesNotChangeItsArguments(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	p := &picture{"p", []byte("data"), &nested{[][]byte{[]byte("x")}, ""}}
	args := []any{p, map[string][]byte{"k": []byte("v")}}
	if err := s.Emit("e", args...); err != nil {
		t.Fatal(err)
	}
	c.Next()
	if string(p.Data) != "data" || string(p.Next.List[0]) != "x" || args[0] != p || string(args[1].(map[string][]byte)["k"]) != "v" {
		t.Errorf("changed to %+v", args)
	}
}

// TestReceiveBinary shows S10.1.
func TestReceiveBinary(t *testing.T) {
	f := serve(t)
	f.on(t, "bytes", func(b []byte, ack sio.Ack) error { return ack.Send(string(b)) })
	f.on(t, "struct", func(p picture, ack sio.Ack) error { return ack.Send(p.Name, string(p.Data), string(p.Next.List[1])) })
	f.on(t, "any", func(v any, ack sio.Ack) error {
		return ack.Send(string(v.(map[string]any)["k"].([]any)[0].([]byte)))
	})
	f.on(t, "map", func(m map[string][]byte, ack sio.Ack) error { return ack.Send(string(m["k"])) })
	f.on(t, "own", func(b ownBytes, ack sio.Ack) error { return ack.Send(string(b)) })
	f.on(t, "raw", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
		return ack.Send(string(args.JSON(0)), len(args.Attachments()))
	})
	f.on(t, "back", echo)
	c, _ := f.connect(t)
	for _, tc := range []struct {
		name, send  string
		attachments []string
		want        string
	}{
		{"bytes", `451-1["bytes",#]`, []string{"abc"}, `431["abc"]`},
		{"base64, as others write it", `421["bytes","YWJj"]`, nil, `431["abc"]`},
		{"in a struct", `453-1["struct",{"name":"n","data":#,"next":{"list":[#,#]}}]`, []string{"a", "b", "c"}, `431["n","a","c"]`},
		{"in anything", `451-1["any",{"k":[#]}]`, []string{"abc"}, `431["abc"]`},
		{"in a map", `451-1["map",{"k":#}]`, []string{"abc"}, `431["abc"]`},
		{"in a type of one's own", `451-1["own",#]`, []string{"abc"}, `431["abc"]`},
		{"raw", `451-1["raw",#]`, []string{"abc"}, `431["{\"_placeholder\":true,\"num\":0}",1]`},
		{"the same twice", `451-1["back",#,{"_placeholder":true,"num":0}]`, []string{"abc"}, `461-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`},
		{"a placeholder in a text packet is an object", `421["back",{"_placeholder":true,"num":0}]`, nil, `431[{"_placeholder":true,"num":0}]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.Send(holes(tc.send))
			for _, a := range tc.attachments {
				c.SendBinary([]byte(a))
			}
			c.Want(tc.want)
			if strings.HasPrefix(tc.want, "46") {
				c.Want("binary:" + tc.attachments[0])
			}
			f.wantNoErrors(t)
		})
	}
}

func TestBinaryWhereNoneFits(t *testing.T) {
	f := serve(t)
	f.on(t, "text", func(string) { t.Error("called") })
	f.on(t, "number", func(int) { t.Error("called") })
	f.on(t, "texts", func(map[string]string) { t.Error("called") })
	c, s := f.connect(t)
	for _, event := range []string{`"text",#`, `"number",#`, `"texts",{"k":#}`} {
		c.Send(holes(`451-[` + event + `]`))
		c.SendBinary([]byte("abc"))
		f.wantError(t, asError[*sio.ArgumentError])
	}
	if !s.Connected() {
		t.Error("the socket is lost")
	}
}

// What a handler kept of its arguments is its own, whatever comes later.
func TestArgumentsAreTheHandlersOwn(t *testing.T) {
	f := serve(t, oneLoop)
	kept := make(chan []any, 10)
	f.on(t, "e", func(b []byte, text string, raw json.RawMessage, v any) {
		kept <- []any{string(b), b, text, string(raw), v}
	}, sio.Inline)
	f.on(t, "done", func(ack sio.Ack) error { return ack.Send() })
	c, _ := f.connect(t)
	for i := range 10 {
		letter := strings.Repeat(string(rune('a'+i)), 40)
		c.Send(holes(`451-["e",#,"` + letter + `",["` + letter + `"],"` + letter + `"]`))
		c.SendBinary([]byte(letter))
	}
	c.Send(`421["done"]`)
	c.Want("431[]")
	for i := range 10 {
		letter := strings.Repeat(string(rune('a'+i)), 40)
		got := <-kept
		if string(got[1].([]byte)) != letter || got[2] != letter || got[3] != `["`+letter+`"]` || got[4] != letter {
			t.Errorf("%d: kept %q", i, got)
		}
	}
}

type stubborn struct{}

func (stubborn) MarshalJSON() ([]byte, error) { return nil, errors.New("won't") }

type wild struct{}

func (wild) MarshalJSON() ([]byte, error) { panic("wild") }

type ring struct {
	Next any
	Data []byte
}

// A value that can't be encoded is an error to the one who emits it; nothing is
// sent, and the socket stays.
func TestEmitOfWhatIsNoJSON(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	loop := &ring{}
	loop.Next = loop
	for _, tc := range []struct {
		name string
		v    any
	}{
		{"a channel", make(chan int)},
		{"a function", func() {}},
		{"not a number", math.NaN()},
		{"infinity", math.Inf(1)},
		{"a value that contains itself", loop},
		{"a marshaller that fails", stubborn{}},
		{"a marshaller that panics", wild{}},
		{"deep inside", map[string]any{"a": []any{stubborn{}}, "b": []byte("x")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := s.Emit("e", 1, tc.v); err == nil || !strings.Contains(err.Error(), "argument 1") {
				t.Errorf("Emit: %v", err)
			}
			if err := f.Emit("e", 1, tc.v); err == nil {
				t.Error("a broadcast of it succeeded")
			}
			if _, err := sio.MakeRawArgs(tc.v); err == nil {
				t.Error("MakeRawArgs succeeded")
			}
		})
	}
	if err := s.Emit("fine"); err != nil {
		t.Error(err)
	}
	c.Want(`42["fine"]`)
}

// JSON is written as a browser writes it.
func TestEmitJSON(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	for _, tc := range []struct {
		v    any
		want string
	}{
		{nil, `null`},
		{true, `true`},
		{int64(math.MinInt64), `-9223372036854775808`},
		{1.5, `1.5`},
		{"<a>&\u2028", "\"<a>&\u2028\""},
		{"quote \" back \\ line \n bell \a", `"quote \" back \\ line \n bell \u0007"`},
		{"\xff", `"` + "\ufffd" + `"`},
		{[]int(nil), `null`},
		{[]int{}, `[]`},
		{map[string]int{"a": 1}, `{"a":1}`},
		{point{1, "n"}, `{"x":1,"name":"n"}`},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`},
		{json.RawMessage(`{"as":  "it is"}`), `{"as":"it is"}`},
	} {
		if err := s.Emit("e", tc.v); err != nil {
			t.Errorf("%v: %v", tc.v, err)
			continue
		}
		if got, want := c.Next(), `42["e",`+tc.want+`]`; got != want {
			t.Errorf("%#v: got %s, want %s", tc.v, got, want)
		}
	}
}

func TestRawArgs(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	args, err := sio.MakeRawArgs("a", []byte("bin"), map[string]any{"b": []byte("two")}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if args.Len() != 4 || string(args.JSON(3)) != "3" || args.JSON(4) != nil || args.JSON(-1) != nil {
		t.Errorf("args %+v", args)
	}
	want := []string{holes(`452-["e","a",#,{"b":#},3]`), "binary:bin", "binary:two"}
	for _, send := range []func() error{
		func() error { return s.EmitRaw("e", args) },
		func() error { return f.Of("/").EmitRaw("e", args.Clone()) },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
		c.Want(want...)
	}
	var (
		text string
		bin  []byte
		m    map[string][]byte
	)
	if err := args.Decode(&text, &bin, &m); err != nil || text != "a" || string(bin) != "bin" || string(m["b"]) != "two" {
		t.Errorf("decoded %q %q %q, %v", text, bin, m, err)
	}
	if err := args.Decode(text); err == nil {
		t.Error("Decode into no pointer succeeded")
	}
	if tail := args.Tail(3); tail.Len() != 1 || string(tail.JSON(0)) != "3" || args.Tail(9).Len() != 0 {
		t.Errorf("tail %+v", tail)
	}
}

// Everything that a random user's bytes may look like stays what it was.
func TestBinaryLooksLikeNothingElse(t *testing.T) {
	f := serve(t)
	f.on(t, "e", func(v any, ack sio.Ack) error { return ack.Send(v) })
	c, _ := f.connect(t)
	for i, text := range []string{`{"_placeholder":true}`, `{"_placeholder":"true"}`, `{"num":0}`, `"YWJj"`, `{"__proto__":{"a":1}}`} {
		c.Send(fmt.Sprintf(`42%d["e",%s]`, i, text))
		c.Want(fmt.Sprintf(`43%d[%s]`, i, text))
	}
}
