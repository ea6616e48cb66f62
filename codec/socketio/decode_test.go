package socketio

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// within reports whether view lies in the memory of b.
func within(view, b []byte) bool {
	if len(view) == 0 {
		return true
	}
	for i := range b {
		if &b[i] == &view[0] {
			return len(view) <= len(b)-i
		}
	}
	return false
}

// nested returns arrays in each other, n deep.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestPacketTypes(t *testing.T) {
	for _, tc := range []struct {
		t                  PacketType
		name               string
		event, ack, binary bool
	}{
		{Connect, "CONNECT", false, false, false},
		{Disconnect, "DISCONNECT", false, false, false},
		{Event, "EVENT", true, false, false},
		{Ack, "ACK", false, true, false},
		{ConnectError, "CONNECT_ERROR", false, false, false},
		{BinaryEvent, "BINARY_EVENT", true, false, true},
		{BinaryAck, "BINARY_ACK", false, true, true},
		{7, "packet type 7", false, false, false},
		{255, "packet type 255", false, false, false},
	} {
		if tc.t.String() != tc.name || tc.t.IsEvent() != tc.event || tc.t.IsAck() != tc.ack || tc.t.IsBinary() != tc.binary {
			t.Errorf("%s: got %v, event %v, ack %v, binary %v", tc.name, tc.t, tc.t.IsEvent(), tc.t.IsAck(), tc.t.IsBinary())
		}
	}
}

func TestReservedNames(t *testing.T) {
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		if !Reserved(name) {
			t.Errorf("%q is not reserved", name)
		}
		for _, wire := range []string{`2["` + name + `"]`, `2["\u00` + fmt.Sprintf("%x", name[0]) + name[1:] + `"]`, `51-["` + name + `"]`} {
			if _, err := Decode([]byte(wire), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
				t.Errorf("%s: %v", wire, err)
			}
		}
	}
	for _, name := range []string{"", "error", "connection", "Connect", "connect ", "message", "connecting", "newlistener"} {
		if Reserved(name) {
			t.Errorf("%q is reserved", name)
		}
	}
}

func TestDecodeAcceptsMore(t *testing.T) {
	for _, tc := range []struct{ name, wire, want string }{
		{"a namespace ends with the packet", "0/admin", "CONNECT /admin"},
		{"a namespace to leave ends with the packet", "1/admin", "DISCONNECT /admin"},
		{"the main namespace by name", `2/,["a"]`, `EVENT / "a"`},
		{"leaving the main namespace by name", "1/", "DISCONNECT /"},
		{"a slash alone", "0/", "CONNECT /"},
		{"a namespace with a dash and digits", `2/a-1,1["a"]`, `EVENT /a-1 id=1 "a"`},
		{"a namespace with a bracket", `2/a[0],["a"]`, `EVENT /a[0] "a"`},
		{"two slashes", "0//a,", "CONNECT //a"},
		{"a query with an equals sign in its value", "0/a?b=c=d,", "CONNECT /a?b=c=d"},
		{"a namespace with invalid UTF-8", "0/\xff,", "CONNECT /\xff"},
		{"a namespace with a zero byte", "0/\x00,", "CONNECT /\x00"},
		{"an id with leading zeros", `2007["a"]`, `EVENT / id=7 "a"`},
		{"the largest id with leading zeros", `2000018446744073709551615["a"]`, `EVENT / id=18446744073709551615 "a"`},
		{"an id on a packet that needs none", `012{"a":1}`, `CONNECT / id=12 {"a":1}`},
		{"a count with leading zeros", `5001-["a"]`, `BINARY_EVENT / attachments=1 "a"`},
		{"more attachments than placeholders", `52-["a"]`, `BINARY_EVENT / attachments=2 "a"`},
		{"a placeholder in a packet without attachments", `2["a",{"_placeholder":true,"num":5}]`, `EVENT / "a" | {"_placeholder":true,"num":5}`},
		{"white space in JSON", "2[ \"a\" ,\t1\r\n, { \"b\" : [ ] } ] \n", `EVENT / "a" | 1 | { "b" : [ ] }`},
		{"an empty array with a space", "30[ ]", "ACK / id=0"},
		{"an empty object with a space", `0{ }`, "CONNECT / { }"},
		{"a key twice", `2["a",{"k":1,"k":2}]`, `EVENT / "a" | {"k":1,"k":2}`},
		{"an empty key", `2["a",{"":1}]`, `EVENT / "a" | {"":1}`},
		{"a key with escapes", `2["a",{"\u006b\"":1}]`, `EVENT / "a" | {"\u006b\"":1}`},
		{"all short escapes", `2["a","\"\\\/\b\f\n\r\t"]`, `EVENT / "a" | "\"\\\/\b\f\n\r\t"`},
		{"escapes in both cases", `2["a","\u00Ff\uABcd"]`, `EVENT / "a" | "\u00Ff\uABcd"`},
		{"a lone surrogate", `2["\ud800"]`, `EVENT / "\ud800"`},
		{"invalid UTF-8 is left to the transport", "2[\"a\xff\xc3\"]", "EVENT / \"a\xff\xc3\""},
		{"a delete character needs no escape", "2[\"\x7f\"]", "EVENT / \"\x7f\""},
		{"line separators need no escape", "2[\"\u2028\"]", "EVENT / \"\u2028\""},
		{"a byte order mark in a string", "2[\"\ufeff\"]", "EVENT / \"\ufeff\""},
		{"numbers of all forms", `2[0,-0,1.25,1e5,1E+05,0e-0,123456789012345678901234567890]`, `EVENT / 0 | -0 | 1.25 | 1e5 | 1E+05 | 0e-0 | 123456789012345678901234567890`},
		{"a name with an escaped quote", `2["a\"b"]`, `EVENT / "a\"b"`},
		{"a name that ends with a backslash", `2["a\\"]`, `EVENT / "a\\"`},
		{"any JSON string as an error", `4""`, `CONNECT_ERROR / ""`},
		{"a reserved name in an acknowledgement", `31["disconnect"]`, `ACK / id=1 "disconnect"`},
		{"a reserved name as an argument", `2["a","connect"]`, `EVENT / "a" | "connect"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Decode([]byte(tc.wire), nil, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := notation(p); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

var refused = []struct {
	name, wire string
	want       error
}{
	{"nothing", "", ErrUnknownType},
	{"a type above the last", `7["a"]`, ErrUnknownType},
	{"a type of nine", "9", ErrUnknownType},
	{"the byte below the first type", "/", ErrUnknownType},
	{"a letter as type", "a", ErrUnknownType},
	{"a space in front", ` 2["a"]`, ErrUnknownType},
	{"a byte order mark in front", "\ufeff2[\"a\"]", ErrUnknownType},
	{"a minus in front", `-2["a"]`, ErrUnknownType},
	{"only JSON", `["a"]`, ErrUnknownType},
	{"a zero byte", "\x00", ErrUnknownType},
	{"invalid UTF-8 in front", "\xff2[\"a\"]", ErrUnknownType},

	{"connecting with an array", "0[]", ErrInvalidPayload},
	{"connecting with a string", `0"a"`, ErrInvalidPayload},
	{"connecting with null", "0null", ErrInvalidPayload},
	{"connecting with true", "0true", ErrInvalidPayload},
	{"connecting with a broken object", `0{"a":}`, ErrInvalidPayload},
	{"connecting with more than an object", `0{}{}`, ErrInvalidPayload},
	{"connecting to a namespace without slash", "0nope,", ErrInvalidPayload},
	{"a comma without namespace", "0,", ErrInvalidPayload},
	{"a namespace twice", "0/a,/b,", ErrInvalidPayload},
	{"a space in front of the payload", "0 {}", ErrInvalidPayload},
	{"leaving with an object", "1{}", ErrInvalidPayload},
	{"leaving with null", "1null", ErrInvalidPayload},
	{"leaving with a space", "1 ", ErrInvalidPayload},
	{"leaving a namespace with a payload", "1/admin,[]", ErrInvalidPayload},
	{"an error without payload", "4", ErrInvalidPayload},
	{"an error with an array", "4[]", ErrInvalidPayload},
	{"an error with a number", "4/a,1", ErrInvalidPayload},
	{"an error with null", "4null", ErrInvalidPayload},
	{"an error with an open string", `4"a`, ErrInvalidPayload},

	{"an event without payload", "2", ErrInvalidPayload},
	{"an event with only an id", "212", ErrInvalidPayload},
	{"an event in a namespace without payload", "2/admin,", ErrInvalidPayload},
	{"an event whose namespace has no comma", `2/["a"]`, ErrInvalidPayload},
	{"an event with an object", "2{}", ErrInvalidPayload},
	{"an event with a string", `2"a"`, ErrInvalidPayload},
	{"an event without name", "2[]", ErrInvalidPayload},
	{"an event named true", "2[true]", ErrInvalidPayload},
	{"an event named false", "2[false]", ErrInvalidPayload},
	{"an event named null", "2[null]", ErrInvalidPayload},
	{"an event named by an object", "2[{}]", ErrInvalidPayload},
	{"an event named by an array", "2[[]]", ErrInvalidPayload},
	{"a count on an event", `2-1["a"]`, ErrInvalidPayload},
	{"a negative id", `2-1["a"]`, ErrInvalidPayload},
	{"a fraction as id", `21.5["a"]`, ErrInvalidPayload},
	{"an exponent in an id", `21e5["a"]`, ErrInvalidPayload},
	{"an id in front of the namespace", `21/admin,["a"]`, ErrInvalidPayload},
	{"digits that are no ASCII", "2\u0661[\"a\"]", ErrInvalidPayload},
	{"an acknowledgement with an object", "30{}", ErrInvalidPayload},
	{"an acknowledgement with a string", `3"x"`, ErrInvalidPayload},
	{"an acknowledgement without payload", "31", ErrInvalidPayload},
	{"an acknowledgement of nothing", "3", ErrInvalidPayload},

	{"an acknowledgement without id", "3[]", ErrInvalidID},
	{"a binary acknowledgement without id", `61-[{"_placeholder":true,"num":0}]`, ErrInvalidID},
	{"an id one too large", `218446744073709551616["a"]`, ErrInvalidID},
	{"an id that overflows by its last digit", `218446744073709551620["a"]`, ErrInvalidID},
	{"an id of a hundred digits", "2" + strings.Repeat("9", 100) + `["a"]`, ErrInvalidID},
	{"an id too large on a connect", "099999999999999999999", ErrInvalidID},

	{"no count", "5", ErrIllegalAttachments},
	{"a count without dash at the end", "51", ErrIllegalAttachments},
	{"a count without dash", `51["a"]`, ErrIllegalAttachments},
	{"a dash without count", `5-["a"]`, ErrIllegalAttachments},
	{"a namespace in place of the count", `5/admin,["a"]`, ErrIllegalAttachments},
	{"a letter as count", "5a-", ErrIllegalAttachments},
	{"a word as count", "5woooot", ErrIllegalAttachments},
	{"a fraction as count", "51.23-", ErrIllegalAttachments},
	{"an exponent in a count", `51e0-["a"]`, ErrIllegalAttachments},
	{"a hexadecimal count", `50x1-["a"]`, ErrIllegalAttachments},
	{"a space in front of the count", `5 1-["a"]`, ErrIllegalAttachments},
	{"a negative count", `5-1-["a"]`, ErrIllegalAttachments},
	{"a count of zero", `50-["a"]`, ErrIllegalAttachments},
	{"a count of many zeros", `50000-["a"]`, ErrIllegalAttachments},
	{"a count of zero in an acknowledgement", "60-1[]", ErrIllegalAttachments},
	{"one attachment too many", `511-["a"]`, ErrTooManyAttachments},
	{"one attachment too many in an acknowledgement", "611-1[]", ErrTooManyAttachments},
	{"a huge count", `599999999999999999999999999-["a"]`, ErrTooManyAttachments},
	{"a count that is 1 in 32 bits", `54294967297-["a"]`, ErrTooManyAttachments},
	{"a count that is 1 in 64 bits", `518446744073709551617-["a"]`, ErrTooManyAttachments},
	{"a binary event without payload", "51-", ErrInvalidPayload},
	{"a binary event with only a namespace", "51-/a,", ErrInvalidPayload},
	{"a binary event with an object", `51-{"_placeholder":true,"num":0}`, ErrInvalidPayload},
	{"a binary event without name", "51-[]", ErrInvalidPayload},
	{"a placeholder as name", `51-[{"_placeholder":true,"num":0}]`, ErrInvalidPayload},
}

func TestDecodeRefuses(t *testing.T) {
	for _, tc := range refused {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Decode([]byte(tc.wire), nil, Limits{}); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.wire, err, tc.want)
			}
		})
	}
}

// badJSON are values of which none is JSON.
var badJSON = []struct{ name, value string }{
	{"a word", "word"},
	{"undefined", "undefined"},
	{"not a number", "NaN"},
	{"infinity", "Infinity"},
	{"a capital literal", "True"},
	{"a literal cut short", "nul"},
	{"a literal with a letter too many", "nulll"},
	{"two values", "1 2"},
	{"a comment", "/*c*/1"},
	{"a comment behind", "1//c\n"},
	{"a byte order mark", "\ufeff1"},
	{"a no-break space", "\u00a01"},
	{"a vertical tab", "\v1"},
	{"a form feed", "\f1"},
	{"a zero byte", "\x001"},
	{"invalid UTF-8", "\xff"},

	{"a leading zero", "01"},
	{"a negative leading zero", "-01"},
	{"a plus", "+1"},
	{"only a minus", "-"},
	{"two minuses", "--1"},
	{"a minus and a space", "- 1"},
	{"a fraction without integer", ".5"},
	{"a fraction without digits", "1."},
	{"a fraction without digits in front of an exponent", "1.e5"},
	{"two fractions", "1.2.3"},
	{"an exponent without digits", "1e"},
	{"an exponent with only a sign", "1e+"},
	{"an exponent with a fraction", "1e1.5"},
	{"a hexadecimal number", "0x1"},
	{"a number with underscores", "1_000"},
	{"a big integer", "1n"},

	{"a string in single quotes", "'a'"},
	{"a string without end", `"a`},
	{"a string that ends with an escaped quote", `"a\"`},
	{"an unknown escape", `"\a"`},
	{"an escape in hexadecimal", `"\x41"`},
	{"an escape in octal", `"\0"`},
	{"an escaped single quote", `"\'"`},
	{"an escaped line end", "\"\\\n\""},
	{"an escape without letter", `"\`},
	{"an escape with too few digits", `"\u123"`},
	{"an escape with a letter that is no digit", `"\u12g4"`},
	{"an escape with a sign", `"\u+123"`},
	{"an escape with braces", `"\u{41}"`},
	{"an escape with a capital U", `"\U0041"`},
	{"an escape cut short", `"\u12`},
	{"a line end in a string", "\"a\nb\""},
	{"a tab in a string", "\"a\tb\""},
	{"a zero byte in a string", "\"a\x00\""},
	{"an escape character in a string", "\"\x1f\""},

	{"an open array", "["},
	{"an open array with an element", "[1"},
	{"a comma at the end of an array", "[1,]"},
	{"only a comma", "[,]"},
	{"a comma in front", "[,1]"},
	{"two commas", "[1,,2]"},
	{"no comma between elements", "[1 2]"},
	{"an array closed by a brace", "[1}"},
	{"an array closed twice", "[1]]"},
	{"an array with a pair", `["a":1]`},
	{"an array that ends with a comma and nothing", "[1,"},

	{"an open object", "{"},
	{"an object that ends behind a key", `{"a"`},
	{"an object that ends behind a colon", `{"a":`},
	{"an object that ends behind a value", `{"a":1`},
	{"an object that ends behind a comma", `{"a":1,`},
	{"a comma at the end of an object", `{"a":1,}`},
	{"only a comma in an object", "{,}"},
	{"an object without colon", `{"a" 1}`},
	{"an object with two colons", `{"a"::1}`},
	{"an object with an equals sign", `{"a"=1}`},
	{"a key without value", `{"a":}`},
	{"a value without key", `{:1}`},
	{"a key without quotes", `{a:1}`},
	{"a key in single quotes", `{'a':1}`},
	{"a number as key", `{1:1}`},
	{"null as key", `{null:1}`},
	{"a broken key", `{"\z":1}`},
	{"an object closed by a bracket", `{"a":1]`},
	{"an object with a bare value", `{"a"}`},
	{"no comma between pairs", `{"a":1 "b":2}`},
}

func TestDecodeRefusesBadJSON(t *testing.T) {
	for _, tc := range badJSON {
		t.Run(tc.name, func(t *testing.T) {
			for _, wire := range []string{
				"2[" + tc.value + "]", // this is an event's name
				`2["a",` + tc.value + "]",
				`2["a",[[` + tc.value + "]]]",
				`2["a",{"k":` + tc.value + "}]",
				`31[[` + tc.value + "]]",
				`51-["a",` + tc.value + "]",
				`0{"k":` + tc.value + "}",
				`4{"k":` + tc.value + "}",
				`0{"k":[` + tc.value + ",1]}",
			} {
				if _, err := Decode([]byte(wire), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
					t.Errorf("%s: got %v", wire, err)
				}
			}
		})
	}
}

// TestDecodeStringsOfAllLengths moves what ends, breaks or continues a string
// through long ones: these are scanned in words.
func TestDecodeStringsOfAllLengths(t *testing.T) {
	for n := range 50 {
		for _, fill := range []string{"a", "\xff", "\x80", "!", "#", "[", "]", "\x7f", " "} {
			run := strings.Repeat(fill, n)
			for _, behind := range []string{"", "b", strings.Repeat("b", 20)} {
				for _, valid := range []string{"", `\"`, `\\`, `\u0041`} {
					arg := `"` + run + valid + behind + `"`
					p, err := Decode([]byte("31["+arg+",7]"), nil, Limits{})
					if err != nil || len(p.Args) != 2 || string(p.Args[0]) != arg {
						t.Fatalf("%s: got %q, %v", arg, p.Args, err)
					}
				}
				for _, invalid := range []string{"\n", "\x00", "\x1f", `\x`, `"`} {
					arg := `"` + run + invalid + behind + `"`
					if _, err := Decode([]byte("31["+arg+",7]"), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
						t.Fatalf("%q: got %v", arg, err)
					}
				}
			}
			if _, err := Decode([]byte(`31["`+run), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
				t.Fatalf("an open string of %d: got %v", n, err)
			}
		}
	}
}

func TestDecodeRefusesTextBehindPayload(t *testing.T) {
	for _, wire := range []string{`2["a"]`, `31[]`, `0{}`, `4{}`, `4"a"`, `51-["a"]`} {
		for _, more := range []string{"]", "}", ",", "x", "1", "[]", "\x00", "\x1e", "\ufeff", "\u00a0", ` "a"`} {
			if _, err := Decode([]byte(wire+more), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
				t.Errorf("%s%s: got %v", wire, more, err)
			}
		}
	}
}

// TestDecodeTruncated cuts every packet of testdata at every byte. What is left
// is refused, or is a packet for itself: one cut in a namespace or in an id.
func TestDecodeTruncated(t *testing.T) {
	for _, v := range readVectors(t) {
		for n := range v.wire {
			p, err := Decode([]byte(v.wire[:n]), nil, Limits{})
			if err == nil && p.Data != nil {
				t.Errorf("%s is a packet with payload", v.wire[:n])
			}
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	args := func(n int) string { return `2["a"` + strings.Repeat(",1", n-1) + "]" }
	for _, tc := range []struct {
		name, wire string
		lim        Limits
		want       error
	}{
		{"ten attachments by default", `510-["a"]`, Limits{}, nil},
		{"eleven attachments by default", `511-["a"]`, Limits{}, ErrTooManyAttachments},
		{"eleven attachments if allowed", `511-["a"]`, Limits{Attachments: 11}, nil},
		{"twelve attachments of eleven", `512-["a"]`, Limits{Attachments: 11}, ErrTooManyAttachments},
		{"one attachment of one", `61-1[]`, Limits{Attachments: 1}, nil},
		{"two attachments of one", `62-1[]`, Limits{Attachments: 1}, ErrTooManyAttachments},
		{"a negative limit means the default", `510-["a"]`, Limits{Attachments: -1, Depth: -1, Args: -1}, nil},
		{"a count beyond all limits is no small one", `54294967297-["a"]`, Limits{Attachments: math.MaxInt32 - 1}, ErrTooManyAttachments},

		{"128 levels by default", `2["a",` + nested(127) + "]", Limits{}, nil},
		{"129 levels by default", `2["a",` + nested(128) + "]", Limits{}, ErrNestingTooDeep},
		{"100,000 levels", `2["a",` + nested(100_000) + "]", Limits{}, ErrNestingTooDeep},
		{"100,000 levels without end", `2["a",` + strings.Repeat("[", 100_000), Limits{}, ErrNestingTooDeep},
		{"100,000 objects without end", `0` + strings.Repeat(`{"a":`, 100_000), Limits{}, ErrNestingTooDeep},
		{"the arguments are the first level", `2["a"]`, Limits{Depth: 1}, nil},
		{"an array on the second of one level", `2["a",[]]`, Limits{Depth: 1}, ErrNestingTooDeep},
		{"an object on the second of one level", `2["a",{}]`, Limits{Depth: 1}, ErrNestingTooDeep},
		{"a value in an object on the second of two levels", `2["a",{"b":1}]`, Limits{Depth: 2}, nil},
		{"objects and arrays count alike", `2["a",{"b":[{}]}]`, Limits{Depth: 3}, ErrNestingTooDeep},
		{"levels side by side do not add up", `2["a",[[]],{"b":{}},[{},[]],[]]`, Limits{Depth: 3}, nil},
		{"the payload of a connect has levels, too", `0{"a":{"b":{}}}`, Limits{Depth: 2}, ErrNestingTooDeep},
		{"the payload of an error has levels, too", `4{"a":[]}`, Limits{Depth: 1}, ErrNestingTooDeep},
		{"brackets in strings are no levels", `2["[[[[{{{{"]`, Limits{Depth: 1}, nil},

		{"65,536 arguments by default", args(1 << 16), Limits{}, nil},
		{"65,537 arguments by default", args(1<<16 + 1), Limits{}, ErrTooManyArgs},
		{"three arguments of three", args(3), Limits{Args: 3}, nil},
		{"four arguments of three", args(4), Limits{Args: 3}, ErrTooManyArgs},
		{"elements of an inner array are no arguments", `2["a",[1,2,3,4]]`, Limits{Args: 2}, nil},
		{"four arguments of an acknowledgement of three", "31[1,2,3,4]", Limits{Args: 3}, ErrTooManyArgs},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Decode([]byte(tc.wire), nil, tc.lim); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestDecodeReturnsViews(t *testing.T) {
	text := []byte(`52-/admin,7["a",{"b":1}]`)
	p, err := Decode(text, nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, view := range append([][]byte{p.Namespace, p.Data}, p.Args...) {
		if !within(view, text) {
			t.Errorf("%q is not in the input", view)
		}
	}
	copy(text[3:], "/other")
	copy(text[bytes.IndexByte(text, '"'):], `"z"`)
	if got := notation(p); got != `BINARY_EVENT /other id=7 attachments=2 "z" | {"b":1}` {
		t.Errorf("after a change of the input: %s", got)
	}
}

func TestDecodeLeavesInputAlone(t *testing.T) {
	for _, v := range readVectors(t) {
		text := []byte(v.wire)
		if _, err := Decode(text, nil, Limits{}); err != nil || string(text) != v.wire {
			t.Errorf("%s became %s, %v", v.wire, text, err)
		}
	}
}

func TestDecodeWithoutPayloadHasNoData(t *testing.T) {
	for _, wire := range []string{"0", "0/admin,", "0/admin", "1", "1/admin,", "012"} {
		p, err := Decode([]byte(wire), nil, Limits{})
		if err != nil || p.Data != nil || p.Args != nil {
			t.Errorf("%s: data %q, args %q, %v", wire, p.Data, p.Args, err)
		}
	}
}

func TestDecodeUsesArgsAgain(t *testing.T) {
	args := make([][]byte, 1, 4)
	args[0] = []byte("from before")
	p, err := Decode([]byte(`2["a",1,2]`), args, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Args) != 3 || &p.Args[0] != &args[0] || string(args[0]) != `"a"` {
		t.Errorf("args %q, first of the memory %q", p.Args, args[0])
	}
	p, err = Decode([]byte(`2["a",1,2,3,4]`), args, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Join(p.Args, []byte(" ")); string(got) != `"a" 1 2 3 4` {
		t.Errorf("more than fit: %s", got)
	}
}

func TestEventNames(t *testing.T) {
	for _, tc := range []struct{ name, raw, want string }{
		{"a plain name", `"message"`, "message"},
		{"an empty name", `""`, ""},
		{"a name in any script", `"grüße 日本 😀"`, "grüße 日本 😀"},
		{"short escapes", `"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{"escapes between text", `"a\tb\u0063d"`, "a\tbcd"},
		{"escapes in both cases", `"\u00Fc\u00fC"`, "üü"},
		{"an escaped zero byte", `"\u0000"`, "\x00"},
		{"a pair of surrogates", `"\ud83d\ude00"`, "😀"},
		{"the first pair", `"\ud800\udc00"`, "\U00010000"},
		{"the last pair", `"\udbff\udfff"`, "\U0010ffff"},
		{"a lone high surrogate", `"\ud83d"`, "\ufffd"},
		{"a lone low surrogate", `"\ude00"`, "\ufffd"},
		{"surrogates in the wrong order", `"\ude00\ud83d"`, "\ufffd\ufffd"},
		{"a high surrogate in front of text", `"\ud83dx12345"`, "\ufffdx12345"},
		{"a high surrogate in front of another escape", `"\ud83d\nxxxx"`, "\ufffd\nxxxx"},
		{"a high surrogate in front of a letter", `"\ud83d\u0041"`, "\ufffdA"},
		{"two high surrogates and a low one", `"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{"invalid UTF-8 passes", "\"a\xff\"", "a\xff"},
		{"invalid UTF-8 beside an escape passes", "\"\\n\xff\"", "\n\xff"},
		{"an integer", "12", "12"},
		{"zero", "0", "0"},
		{"any other number as it is written", "-1.50e+3", "-1.50e+3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := []byte(tc.raw)
			got, err := EventName(raw)
			if err != nil || string(got) != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
			if view := within(got, raw); view != !strings.Contains(tc.raw, `\`) {
				t.Errorf("a view of the input: %v", view)
			}
			if string(raw) != tc.raw {
				t.Errorf("the input became %q", raw)
			}
		})
	}
	for _, raw := range []string{"", `"`} {
		if _, err := EventName([]byte(raw)); !errors.Is(err, ErrInvalidPayload) {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}

func TestErrorsAreDistinct(t *testing.T) {
	all := []error{
		ErrUnknownType, ErrInvalidPayload, ErrInvalidID, ErrIllegalAttachments, ErrTooManyAttachments,
		ErrPlaintextDuringReassembly, ErrUnexpectedBinary, ErrNestingTooDeep, ErrTooManyArgs, ErrTooLarge,
	}
	var texts []string
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%q is %q", a, b)
			}
		}
		if !strings.HasPrefix(a.Error(), "socketio: ") {
			t.Errorf("%q does not name its package", a)
		}
		texts = append(texts, a.Error())
	}
	slices.Sort(texts)
	if n := len(slices.Compact(texts)); n != len(all) {
		t.Errorf("%d texts for %d errors", n, len(all))
	}
}
