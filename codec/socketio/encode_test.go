package socketio

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestHeaders(t *testing.T) {
	for _, tc := range []struct {
		name        string
		t           PacketType
		ns          string
		id          uint64
		hasID       bool
		attachments int
		want        string
	}{
		{"only a type", Event, "/", 0, false, 0, "2"},
		{"a namespace", Event, "/admin", 0, false, 0, "2/admin,"},
		{"the main namespace with a query is named", Event, "/?a=b", 0, false, 0, "2/?a=b,"},
		{"an id", Event, "/", 12, true, 0, "212"},
		{"an id of zero", Ack, "/", 0, true, 0, "30"},
		{"the largest id", Ack, "/", math.MaxUint64, true, 0, "318446744073709551615"},
		{"an id that is none", Event, "/", 12, false, 0, "2"},
		{"a namespace and an id", Ack, "/admin", 12, true, 0, "3/admin,12"},
		{"a count", BinaryEvent, "/", 0, false, 1, "51-"},
		{"a count on a text packet is left out", Event, "/", 0, false, 1, "2"},
		{"more attachments than are accepted", BinaryEvent, "/", 0, false, 11, "511-"},
		{"everything", BinaryAck, "/admin", 13, true, 2, "62-/admin,13"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := AppendHeader([]byte("x"), tc.t, tc.ns, tc.id, tc.hasID, tc.attachments)
			if string(got) != "x"+tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestWholePackets(t *testing.T) {
	for _, tc := range []struct {
		name      string
		got       []byte
		want, say string
	}{
		{
			"connected", AppendConnect(nil, "/", "wZX3oN0bSVIhsaknAAAI", ""),
			`0{"sid":"wZX3oN0bSVIhsaknAAAI"}`, `CONNECT / {"sid":"wZX3oN0bSVIhsaknAAAI"}`,
		},
		{
			"connected, recoverable", AppendConnect(nil, "/", "a", "b"),
			`0{"sid":"a","pid":"b"}`, `CONNECT / {"sid":"a","pid":"b"}`,
		},
		{
			"connected to a namespace", AppendConnect(nil, "/admin", "a", ""),
			`0/admin,{"sid":"a"}`, `CONNECT /admin {"sid":"a"}`,
		},
		{"disconnected", AppendDisconnect(nil, "/"), "1", "DISCONNECT /"},
		{"disconnected from a namespace", AppendDisconnect(nil, "/admin"), "1/admin,", "DISCONNECT /admin"},
		{
			"refused", AppendConnectError(nil, "/nope", "Invalid namespace", nil),
			`4/nope,{"message":"Invalid namespace"}`, `CONNECT_ERROR /nope {"message":"Invalid namespace"}`,
		},
		{
			"refused with data", AppendConnectError(nil, "/", "no", []byte(`{"code":[7]}`)),
			`4{"message":"no","data":{"code":[7]}}`, `CONNECT_ERROR / {"message":"no","data":{"code":[7]}}`,
		},
		{
			"refused with data that is null", AppendConnectError(nil, "/", "", []byte("null")),
			`4{"message":"","data":null}`, `CONNECT_ERROR / {"message":"","data":null}`,
		},
		{
			"refused with a message that needs escapes", AppendConnectError(nil, "/", "\"no\"\n", nil),
			`4{"message":"\"no\"\n"}`, `CONNECT_ERROR / {"message":"\"no\"\n"}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if string(tc.got) != tc.want {
				t.Errorf("got %q, want %q", tc.got, tc.want)
			}
			p, err := Decode(tc.got, nil, Limits{})
			if err != nil || notation(p) != tc.say {
				t.Errorf("decoded to %q, %v", notation(p), err)
			}
		})
	}
}

func TestEncodersKeepWhatIsThere(t *testing.T) {
	dst := AppendConnect([]byte("x"), "/", "a", "")
	dst = AppendDisconnect(dst, "/b")
	dst = AppendConnectError(dst, "/", "c", nil)
	dst = AppendString(dst, "d")
	dst = AppendPlaceholder(dst, 0)
	if want := `x0{"sid":"a"}1/b,4{"message":"c"}"d"{"_placeholder":true,"num":0}`; string(dst) != want {
		t.Errorf("got %s", dst)
	}
}

func TestStrings(t *testing.T) {
	for _, tc := range []struct{ name, s, want string }{
		{"empty", "", `""`},
		{"plain", "hello", `"hello"`},
		{"quotes and backslashes", `a"b\c`, `"a\"b\\c"`},
		{"a slash needs no escape", "a/b", `"a/b"`},
		{"short escapes", "\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"other control characters", "\x00\x01\x0b\x0e\x1b\x1e\x1f", `"\u0000\u0001\u000b\u000e\u001b\u001e\u001f"`},
		{"a delete character needs no escape", "\x7f", "\"\x7f\""},
		{"what HTML gives a meaning needs no escape", "<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		{"line separators need no escape", "\u2028\u2029", "\"\u2028\u2029\""},
		{"any script", "grüße 日本 😀", `"grüße 日本 😀"`},
		{"a byte order mark", "\ufeffa", "\"\ufeffa\""},
		{"a replacement character stays", "a\ufffdb", "\"a\ufffdb\""},
		{"one invalid byte", "a\xffb", "\"a\ufffdb\""},
		{"each invalid byte for itself", "\xff\xfe", "\"\ufffd\ufffd\""},
		{"a rune cut short at the end", "a\xe6\x97", "\"a\ufffd\ufffd\""},
		{"a rune cut short in the middle", "\xe6\x97a", "\"\ufffd\ufffda\""},
		{"a surrogate in UTF-8", "\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},
		{"a longer form than needed", "\xc0\xaf", "\"\ufffd\ufffd\""},
		{"an invalid byte beside an escape", "\n\xff\n", "\"\\n\ufffd\\n\""},
		{"escapes in a row", "\n\n\n", `"\n\n\n"`},
		{"an escape at both ends", "\na\n", `"\na\n"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := AppendString(nil, tc.s)
			if string(got) != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			var says string
			if err := json.Unmarshal(got, &says); err != nil || says != strings.ToValidUTF8(says, "") || says != string([]rune(tc.s)) {
				t.Errorf("it says %q, %v", says, err)
			}
			name, err := EventName(got)
			if err != nil || string(name) != says {
				t.Errorf("as a name %q, %v", name, err)
			}
		})
	}
}

// TestStringsOfOneByte compares with the standard library, which writes these
// the same but for what it escapes for HTML.
func TestStringsOfOneByte(t *testing.T) {
	for c := range 128 {
		s := string(rune(c))
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if c == '<' || c == '>' || c == '&' {
			want = []byte(`"` + s + `"`)
		}
		if got := AppendString(nil, s); !bytes.Equal(got, want) {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}
