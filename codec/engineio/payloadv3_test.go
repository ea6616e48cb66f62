package engineio

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeTextV3(t *testing.T) {
	for _, tc := range []struct {
		name, wire, want string
		err              error
	}{
		{"data on a packet that needs none", "6data", "noop data", nil},
		{"E66 a separator is data", "4a\x1eb", "message a\x1eb", nil},
		{"E66 a message without data", "4", "message", nil},
		{"base64 of URLs without padding", "b4-_-_AQ", "message binary fbffbf01", nil},
		{"what is no base64 is skipped", "b4 A*Q\nI\xffD", "message binary 010203", nil},
		{"E66 base64 without a type has no effect", "b", "unknown binary", nil},
		{"E66 base64 of an unknown type has no effect", "b7AQID", "unknown binary", nil},
		{"E66 base64 as in revision 4 has no effect", "bAQID", "unknown binary", nil},
		{"two b", "bb4AQID", "unknown binary", nil},
		{"nothing", "", "", ErrEmptyPacket},
		{"an unknown type", "7", "", ErrUnknownType},
		{"a type in binary", "\x04a", "", ErrUnknownType},
		{"a length", ":4a", "", ErrUnknownType},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := DecodeTextV3([]byte(tc.wire))
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if got := notation(p); err == nil && got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if unknown := err == nil && p.Type == Unknown; unknown && (!p.Binary || p.Data != nil) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// E65, E66: binary WebSocket messages.
func TestBinaryPacketsV3(t *testing.T) {
	for _, tc := range []struct{ name, wire, want string }{
		{"a message", "04 01 02 03", "message binary 010203"},
		{"an empty message", "04", "message binary"},
		{"a ping", "02", "ping binary"},
		{"an open packet", "00", "open binary"},
		{"the last type", "06 ff", "noop binary ff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wire := unhex(t, tc.wire)
			p := DecodeBinaryV3(wire)
			if got := notation(p); got != tc.want || !p.Binary {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if !within(p.Data, wire) {
				t.Error("the data is no view")
			}
			if got := AppendBinaryPacketV3([]byte("x"), p); string(got) != "x"+string(wire) {
				t.Errorf("encoded to %x", got)
			}
		})
	}
	for _, wire := range []string{"", "07", "34 01", "ff", "62 34"} {
		if p := DecodeBinaryV3(unhex(t, wire)); p.Type != Unknown || !p.Binary || p.Data != nil {
			t.Errorf("%s: got %+v", wire, p)
		}
	}
}

func TestTextPayloadV3EndsAtFirstBadPacket(t *testing.T) {
	digits := strings.Repeat("9", 5000)
	for _, tc := range []struct {
		name, payload string
		limit         int
		before        string
		want          error
	}{
		{"E94 an empty payload", "", 9, "", ErrEmptyPacket},
		{"E94 an empty packet has no effect", "0:", 9, "", nil},
		{"E94 an empty packet in front", "0:2:4a", 9, "message a", nil},
		{"E94 empty packets behind", "2:4a0:0:", 9, "message a", nil},
		{"an empty packet counts", "0:0:2:4a", 2, "", ErrTooManyPackets},
		{"as many packets as allowed", "2:4a2:4b", 2, "message a | message b", nil},
		{"one packet more than allowed", "2:4a2:4b2:4c", 2, "message a | message b", ErrTooManyPackets},
		{"too many count before they are looked at", "2:4ax", 1, "message a", ErrTooManyPackets},
		{"no packet is allowed", "2:4a", 0, "", ErrTooManyPackets},
		{"less than no packet is allowed", "2:4a", -1, "", ErrTooManyPackets},

		{"E94 no length", ":4a", 9, "", ErrInvalidLength},
		{"E94 no length behind a packet", "2:4a:4b", 9, "message a", ErrInvalidLength},
		{"E94 no colon", "2", 9, "", ErrInvalidLength},
		{"E94 no colon in front of the packet", "24a", 9, "", ErrInvalidLength},
		{"E94 no colon behind a packet", "2:4a2", 9, "message a", ErrInvalidLength},
		{"E94 junk in front", "x2:4a", 9, "", ErrInvalidLength},
		{"E94 junk between", "2:4a;2:4b", 9, "message a", ErrInvalidLength},
		{"E94 a packet of revision 4", "4hello", 9, "", ErrInvalidLength},
		{"a line end behind", "2:4a\n", 9, "message a", ErrInvalidLength},
		{"a space in front of the length", " 2:4a", 9, "", ErrInvalidLength},
		{"a space behind the length", "2 :4a", 9, "", ErrInvalidLength},
		{"a sign", "+2:4a", 9, "", ErrInvalidLength},
		{"a negative length", "-2:4a", 9, "", ErrInvalidLength},
		{"a fraction", "2.0:4a", 9, "", ErrInvalidLength},
		{"an exponent", "2e0:4a", 9, "", ErrInvalidLength},
		{"a length in hexadecimal", "0x2:4a", 9, "", ErrInvalidLength},
		{"digits that are not ASCII", "２:4a", 9, "", ErrInvalidLength},
		{"the byte behind the digits", "2::4a", 9, "", ErrUnknownType},
		{"zeros in front of the length", "0002:4a", 9, "message a", nil},
		{"thousands of zeros", strings.Repeat("0", 5000) + "2:4a", 9, "message a", nil},

		{"E94 a length beyond the payload", "3:4a", 9, "", ErrInvalidLength},
		{"a length of bytes is beyond, too", "4:4€", 9, "", ErrInvalidLength},
		{"a length that wraps around in 64 bits", "18446744073709551618:4a", 9, "", ErrInvalidLength},
		{"a length that wraps around in 63 bits", "9223372036854775810:4a", 9, "", ErrInvalidLength},
		{"thousands of digits", digits + ":4a", 9, "", ErrInvalidLength},
		{"thousands of digits and nothing", digits, 9, "", ErrInvalidLength},
		{"a length that is too short", "2:4ab", 9, "message a", ErrInvalidLength},
		{"a length that eats the next packet's", "3:4a2:4b", 9, "message a2", ErrInvalidLength},
		{"a length that cuts a surrogate pair", "2:4😀", 9, "", ErrInvalidLength},
		{"a length that cuts the second pair", "4:4😀😀", 9, "", ErrInvalidLength},
		{"a length that cuts a pair in a later word", "12:412345678😀😀", 9, "", ErrInvalidLength},
		{"a length that cuts a pair across words", "8:4123456😀12345678", 9, "", ErrInvalidLength},

		{"E94 an unknown type", "2:7a", 9, "", ErrUnknownType},
		{"E94 an unknown type behind a packet", "2:4a2:xa", 9, "message a", ErrUnknownType},
		{"base64 without a type has no effect", "1:b2:4a", 9, "unknown binary | message a", nil},
		{"base64 of an unknown type has no effect", "5:bAQID2:4a", 9, "unknown binary | message a", nil},

		{"E94 invalid UTF-8", "2:4\xff", 9, "", ErrInvalidUTF8},
		{"E94 a lone surrogate", "2:4\xed\xa0\xbd", 9, "", ErrInvalidUTF8},
		{"E94 a surrogate pair in UTF-8", "3:4\xed\xa0\xbd\xed\xb8\x80", 9, "", ErrInvalidUTF8},
		{"E94 a character that ends early", "2:4\xe2\x82", 9, "", ErrInvalidUTF8},
		{"E94 a character in overlong form", "2:4\xc0\xaf", 9, "", ErrInvalidUTF8},
		{"E94 beyond the last character", "3:4\xf4\x90\x80\x80", 9, "", ErrInvalidUTF8},
		{"E94 bytes of no character behind", "2:4a\x80\x80", 9, "message a", ErrInvalidLength},
		{"E94 bytes of no character", "3:4€a\x80\x80", 9, "", ErrInvalidUTF8},
		{"E94 invalid UTF-8 behind a packet", "2:4a2:4\xff2:4b", 9, "message a", ErrInvalidUTF8},
		{"invalid UTF-8 in base64", "4:b4A\xff", 9, "", ErrInvalidUTF8},
		{"only bytes in the middle of characters", "1:\x80\x80\x80", 9, "", ErrInvalidUTF8},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkPayload(t, textPayloads, tc.payload, tc.limit, tc.before, tc.want)
		})
	}
}

func TestBinaryPayloadV3EndsAtFirstBadPacket(t *testing.T) {
	for _, tc := range []struct {
		name, payload string // in hexadecimal digits
		limit         int
		before        string
		want          error
	}{
		{"E94 an empty payload", "", 9, "", nil},
		{"E94 an empty text", "00 00 ff", 9, "", ErrEmptyPacket},
		{"no data and no type has no effect", "01 00 ff 00 02 ff 34 61", 9, "unknown binary | message a", nil},
		{"E66 an unknown type in binary has no effect", "01 02 ff 09 61 00 02 ff 34 61", 9, "unknown binary | message a", nil},
		{"a type as a digit in binary has no effect", "01 02 ff 34 61", 9, "unknown binary", nil},
		{"E94 an unknown type in text", "00 02 ff 37 61", 9, "", ErrUnknownType},
		{"E94 an unknown type behind a packet", "00 02 ff 34 61 00 02 ff 04 61", 9, "message a", ErrUnknownType},
		{"base64 as text", "00 06 ff 62 34 41 51 49 44", 9, "message binary 010203", nil},
		{"neither text nor binary", "02 02 ff 34 61", 9, "", ErrUnknownType},
		{"a text payload", "32 3a 34 61", 9, "", ErrUnknownType},
		{"E94 no 0xff", "00 02", 9, "", ErrInvalidLength},
		{"E94 only text", "00", 9, "", ErrInvalidLength},
		{"E94 only binary behind a packet", "00 02 ff 34 61 01", 9, "message a", ErrInvalidLength},
		{"E94 no 0xff in front of the packet", "00 02 34 61", 9, "", ErrInvalidLength},
		{"E94 no length", "00 ff 34 61", 9, "", ErrInvalidLength},
		{"E94 a digit beyond 9", "00 0a ff 34 61 61 61 61 61 61 61 61 61", 9, "", ErrInvalidLength},
		{"digits in ASCII", "00 32 ff 34 61", 9, "", ErrInvalidLength},
		{"zeros in front of the length", "00 00 00 02 ff 34 61", 9, "message a", nil},
		{"E94 a text longer than the payload", "00 03 ff 34 61", 9, "", ErrInvalidLength},
		{"E94 binary longer than the payload", "01 03 ff 04 61", 9, "", ErrInvalidLength},
		{"a length as long as the payload", "01 05 ff 04 61", 9, "", ErrInvalidLength},
		{"thousands of digits", "01" + strings.Repeat("09", 5000) + "ff 04", 9, "", ErrInvalidLength},
		{"a length that wraps around", "01 01 08 04 04 06 07 04 04 00 07 03 07 00 09 05 05 01 06 01 08 ff 04 61", 9, "", ErrInvalidLength},
		{"E94 invalid UTF-8", "00 02 ff 34 ff", 9, "", ErrInvalidUTF8},
		{"E94 a lone surrogate", "00 04 ff 34 ed a0 80", 9, "", ErrInvalidUTF8},
		{"E94 a length that cuts a character", "00 02 ff 34 e2 82 ac", 9, "", ErrInvalidUTF8},
		{"as many packets as allowed", "01 01 ff 04 01 01 ff 04", 2, "message binary | message binary", nil},
		{"one packet more than allowed", "01 01 ff 04 01 01 ff 04", 1, "message binary", ErrTooManyPackets},
		{"too many count before they are looked at", "01 01 ff 04 02", 1, "message binary", ErrTooManyPackets},
		{"no packet is allowed", "01 01 ff 04", 0, "", ErrTooManyPackets},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkPayload(t, binaryPayloads, string(unhex(t, tc.payload)), tc.limit, tc.before, tc.want)
		})
	}
}

// checkPayload reads a payload and looks at its packets, its error, and that
// it stays at its end.
func checkPayload(t *testing.T, form v3Form, payload string, limit int, before string, want error) {
	t.Helper()
	r := form.read([]byte(payload), limit)
	var packets []Packet
	for {
		p, err := r.Next()
		if err != nil {
			if want == nil {
				want = io.EOF
			}
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			break
		}
		packets = append(packets, p)
	}
	if got := notation(packets...); got != before {
		t.Errorf("packets %q, want %q", got, before)
	}
	if !errors.Is(want, ErrTooManyPackets) {
		want = io.EOF
	}
	for range 3 {
		if p, err := r.Next(); !errors.Is(err, want) {
			t.Errorf("got %v, %v behind the end, want %v", p, err, want)
		}
	}
}

func TestPayloadReaderV3GivesViews(t *testing.T) {
	for _, form := range []v3Form{textPayloads, binaryPayloads} {
		payload := form.payload([]Packet{
			{Type: Message, Data: []byte("first €")},
			{Type: Message, Binary: true, Data: []byte{1, 2, 3}},
			{Type: Message, Data: []byte("last")},
		})
		payload = append(payload, "behind"...)[:len(payload)]
		packets, err := readAll(form.read(payload, 3))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			if !within(p.Data, payload) {
				t.Errorf("%s: %q is not in the payload", form.name, p.Data)
			}
			_ = append(p.Data, "overwritten"...) // must not write over what follows
		}
		if got := notation(packets...); got != "message first € | message binary 010203 | message last" {
			t.Errorf("%s: got %q", form.name, got)
		}
		if tail := string(payload[:len(payload)+6][len(payload):]); tail != "behind" {
			t.Errorf("%s: behind the payload is %q", form.name, tail)
		}
	}
}

// What a session puts into one payload is read back as the same packets, also
// text that is not UTF-8: it would make lengths lie.
func TestPayloadV3RepairsText(t *testing.T) {
	for _, text := range []string{
		"\xff", "a\xe2\x82", "\xe2\x82b", "\xed\xa0\xbd\xed\xb8\x80", "\xf0\x9f\x98", "€\x80😀\xf0", "12345678€\xff12345678",
	} {
		packets := []Packet{{Type: Message, Data: []byte(text)}, {Type: Message, Binary: true, Data: []byte{1}}, {Type: Noop}}
		// Strings of Go turn into runes in the same way.
		want := "message " + string([]rune(text)) + " | message binary 01 | noop"
		for _, form := range []v3Form{textPayloads, binaryPayloads} {
			payload := form.payload(packets)
			if form.name == "text" && !utf8.Valid(payload) {
				t.Errorf("%q: the payload %q is not UTF-8", text, payload)
			}
			again, err := readAll(form.read(payload, 3))
			if got := notation(again...); err != nil || got != want {
				t.Errorf("%s %q: got %q, %v; want %q", form.name, text, got, err, want)
			}
		}
	}
}

func TestEncodersV3KeepWhatIsThere(t *testing.T) {
	text, binary := Packet{Type: Message, Data: []byte("€")}, Packet{Type: Message, Binary: true, Data: []byte{1}}
	for _, tc := range []struct {
		name   string
		encode func(dst []byte, p Packet) []byte
		want   string
	}{
		{"packets", AppendPacketV3, "x4€b4AQ=="},
		{"binary packets", AppendBinaryPacketV3, "x\x04€\x04\x01"},
		{"payload", AppendPayloadV3, "x2:4€6:b4AQ=="},
		{"binary payload", AppendBinaryPayloadV3, "x\x00\x04\xff4€\x01\x02\xff\x04\x01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.encode(tc.encode([]byte("x"), text), binary); string(got) != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if string(text.Data) != "€" || string(binary.Data) != "\x01" {
				t.Error("the data was changed; it may be shared")
			}
		})
	}
}

// Lengths of one digit and of many, at each place where a digit is added.
func TestPayloadV3OfAllLengths(t *testing.T) {
	data := []byte(strings.Repeat("0123456789abcde\n", 640))
	for _, n := range []int{0, 1, 7, 8, 9, 10, 31, 32, 33, 97, 98, 99, 100, 998, 999, 1000, 9998, 9999, 10000} {
		packets := []Packet{
			{Type: Message, Data: data[:n]},
			{Type: Message, Binary: true, Data: data[:n]},
			{Type: Message, Data: append([]byte("😀"), data[:n]...)},
		}
		for _, form := range []v3Form{textPayloads, binaryPayloads} {
			again, err := readAll(form.read(form.payload(packets), 3))
			if err != nil || notation(again...) != notation(packets...) {
				t.Errorf("%s of %d bytes: %v", form.name, n, err)
			}
		}
	}
}
