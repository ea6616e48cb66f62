package socketio

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestReferencePackets goes through what is known of the reference's packets, by line. Its
// bytes are made of what they say, and say it.
func TestReferencePackets(t *testing.T) {
	for _, tc := range []struct{ name, wire, says string }{
		{"S2.3: connect", "0", "CONNECT /"},
		{"S2.3: connect to a namespace", "0/admin,", "CONNECT /admin"},
		{"S2.3: connect with auth data", `0{"token":"t"}`, `CONNECT / {"token":"t"}`},
		{"S2.3: connect to a namespace with auth data", `0/admin,{"token":"t"}`, `CONNECT /admin {"token":"t"}`},
		{"S2.3: disconnect", "1", "DISCONNECT /"},
		{"S2.3: disconnect from a namespace", "1/admin,", "DISCONNECT /admin"},
		{"S2.3: event", `2["a",1]`, `EVENT / "a" | 1`},
		{"S2.3: event with id", `2/admin,12["a"]`, `EVENT /admin id=12 "a"`},
		{"S2.3: acknowledgement", "3/admin,12[]", "ACK /admin id=12"},
		{"S2.3: acknowledgement with an argument", `312["k"]`, `ACK / id=12 "k"`},
		{"S2.3: error", `4{"message":"Not authorized"}`, `CONNECT_ERROR / {"message":"Not authorized"}`},
		{"S2.3: error of a namespace", `4/nope,{"message":"Invalid namespace"}`, `CONNECT_ERROR /nope {"message":"Invalid namespace"}`},
		{"S2.3: binary event", `51-["a",{"_placeholder":true,"num":0}]`, `BINARY_EVENT / attachments=1 "a" | {"_placeholder":true,"num":0}`},
		{
			"S2.3: binary event with two attachments", `52-/admin,7["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
			`BINARY_EVENT /admin id=7 attachments=2 "a" | {"_placeholder":true,"num":0} | {"_placeholder":true,"num":1}`,
		},
		{"S2.3: binary acknowledgement", `61-/admin,13[{"_placeholder":true,"num":0}]`, `BINARY_ACK /admin id=13 attachments=1 {"_placeholder":true,"num":0}`},
		{"S2.8: legal names: error", `2["error"]`, `EVENT / "error"`},
		{"S2.8: legal names: connection", `2["connection"]`, `EVENT / "connection"`},
		{"S2.8: legal names: none", `2[""]`, `EVENT / ""`},
		{"S2.8: legal names: a number", `2[1]`, `EVENT / 1`},
		{"S2.10: ten attachments", `510-["a"]`, `BINARY_EVENT / attachments=10 "a"`},
		{"S2.14: an id beyond 2^53 loses nothing", `29007199254740993["a"]`, `EVENT / id=9007199254740993 "a"`},
		{"S2.17: an integer as name", "2[1,2]", "EVENT / 1 | 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Decode([]byte(tc.wire), nil, Limits{})
			if err != nil || notation(p) != tc.says {
				t.Errorf("got %s, %v", notation(p), err)
			}
			if wire := encodeNotation(t, tc.says); string(wire) != tc.wire {
				t.Errorf("encoded to %s", wire)
			}
		})
	}
}

// TestReferenceDecoder shows what the decoder takes and refuses, by line. Where we differ from
// the reference, which is lenient in places (S2.14), the name says so.
func TestReferenceDecoder(t *testing.T) {
	for _, tc := range []struct {
		name, wire, says string
		err              error
	}{
		{"S2.6: a namespace ends with the packet", "0/nope", "CONNECT /nope", nil},
		{"S2.6: the main namespace by name", `2/,["a"]`, `EVENT / "a"`, nil},
		{"S2.6: leaving the main namespace by name", "1/", "DISCONNECT /", nil},
		{"S2.6: a namespace without comma", `2/["a"]`, "", ErrInvalidPayload}, // of `/["a"]`, and without payload; see S2.14
		{"S2.6: a connect without comma", `0/["a"]`, `CONNECT /["a"]`, nil},
		{"S2.6: an id behind the namespace", `2/a,7["a"]`, `EVENT /a id=7 "a"`, nil},

		{"S2.7: connect with an array", "0[]", "", ErrInvalidPayload},
		{"S2.7: connect with a string", `0"a"`, "", ErrInvalidPayload},
		{"S2.7: connect with null", "0null", "", ErrInvalidPayload},
		{"S2.7: connect with text", "0nope,", "", ErrInvalidPayload},
		{"S2.7: disconnect with payload", "1{}", "", ErrInvalidPayload},
		{"S2.7: event with an object", "2{}", "", ErrInvalidPayload},
		{"S2.7: event without name", "2[]", "", ErrInvalidPayload},
		{"S2.7: true as name", "2[true]", "", ErrInvalidPayload},
		{"S2.7: null as name", "2[null]", "", ErrInvalidPayload},
		{"S2.7: an object as name", "2[{}]", "", ErrInvalidPayload},
		{"S2.7: a reserved name", `2["connect"]`, "", ErrInvalidPayload},
		{"S2.7: acknowledgement with an object", "30{}", "", ErrInvalidPayload},
		{"S2.7: acknowledgement with a string", `3"x"`, "", ErrInvalidPayload},
		{"S2.7: error with an array", "4[]", "", ErrInvalidPayload},
		{"S2.7: error with nothing", "4", "", ErrInvalidPayload},
		{"S2.7: error with a number", "41", "", ErrInvalidPayload},
		{"S2.7: error with a string", `4"text"`, `CONNECT_ERROR / "text"`, nil},
		{"S2.7: broken JSON", `2["a"`, "", ErrInvalidPayload},
		{"S2.7: text after the JSON", `2["a"]x`, "", ErrInvalidPayload},
		{"S2.7: a negative id", `2-1["a"]`, "", ErrInvalidPayload},
		{"S2.7: a fraction as id", `21.5["a"]`, "", ErrInvalidPayload},

		{"S2.9: type 9", `9["a"]`, "", ErrUnknownType},
		{"S2.9: type 7", "7", "", ErrUnknownType},
		{"S2.9: no digit", `x["a"]`, "", ErrUnknownType},

		{"S2.10: no count", "5", "", ErrIllegalAttachments},
		{"S2.10: no dash", "51", "", ErrIllegalAttachments},
		{"S2.10: a letter", "5a-", "", ErrIllegalAttachments},
		{"S2.10: a fraction", "51.23-", "", ErrIllegalAttachments},
		{"S2.10: a word", "5woooot", "", ErrIllegalAttachments},
		{"S2.10: zero", `50-["a"]`, "", ErrIllegalAttachments},
		{"S2.10: eleven", `511-["a"]`, "", ErrTooManyAttachments},
		{"S2.10: zero of an acknowledgement", "60-1[]", "", ErrIllegalAttachments},

		{"S2.12: placeholders in an event of text are objects", `2["a",{"_placeholder":true,"num":7}]`, `EVENT / "a" | {"_placeholder":true,"num":7}`, nil},

		{"S2.14: an event without payload is refused", "2", "", ErrInvalidPayload},
		{"S2.14: an acknowledgement without anything is refused", "3", "", ErrInvalidPayload},
		{"S2.14: an acknowledgement without id is refused", "3[]", "", ErrInvalidID},
		{"S2.14: a space is no id", `2 ["a"]`, "", ErrInvalidPayload},
		{"S2.14: an exponent is no count", `51e0-["a"]`, "", ErrIllegalAttachments},
		{"S2.14: hexadecimal is no count", `50x1-["a"]`, "", ErrIllegalAttachments},
		{"S2.14: a space is no part of a count", `5 1-["a"]`, "", ErrIllegalAttachments},
		{"S2.14: an id beyond 64 bits is refused", `2100000000000000000000["a"]`, "", ErrInvalidID},
		{"S2.14: an id of a thousand digits is refused", "2" + strings.Repeat("1", 1000) + `["a"]`, "", ErrInvalidID},
		{"S2.14: an empty message is refused", "", "", ErrUnknownType},

		{"S16.1: 10,000 levels are refused", `2["a",` + nested(10_000) + "]", "", ErrNestingTooDeep},
		{"S16.1: 10,000 objects are refused", `2["a",` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + "]", "", ErrNestingTooDeep},
		{"S16.1: 10,000 levels in a binary packet are refused", `51-["a",` + nested(10_000) + "]", "", ErrNestingTooDeep},
		{"S16.1: 10,000 levels of auth data are refused", `0{"a":` + nested(10_000) + "}", "", ErrNestingTooDeep},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Decode([]byte(tc.wire), nil, Limits{})
			if !errors.Is(err, tc.err) || err == nil && notation(p) != tc.says {
				t.Errorf("got %s, %v", notation(p), err)
			}
		})
	}
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		t.Run("S2.8: "+name, func(t *testing.T) {
			if _, err := Decode(fmt.Appendf(nil, "2[%q]", name), nil, Limits{}); !errors.Is(err, ErrInvalidPayload) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestReferenceTypes shows S2.2: what counts as what.
func TestReferenceTypes(t *testing.T) {
	for wire, is := range map[string]func(PacketType) bool{`2["a"]`: PacketType.IsEvent, `51-["a"]`: PacketType.IsEvent, "31[]": PacketType.IsAck, "61-1[]": PacketType.IsAck} {
		if p, err := Decode([]byte(wire), nil, Limits{}); err != nil || !is(p.Type) {
			t.Errorf("%s: got %v, %v", wire, p.Type, err)
		}
	}
}

// TestLargeArrays: their elements cost nothing but the look at them.
func TestLargeArrays(t *testing.T) {
	wire := []byte(`2["a",[0` + strings.Repeat(",0", 999_999) + "]]")
	args := make([][]byte, 0, 2)
	if n := testing.AllocsPerRun(1, func() {
		if p, err := Decode(wire, args, Limits{}); err != nil || len(p.Args) != 2 {
			t.Errorf("%d arguments, %v", len(p.Args), err)
		}
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	wire = []byte(`2["a"` + strings.Repeat(",0", 1_000_000) + "]")
	if _, err := Decode(wire, nil, Limits{}); !errors.Is(err, ErrTooManyArgs) {
		t.Errorf("a million arguments: got %v", err)
	}
}
