package engineio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
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

func TestPacketTypeNames(t *testing.T) {
	for pt, want := range map[PacketType]string{
		Open: "open", Close: "close", Ping: "ping", Pong: "pong", Message: "message",
		Upgrade: "upgrade", Noop: "noop", '7': "unknown", 0: "unknown", 'b': "unknown", 255: "unknown",
	} {
		if got := pt.String(); got != want {
			t.Errorf("%q is %q, want %q", byte(pt), got, want)
		}
	}
}

func TestDecodeTextAcceptsMore(t *testing.T) {
	for _, tc := range []struct{ name, wire, want string }{
		{"data on a packet that needs none", "6data", "noop data"},
		{"a separator is data outside of a payload", "4a\x1eb", "message a\x1eb"},
		{"invalid UTF-8 is left to the transport", "4\xff", "message \xff"},
		{"zero bytes", "4\x00", "message \x00"},
		{"base64 of URLs", "b-_-_", "message binary fbffbf"},
		{"both alphabets mixed", "b+_-/", "message binary fbffbf"},
		{"base64 without padding, one byte over", "bAQIDBA", "message binary 01020304"},
		{"base64 without padding, two bytes over", "bAQIDBAU", "message binary 0102030405"},
		{"base64 with half the padding", "bAQIDBA=", "message binary 01020304"},
		{"a lone base64 digit says nothing", "bA", "message binary"},
		{"a base64 digit too many is dropped", "bAQIDB", "message binary 010203"},
		{"spaces and line ends in base64", "b A\r\nQ\tI D", "message binary 010203"},
		{"what is no base64 is skipped", "bA*Q{I}Dé\xff\x00", "message binary 010203"},
		{"what follows the padding is ignored", "bAQ==AQID", "message binary 01"},
		{"only padding", "b====", "message binary"},
		{"nothing of base64", "b!!!!", "message binary"},
		{"bits beyond the last byte", "bAR==", "message binary 01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := DecodeText([]byte(tc.wire))
			if err != nil {
				t.Fatal(err)
			}
			if got := notation(p); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecodeTextRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, wire string
		want       error
	}{
		{"nothing", "", ErrEmptyPacket},
		{"a type above the last", "7", ErrUnknownType},
		{"the byte below the first type", "/", ErrUnknownType},
		{"a letter", "a", ErrUnknownType},
		{"a capital B", "BAQID", ErrUnknownType},
		{"a space in front", " 4a", ErrUnknownType},
		{"a byte order mark", "\ufeff4a", ErrUnknownType},
		{"a separator", "\x1e", ErrUnknownType},
		{"a zero byte", "\x00", ErrUnknownType},
		{"a type in binary", "\x04a", ErrUnknownType},
		{"invalid UTF-8", "\xff4", ErrUnknownType},
		{"a length as in revision 3", ":4a", ErrUnknownType},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := DecodeText([]byte(tc.wire))
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if p.Type != 0 || p.Binary || p.Data != nil {
				t.Errorf("a packet %v with the error", p)
			}
		})
	}
}

func TestDecodeTextReturnsView(t *testing.T) {
	text := []byte("4hello")
	p, err := DecodeText(text)
	if err != nil || !within(p.Data, text) {
		t.Fatalf("%v, data in the input: %v", err, within(p.Data, text))
	}
	text[1] = 'j'
	if string(p.Data) != "jello" {
		t.Errorf("data %q did not change with the input", p.Data)
	}
}

func TestDecodeTextDecodesBase64InPlace(t *testing.T) {
	text := []byte("baGVsbG8=")
	p, err := DecodeText(text)
	if err != nil || string(p.Data) != "hello" {
		t.Fatalf("%q, %v", p.Data, err)
	}
	if !within(p.Data, text) || string(text[1:6]) != "hello" {
		t.Errorf("input is now %q", text)
	}
}

func TestDecodeBinaryIsMessage(t *testing.T) {
	for _, data := range []string{"", "4", "b", "\x00\xff"} {
		b := []byte(data)
		p := DecodeBinary(b)
		if p.Type != Message || !p.Binary || string(p.Data) != data || !within(p.Data, b) {
			t.Errorf("%q became %v", data, p)
		}
	}
}

func TestAppendPacketKeepsWhatIsThere(t *testing.T) {
	dst := AppendPacket([]byte("x"), Packet{Type: Message, Data: []byte("a")})
	dst = AppendPacket(dst, Packet{Type: Message, Binary: true, Data: []byte{1}})
	dst = AppendPacket(dst, Packet{Type: Ping})
	if string(dst) != "x4abAQ==2" {
		t.Errorf("got %q", dst)
	}
}

func TestBase64OfAllLengths(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for n := range data {
		wire := AppendPacket(nil, Packet{Type: Message, Binary: true, Data: data[:n]})
		if want := "b" + base64.StdEncoding.EncodeToString(data[:n]); string(wire) != want {
			t.Fatalf("%d bytes: got %q, want %q", n, wire, want)
		}
		p, err := DecodeText(wire)
		if err != nil || !p.Binary || !bytes.Equal(p.Data, data[:n]) {
			t.Fatalf("%d bytes: got %x, %v", n, p.Data, err)
		}
	}
}

func TestPayloadEndsAtFirstBadPacket(t *testing.T) {
	for _, tc := range []struct {
		name, payload string
		limit         int
		before        string // the packets before the error
		want          error
	}{
		{"an empty payload", "", 10, "", ErrEmptyPacket},
		{"only a separator", "\x1e", 10, "", ErrEmptyPacket},
		{"a separator in front", "\x1e4a", 10, "", ErrEmptyPacket},
		{"a separator behind", "4a\x1e", 10, "message a", ErrEmptyPacket},
		{"two separators", "4a\x1e\x1e4b", 10, "message a", ErrEmptyPacket},
		{"an unknown type in front", "x\x1e4b", 10, "", ErrUnknownType},
		{"an unknown type in between", "4a\x1ex\x1e4b", 10, "message a", ErrUnknownType},
		{"an unknown type at the end", "4a\x1e4b\x1e9", 10, "message a | message b", ErrUnknownType},
		{"a payload of revision 3", "2:4a", 10, "ping :4a", nil},
		{"the separator's symbol is text", "4a␞4b", 10, "message a␞4b", nil},
		{"as many packets as allowed", "4a\x1e4b", 2, "message a | message b", nil},
		{"one packet more than allowed", "4a\x1e4b\x1e4c", 2, "message a | message b", ErrTooManyPackets},
		{"too many count before they are looked at", "4a\x1ex", 1, "message a", ErrTooManyPackets},
		{"an empty packet counts", "4a\x1e", 1, "message a", ErrTooManyPackets},
		{"no packet is allowed", "4a", 0, "", ErrTooManyPackets},
		{"less than no packet is allowed", "4a", -1, "", ErrTooManyPackets},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packets, err := readPayload(tc.payload, tc.limit)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if got := notation(packets...); got != tc.before {
				t.Errorf("packets %q, want %q", got, tc.before)
			}
		})
	}
}

func TestPayloadReaderStaysAtTheEnd(t *testing.T) {
	r := NewPayloadReader([]byte("4a"), 5)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	}

	r = NewPayloadReader([]byte("4a\x1e4b"), 1)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := r.Next(); !errors.Is(err, ErrTooManyPackets) {
			t.Errorf("got %v", err)
		}
	}
}

func TestPayloadReaderGivesViews(t *testing.T) {
	payload := []byte("4first\x1ebAQID\x1e4last")
	r := NewPayloadReader(payload, 3)
	var packets []Packet
	for p, err := r.Next(); err == nil; p, err = r.Next() {
		if !within(p.Data, payload) {
			t.Errorf("%q is not in the payload", p.Data)
		}
		packets = append(packets, p)
	}
	// What appends to one packet must not write over the next.
	for _, p := range packets[:2] {
		_ = append(p.Data, "overwritten"...)
	}
	if got := notation(packets...); got != "message first | message binary 010203 | message last" {
		t.Errorf("got %q", got)
	}
}

func TestHandshakes(t *testing.T) {
	for _, tc := range []struct {
		name string
		h    Handshake
		want string
	}{
		{
			"with an upgrade",
			Handshake{SID: "FSDjX-WRwSA4zTZMALqx", Upgrades: []string{"websocket"}, PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, MaxPayload: 1_000_000},
			`{"sid":"FSDjX-WRwSA4zTZMALqx","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`,
		},
		{
			"without upgrades",
			Handshake{SID: "a"},
			`{"sid":"a","upgrades":[],"pingInterval":0,"pingTimeout":0,"maxPayload":0}`,
		},
		{
			"with two upgrades",
			Handshake{SID: "a", Upgrades: []string{"websocket", "webtransport"}, MaxPayload: 1},
			`{"sid":"a","upgrades":["websocket","webtransport"],"pingInterval":0,"pingTimeout":0,"maxPayload":1}`,
		},
		{
			"parts of a millisecond are dropped",
			Handshake{SID: "a", PingInterval: 1999 * time.Microsecond, PingTimeout: 999 * time.Microsecond},
			`{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":0,"maxPayload":0}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := AppendHandshake([]byte("0"), tc.h)
			if string(got) != "0"+tc.want {
				t.Errorf("got %s", got)
			}
			var says struct {
				SID                                   string
				Upgrades                              []string
				PingInterval, PingTimeout, MaxPayload int64
			}
			if err := json.Unmarshal(got[1:], &says); err != nil {
				t.Fatal(err)
			}
			if says.SID != tc.h.SID || !slices.Equal(says.Upgrades, tc.h.Upgrades) ||
				says.PingInterval != tc.h.PingInterval.Milliseconds() || says.PingTimeout != tc.h.PingTimeout.Milliseconds() ||
				says.MaxPayload != int64(tc.h.MaxPayload) {
				t.Errorf("it says %+v", says)
			}
		})
	}
}

func TestErrorsNameTheirPackage(t *testing.T) {
	for _, err := range []error{ErrEmptyPacket, ErrUnknownType, ErrTooManyPackets, ErrInvalidLength, ErrInvalidUTF8} {
		if !strings.HasPrefix(err.Error(), "engineio: ") {
			t.Errorf("%q", err)
		}
	}
}
