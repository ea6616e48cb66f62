package msgpack

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

type (
	named     string
	level     int
	blob      []byte
	color     uint8 // writes itself
	upper     struct{ S string }
	inner     struct{ A, B int }
	Embedded  struct{ A, C int }
	hidden    struct{ D int }
	recursive struct {
		Name string       `json:"name"`
		Next *recursive   `json:"next,omitempty"`
		All  []*recursive `json:"all,omitempty"`
	}
	everything struct {
		Bool    bool             `json:"bool"`
		Int     int8             `json:"int"`
		Uint    uint16           `json:"uint"`
		Float   float32          `json:"float"`
		Text    named            `json:"text"`
		Pointer *int             `json:"pointer"`
		Any     any              `json:"any"`
		List    []string         `json:"list"`
		Array   [2]int           `json:"array"`
		Map     map[string]inner `json:"map"`
		Numbers map[int]string   `json:"numbers"`
		Raw     json.RawMessage  `json:"raw"`
		Number  json.Number      `json:"number"`
		Skipped string           `json:"-"`
		Dash    string           `json:"-,"` //nolint:staticcheck // it is a name, too
		Empty   string           `json:"empty,omitempty"`
		EmptyS  []int            `json:"empties,omitempty"`
		Zero    inner            `json:"zero,omitzero"`
		Quoted  int64            `json:"quoted,string"`
		QuotedB bool             `json:",string"`
		QuotedS string           `json:"qs,string"`
		QuotedP *int             `json:"qp,string"`
		NoTag   int
		private int
		Colors  map[color]color `json:"colors"`
		Upper   upper           `json:"upper"`
		Address netip.Addr      `json:"address"`
		Levels  []level         `json:"levels"`
	}
	embeds struct {
		inner
		*Embedded // its A is hidden, its C is not
		hidden
		Named Embedded `json:"named"`
		Extra int      `json:"B,omitempty"` // hides inner's
	}
	ambiguous struct {
		inner
		Embedded
	}
	Tagged struct {
		Z int `json:"A"`
	}
	untagged struct { // wins over what is deeper, tag or not
		A int
		Tagged
	}
	shallow struct {
		Embedded
		A int
	}
	tagWins struct {
		X int `json:"x"`
		Y int `json:"A"`
		Embedded
	}
)

func (c color) MarshalText() ([]byte, error) { return []byte{'c', '0' + byte(c)}, nil }
func (c *color) UnmarshalText(b []byte) error {
	if len(b) != 2 || b[0] != 'c' {
		return errors.New("no color")
	}
	*c = color(b[1] - '0')
	return nil
}

func (u *upper) MarshalJSON() ([]byte, error) { return json.Marshal(strings.ToUpper(u.S)) }
func (u *upper) UnmarshalJSON(b []byte) error { u.S = "<" + string(b) + ">"; return nil }

func full() *everything {
	n := 7
	return &everything{
		Bool: true, Int: -128, Uint: 65535, Float: 0.1, Text: "grüße", Pointer: &n,
		Any: map[string]any{"a": []any{1.5, nil, "x", true}}, List: []string{"", "b"}, Array: [2]int{1, 2},
		Map: map[string]inner{"k": {1, 2}}, Numbers: map[int]string{-5: "five"}, Raw: json.RawMessage(`{"r":[1,2.5]}`),
		Number: "123456789012", Skipped: "never", Dash: "dash", Quoted: 1 << 60, QuotedB: true, QuotedS: `q"`, QuotedP: &n,
		NoTag: 3, private: 4, Colors: map[color]color{1: 2}, Upper: upper{"loud"}, Address: netip.MustParseAddr("127.0.0.1"), Levels: []level{1, -1},
	}
}

// TestSameAsJSON encodes values and wants in them what encoding/json does, and decodes that
// into their type, and wants what encoding/json does again.
func TestSameAsJSON(t *testing.T) {
	var nilPointer *everything
	link, _ := url.Parse("http://a.b/c?d=e")
	for _, v := range []any{
		nil, true, false, 0, -1, int8(-128), uint8(200), uint64(math.MaxUint64), int64(math.MinInt64), int64(1)<<53 + 1,
		1.5, float32(0.1), float32(3), 1e300, "", "a<>&\u2028", "\xff", named("n"), level(3),
		[]int{1, 2},
		[]int{},
		[]int(nil),
		[3]bool{true},
		[0]int{},
		[]any{nil, "a", 1.0, []any{}},
		map[string]any{},
		map[string]any(nil),
		map[string]int{"a": 1},
		map[int8]bool{-1: true},
		map[uint]string{7: "x"},
		map[named]int{"k": 1},
		[]string{"x"},
		[][]int{{1}, nil},
		[]color{1, 2},
		color(3), &upper{"x"},
		upper{"not addressable"},
		[]upper{{"addressable"}},
		map[color]int{4: 4},
		struct{}{},
		inner{1, 2},
		&inner{3, 4}, nilPointer, *full(), full(),
		embeds{},
		embeds{inner: inner{1, 2}, Embedded: &Embedded{3, 4}, hidden: hidden{5}, Named: Embedded{6, 7}, Extra: 8},
		ambiguous{inner{1, 2}, Embedded{3, 4}},
		tagWins{1, 2, Embedded{3, 4}},
		shallow{Embedded{1, 2}, 3},
		untagged{1, Tagged{2}},
		recursive{Name: "a", Next: &recursive{Name: "b"}, All: []*recursive{nil, {Name: "c"}}},
		json.Number("12.5"), json.Number("-0.5"), json.Number("1e+30"), json.RawMessage(`[1,"2",{"x":null}]`), json.RawMessage(nil),
		[]json.RawMessage{[]byte("1")},
		*big.NewInt(1 << 40), big.NewInt(99), netip.MustParseAddrPort("[::1]:80"), time.Second, link, errors.New("no fields"),
		func() any { s := "pointer"; p := &s; return &p }(),
		[]*int{nil},
		struct{ X any }{inner{1, 2}},
		struct{ T *time.Time }{},
	} {
		t.Run(reflect.TypeOf(&v).Elem().String()+" "+typeName(v), func(t *testing.T) {
			raw, err := Parser{}.AppendValue(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := generic(t, asJSON(t, raw)), generic(t, string(text)); !reflect.DeepEqual(got, want) {
				t.Errorf("encoded to %s, in JSON %s", asJSON(t, raw), text)
			}
			if v == nil {
				return
			}
			got, want := reflect.New(reflect.TypeOf(v)), reflect.New(reflect.TypeOf(v))
			err, wantErr := Parser{}.DecodeValue(raw, got.Interface()), json.Unmarshal(text, want.Interface())
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("decoding: %v, in JSON: %v", err, wantErr)
			}
			if !reflect.DeepEqual(got.Elem().Interface(), want.Elem().Interface()) {
				t.Errorf("decoded to %#v, in JSON %#v", got.Elem().Interface(), want.Elem().Interface())
			}
		})
	}
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}

// generic decodes JSON with all digits.
func generic(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return canonical(v)
}

// canonical writes all numbers in one way.
func canonical(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = canonical(v[k])
		}
	case json.Number:
		f, _, err := big.ParseFloat(string(v), 10, 200, big.ToNearestEven)
		if err == nil {
			return f.Text('g', 40)
		}
	}
	return v
}

// TestDecodeLikeJSON decodes JSON texts, put into MessagePack, into types that fit more
// or less: what encoding/json takes and refuses is taken and refused, with the same result.
func TestDecodeLikeJSON(t *testing.T) {
	texts := []string{
		`null`, `true`, `"text"`, `""`, `"c5"`, `"aGk="`, `"127.0.0.1"`, `"2026-11-25T13:59:26.5+01:00"`, `"12"`, `0`, `1`, `-1`, `200`, `300`, `-129`,
		`70000`, `4294967296`, `9223372036854775807`, `9223372036854775808`, `18446744073709551615`, `1.5`, `1e+40`, `[]`, `[1,2]`, `[1,2,3]`, `["a",null]`,
		`[{"A":1}]`, `{}`, `{"A":1,"B":2}`, `{"a":1,"b":2}`, `{"A":"x"}`, `{"A":null}`, `{"unknown":1,"B":3}`, `{"1":"x"}`, `{"c1":"c2"}`, `{"k":{"A":5}}`,
		`{"bool":true,"int":127,"float":2.5,"pointer":3,"any":[1],"quoted":"5","QuotedB":"true","raw":{"x":1},"colors":{"c1":"c2"},"upper":1}`,
		`{"int":128}`, `{"quoted":5}`, `{"quoted":"x"}`, `{"name":"a","next":{"name":"b"},"all":[null,{}]}`,
		`{"C":1,"D":2,"named":{"C":3}}`,
	}
	for _, target := range []any{
		false, 0, int8(0), int16(0), int64(0), uint8(0), uint32(0), uint64(0), float32(0), 0.0, "", named(""), level(0), color(0),
		upper{},
		[]int(nil), []string(nil),
		[2]int{},
		[]byte(nil), blob(nil), []any(nil), map[string]int(nil), map[string]any(nil), map[int]string(nil), map[color]color(nil),
		map[string]inner(nil),
		inner{},
		(*inner)(nil), []inner(nil),
		everything{},
		embeds{},
		recursive{},
		json.RawMessage(nil), json.Number(""),
		netip.Addr{},
		time.Time{},
		(*time.Time)(nil),
		struct{ X any }{},
		big.Int{},
	} {
		typ := reflect.TypeOf(target)
		t.Run(typ.String(), func(t *testing.T) {
			for _, text := range texts {
				raw, err := appendFromJSON(nil, []byte(text), 0)
				if err != nil {
					t.Fatal(err)
				}
				got, want := reflect.New(typ), reflect.New(typ)
				err, wantErr := Parser{}.DecodeValue(raw, got.Interface()), json.Unmarshal([]byte(text), want.Interface())
				if (err == nil) != (wantErr == nil) {
					t.Errorf("%s: got %v, in JSON %v", text, err, wantErr)
					continue
				}
				if err != nil {
					if !errors.Is(err, ErrMismatch) {
						t.Errorf("%s: got %v", text, err)
					}
					continue
				}
				if !reflect.DeepEqual(got.Elem().Interface(), want.Elem().Interface()) {
					t.Errorf("%s: got %#v, in JSON %#v", text, got.Elem().Interface(), want.Elem().Interface())
				}
			}
		})
	}
}

// TestNotAsJSON is what MessagePack can and JSON can't.
func TestNotAsJSON(t *testing.T) {
	at := time.Date(2026, 11, 25, 13, 59, 26, 123456789, time.FixedZone("x", 3600))
	utc := at.UTC().Truncate(time.Millisecond)
	type photo struct {
		At   time.Time         `json:"at"`
		Then *time.Time        `json:"then"`
		Data []byte            `json:"data"`
		More map[string][]byte `json:"more"`
		List []blob            `json:"list"`
	}
	then := at.Add(time.Hour)
	thenUTC := utc.Add(time.Hour)
	for _, tc := range []struct {
		name    string
		v, want any // in an any
	}{
		{"S14.3: a time is a Date", at, utc},
		{"a pointer to a time", &at, utc},
		{"a time before 1970", time.UnixMilli(-1), time.UnixMilli(-1).UTC()},
		{"times in a list", []time.Time{at}, []any{utc}},
		{"S14.3: binary data", []byte{1, 2}, []byte{1, 2}},
		{"empty binary data", []byte{}, []byte{}},
		{"no binary data", []byte(nil), nil},
		{"named binary data", blob{1}, []byte{1}},
		{"binary data anywhere", photo{at, &then, []byte{1}, map[string][]byte{"a": {2}}, []blob{{3}}}, map[string]any{
			"at": utc, "then": thenUTC, "data": []byte{1}, "more": map[string]any{"a": []byte{2}}, "list": []any{[]byte{3}},
		}},
		{"infinity", math.Inf(-1), math.Inf(-1)},
		{"an integer beyond 2^53", int64(1)<<53 + 1, int64(1)<<53 + 1},
		{"a negative one", -(int64(1)<<53 + 1), -(int64(1)<<53 + 1)},
		{"one that a float64 can be", int64(1) << 60, float64(1 << 60)},
		{"the largest", uint64(math.MaxUint64), uint64(math.MaxUint64)},
		{"the smallest", int64(math.MinInt64), float64(math.MinInt64)},
		{"an array of bytes is one of numbers", [2]byte{1, 2}, []any{1.0, 2.0}},
		{"an extension", Extension{5, []byte{1, 2, 3}}, Extension{5, []byte{1, 2, 3}}},
		{"an extension without data", Extension{Type: -7}, Extension{Type: -7, Data: nil}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw, err := Parser{}.AppendValue(nil, tc.v)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := (Parser{}).DecodeValue(raw, &got); err != nil {
				t.Fatal(err)
			}
			if e, ok := got.(Extension); ok && len(e.Data) == 0 {
				got = Extension{Type: e.Type}
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %#v", got)
			}
		})
	}
	t.Run("back into the struct", func(t *testing.T) {
		raw, err := Parser{}.AppendValue(nil, photo{at, &then, []byte{1}, map[string][]byte{"a": {}}, []blob{{3}, nil}})
		if err != nil {
			t.Fatal(err)
		}
		var got photo
		if err := (Parser{}).DecodeValue(raw, &got); err != nil {
			t.Fatal(err)
		}
		if want := (photo{utc, &thenUTC, []byte{1}, map[string][]byte{"a": {}}, []blob{{3}, nil}}); !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v", got)
		}
	})
	t.Run("NaN", func(t *testing.T) {
		raw, err := Parser{}.AppendValue(nil, math.NaN())
		var got float64
		if err != nil || (Parser{}).DecodeValue(raw, &got) != nil || !math.IsNaN(got) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestExtensionsOfAllSizes(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 255, 256, 65535, 65536} {
		want := Extension{9, make([]byte, n)}
		raw, err := Parser{}.AppendValue(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := msgp.Skip(raw); err != nil || len(rest) != 0 {
			t.Errorf("%d: %d are left, %v", n, len(rest), err)
		}
		var got Extension
		if err := (Parser{}).DecodeValue(raw, &got); err != nil || got.Type != 9 || len(got.Data) != n {
			t.Errorf("%d: got %d of type %d, %v", n, len(got.Data), got.Type, err)
		}
	}
}

// TestTimestamps reads the times of the specification, which other clients may send.
func TestTimestamps(t *testing.T) {
	for wire, want := range map[string]time.Time{
		"d6ff65541234":                   time.Unix(0x65541234, 0),
		"d7ff00000004655ab3cd":           time.Unix(0x655ab3cd, 1),
		"c70cff3b9ac9ff00000003b0000000": time.Unix(0x3b0000000, 999_999_999),
		"c70cff00000000ffffffffffffffff": time.Unix(-1, 0),
	} {
		var got time.Time
		var value any
		if err := errors.Join((Parser{}).DecodeValue(join(wire), &got), (Parser{}).DecodeValue(join(wire), &value)); err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
		if !got.Equal(want) || !value.(time.Time).Equal(want) {
			t.Errorf("%s: got %v and %v, want %v", wire, got, value, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	loop := map[string]any{}
	loop["loop"] = loop
	var knot recursive
	knot.Next = &knot
	deep := any(1)
	for range 600 {
		deep = []any{deep}
	}
	for _, tc := range []struct {
		name string
		v    any
	}{
		{"a channel", make(chan int)},
		{"a function", func() {}},
		{"a complex number", complex(1, 2)},
		{"one of them inside", struct{ F func() }{func() {}}},
		{"S2.5: a map in itself", loop},
		{"S2.5: a struct in itself", &knot},
		{"600 levels", deep},
		{"a key that is none", map[float64]int{1: 1}},
		{"a key that fails", map[badKey]int{{}: 1}},
		{"a marshaller that fails", badMarshaler{}},
		{"a marshaller of no JSON", json.RawMessage(`{"a":`)},
		{"a text marshaller that fails", badKey{}},
		{"a number that is none", json.Number("x")},
		{"a number too large", json.Number("1e999")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if out, err := (Parser{}).AppendValue([]byte("x"), tc.v); !errors.Is(err, ErrUnsupported) || string(out) != "x" {
				t.Errorf("got %x, %v", out, err)
			}
		})
	}
}

var errBad = errors.New("bad")

type badMarshaler struct{}

func (badMarshaler) MarshalJSON() ([]byte, error) { return nil, errBad }

type badKey struct{}

func (badKey) MarshalText() ([]byte, error) { return nil, errBad }

func TestDecodeMismatches(t *testing.T) {
	for _, tc := range []struct {
		name, wire string
		into       any
	}{
		{"binary data into text", "c40161", new(string)},
		{"text that is no base64 into binary data", "a121", new([]byte)},
		{"a fraction into an integer", "cb3fe0000000000000", new(int)},
		{"2^63 as a float into an int64", "cb43e0000000000000", new(int64)},
		{"2^64 as a float into a uint64", "cb43f0000000000000", new(uint64)},
		{"NaN into an integer", "cb7ff8000000000001", new(int)},
		{"-1.0 into a uint", "cbbff0000000000000", new(uint)},
		{"a date into text", "d7000000000000000000", new(string)},
		{"a date into a number", "d7000000000000000000", new(int)},
		{"a number into a time", "01", new(time.Time)},
		{"text into a time", "a161", new(time.Time)},
		{"another extension into a time", "d70100000000000000000", new(time.Time)},
		{"text into an extension", "a161", new(Extension)},
		{"an extension into a number", "d40100", new(int)},
		{"a map with a map as key", "818000", new(map[string]any)},
		{"a map with nil as key", "81c000", new(any)},
		{"a map with a fraction as key", "81cb3fe000000000000000", new(any)},
		{"a key too large", "81a333303000", new(map[int8]int)},
		{"into an interface with methods", "01", new(error)},
		{"NaN into a number's text", "cb7ff8000000000001", new(json.Number)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wire := tc.wire
			if len(wire)%2 != 0 {
				wire = wire[:len(wire)-1]
			}
			if err := (Parser{}).DecodeValue(join(wire), tc.into); !errors.Is(err, ErrMismatch) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, dst := range []any{nil, 1, "x", (*int)(nil), struct{}{}} {
		if err := (Parser{}).DecodeValue([]byte{1}, dst); !errors.Is(err, ErrMismatch) {
			t.Errorf("into %T: got %v", dst, err)
		}
	}
}

// TestFloatsAreIntegers: JavaScript knows no difference, and other clients send 3.0.
func TestFloatsAreIntegers(t *testing.T) {
	for _, raw := range [][]byte{msgp.AppendFloat64(nil, 100), msgp.AppendFloat32(nil, 100), msgp.AppendUint64(nil, 100), msgp.AppendInt16(nil, 100), {100}} {
		var (
			i int8
			u uint64
			f float32
			n json.Number
		)
		for _, dst := range []any{&i, &u, &f, &n} {
			if err := (Parser{}).DecodeValue(raw, dst); err != nil {
				t.Errorf("%x into %T: %v", raw, dst, err)
			}
		}
		if i != 100 || u != 100 || f != 100 || n != "100" {
			t.Errorf("%x: got %v %v %v %v", raw, i, u, f, n)
		}
	}
}

// TestKeysOfNumbers: maps of other clients may have them.
func TestKeysOfNumbers(t *testing.T) {
	raw := join("820101d0ff02")
	var got map[int]int
	if err := (Parser{}).DecodeValue(raw, &got); err != nil || got[1] != 1 || got[-1] != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if text := asJSON(t, raw); text != `{"1":1,"-1":2}` {
		t.Errorf("got %s", text)
	}
}

// TestDecodedSharesNothing changes the packet after decoding.
func TestDecodedSharesNothing(t *testing.T) {
	raw, err := Parser{}.AppendValue(nil, map[string]any{"text": []any{"text", []byte("text"), Extension{7, []byte("text")}}})
	if err != nil {
		t.Fatal(err)
	}
	var value any
	var typed map[named][]any
	var message json.RawMessage
	for _, dst := range []any{&value, &typed, &message} {
		if err := (Parser{}).DecodeValue(raw, dst); err != nil {
			t.Fatal(err)
		}
	}
	clear(raw)
	want := []any{"text", []byte("text"), Extension{7, []byte("text")}}
	if got := value.(map[string]any)["text"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	buffer := join("c703000a0b0c")
	value = nil
	var data []byte
	if err := errors.Join((Parser{}).DecodeValue(buffer, &data), (Parser{}).DecodeValue(buffer, &value)); err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if !reflect.DeepEqual(value, []byte{10, 11, 12}) || string(data) != "\n\v\f" {
		t.Errorf("an ArrayBuffer became %v and %v", value, data)
	}
	if !reflect.DeepEqual(typed["text"], want) || string(message) != `{"text":["text","dGV4dA==",[7,"dGV4dA=="]]}` {
		t.Errorf("got %v, %s", typed, message)
	}
}
