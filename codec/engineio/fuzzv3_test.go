package engineio

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzDecodeV3(f *testing.F) {
	addWires(f, "packets_v3.txt", func(wire []byte) { f.Add(wire) })
	for _, wire := range []string{"", "\x04\x01\x02", "\x02", "\x07", "b", "b7AQ"} {
		f.Add([]byte(wire))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		b := bytes.Clone(input)
		if p := DecodeBinaryV3(b); p.Type != Unknown && !bytes.Equal(AppendBinaryPacketV3(nil, p), input) || !p.Binary {
			t.Errorf("binary %x became %+v", input, p)
		}
		p, err := DecodeTextV3(b)
		switch {
		case err != nil:
			if !errors.Is(err, ErrEmptyPacket) && !errors.Is(err, ErrUnknownType) {
				t.Errorf("unknown error %v", err)
			}
			return
		case p.Type == Unknown:
			if !p.Binary || p.Data != nil {
				t.Errorf("unknown packet %+v", p)
			}
			return
		case p.Type < Open || p.Type > Noop:
			t.Errorf("type %q", byte(p.Type))
		case !within(p.Data, b):
			t.Error("the data is no view")
		}
		again, err := DecodeTextV3(AppendPacketV3(nil, p))
		if err != nil || notation(again) != notation(p) {
			t.Errorf("%v came back as %v, %v", p, again, err)
		}
	})
}

// fuzzPayloadV3 reads junk, and then again what junk was read as.
func fuzzPayloadV3(t *testing.T, form v3Form, payload []byte, limit int) {
	t.Helper()
	packets, err := readAll(form.read(bytes.Clone(payload), limit))
	if len(packets) > max(limit, 0) {
		t.Fatalf("%d packets, allowed are %d", len(packets), limit)
	}
	size := 0
	for _, p := range packets {
		size += len(p.Data)
		if !p.Binary && !utf8.Valid(p.Data) {
			t.Errorf("text %q is not UTF-8", p.Data)
		}
	}
	if size > len(payload) {
		t.Errorf("%d bytes of data from %d", size, len(payload))
	}
	switch {
	case err == nil, errors.Is(err, ErrInvalidLength), errors.Is(err, ErrInvalidUTF8), errors.Is(err, ErrUnknownType):
	case errors.Is(err, ErrTooManyPackets):
		if len(packets) == 0 && limit > len(payload) {
			t.Errorf("too many packets in %q", payload)
		}
	case !errors.Is(err, ErrEmptyPacket):
		t.Errorf("unknown error %v", err)
	}
	var known []Packet
	for _, p := range packets {
		if p.Type != Unknown {
			known = append(known, p)
		}
	}
	if len(known) == 0 {
		return
	}
	again, err := readAll(form.read(form.payload(known), len(known)))
	if err != nil || notation(again...) != notation(known...) {
		t.Errorf("%q came back as %q, %v", notation(known...), notation(again...), err)
	}
}

func FuzzPayloadV3(f *testing.F) {
	addWires(f, "payloads_v3.txt", func(wire []byte) { f.Add(wire, 100) })
	for _, payload := range []string{"", "0:", "2:4😀", "3:4a", "2:4\xff", "99999999999999999999:4", "1:b5:bAQID", "002:4a"} {
		f.Add([]byte(payload), 2)
	}
	f.Fuzz(func(t *testing.T, payload []byte, limit int) { fuzzPayloadV3(t, textPayloads, payload, limit) })
}

func FuzzBinaryPayloadV3(f *testing.F) {
	for _, v := range readBinaryVectors(f, "binary_payloads_v3.txt") {
		f.Add([]byte(v.wire), 100)
	}
	for _, payload := range []string{"", "\x00\x00\xff", "\x01\x00\xff", "\x02\x01\xff4", "\x00\x02\xff4", "\x01\x09\x09\x09\x09\x09\x09\x09\xff\x04", "\x00\x06\xffb4AQID"} {
		f.Add([]byte(payload), 2)
	}
	f.Fuzz(func(t *testing.T, payload []byte, limit int) { fuzzPayloadV3(t, binaryPayloads, payload, limit) })
}

// FuzzEncodeV3 encodes any data next to other packets, in each form.
func FuzzEncodeV3(f *testing.F) {
	for _, data := range []string{"", "hello", "€", "😀", "\xff", "b4AQID", "2:4a", "\xed\xa0\xbd", "12345678😀12345678😀1"} {
		f.Add([]byte(data), byte(4), true)
		f.Add([]byte(data), byte(2), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind byte, binary bool) {
		p := Packet{Type: Open + PacketType(kind%7), Binary: binary, Data: data}
		packets := []Packet{p, {Type: Message, Data: []byte("€")}, p, {Type: Message, Binary: true, Data: data}, p}
		before := notation(packets...)
		want := before
		if !binary {
			p.Data = []byte(string([]rune(string(data)))) // with U+FFFD for what is not UTF-8
			want = notation(p, packets[1], p, packets[3], p)
		}
		for _, form := range []v3Form{textPayloads, binaryPayloads} {
			again, err := readAll(form.read(form.payload(packets), len(packets)))
			if got := notation(again...); err != nil || got != want {
				t.Errorf("%s: %q came back as %q, %v", form.name, want, got, err)
			}
		}
		if notation(packets...) != before {
			t.Error("the data was changed")
		}
	})
}

// FuzzJSONP reads the script's string with the standard library.
func FuzzJSONP(f *testing.F) {
	for _, payload := range []string{"", "2:4€", `"\/`, "\x00\x1f\x7f", "\u2028\u2029\u2027", "\xff", "\xe2\x80", "\xe2\x80\xa8\xe2", "12345678\"12345678\\12345678\n"} {
		f.Add([]byte(payload), []byte("12ab3"))
	}
	f.Fuzz(func(t *testing.T, payload, index []byte) {
		script := string(AppendJSONP(nil, index, payload))
		digits := noDigits.ReplaceAllString(string(index), "")
		literal, ok := strings.CutPrefix(script, "___eio["+digits+"](")
		if !ok || !strings.HasSuffix(literal, ");") {
			t.Fatalf("got %q", script)
		}
		literal = strings.TrimSuffix(literal, ");")
		var says string
		if err := json.Unmarshal([]byte(literal), &says); err != nil {
			t.Fatalf("%s: %v", literal, err)
		}
		if want := string([]rune(string(payload))); says != want {
			t.Errorf("it says %q, want %q", says, want)
		}
		if strings.ContainsAny(literal, "\u2028\u2029") || !utf8.ValidString(literal) {
			t.Errorf("got %q", literal)
		}
	})
}

var (
	doubleSlashes = regexp.MustCompile(`\\\\n`)
	slashes       = regexp.MustCompile(`\\?\\n`)
	percents      = regexp.MustCompile(`%([0-9a-fA-F]{2})?`)
	noDigits      = regexp.MustCompile(`[^0-9]`)
)

// FuzzJSONPBody compares with the standard library and the reference's rules for
// line ends: "\n" without a backslash in front first, then "\\n".
func FuzzJSONPBody(f *testing.F) {
	for _, line := range readLines(f, "jsonp_bodies.txt") {
		body, _, _ := strings.Cut(line, "\t")
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var values []string
		for field := range strings.SplitSeq(string(input), "&") {
			name, value, _ := strings.Cut(field, "=")
			if name, err := url.QueryUnescape(name); err != nil || name != "d" {
				continue
			}
			// A percent sign that is no escape stands for itself.
			value = percents.ReplaceAllStringFunc(value, func(s string) string {
				if s == "%" {
					return "%25"
				}
				return s
			})
			value, err := url.QueryUnescape(value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		body := bytes.Clone(input)
		payload, ok := DecodeJSONPBody(body)
		if ok != (len(values) == 1) || !within(payload, body) {
			t.Fatalf("got %q, %v; want %q", payload, ok, values)
		}
		if !ok {
			return
		}
		want := slashes.ReplaceAllStringFunc(values[0], func(s string) string {
			if s == `\n` {
				return "\n"
			}
			return s
		})
		want = doubleSlashes.ReplaceAllString(want, `\n`)
		if string(payload) != want {
			t.Errorf("got %q, want %q", payload, want)
		}
	})
}

// FuzzJSONPRoundTrip sends a payload as the reference's client does.
func FuzzJSONPRoundTrip(f *testing.F) {
	for _, payload := range []string{"", "2:4a", `a\nb`, "a\nb", `\\n`, "\\\n", "+ %20&=;", "€😀", "\xff"} {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		escaped := strings.ReplaceAll(strings.ReplaceAll(payload, `\n`, `\\n`), "\n", `\n`)
		got, ok := DecodeJSONPBody([]byte(url.Values{"d": {escaped}}.Encode()))
		want := payload
		if strings.Contains(payload, "\\\n") {
			// The protocol's hole: a backslash in front of a line end arrives as "\n".
			want = strings.ReplaceAll(want, "\\\n", `\n`)
		}
		if !ok || string(got) != want {
			t.Errorf("%q came as %q, %v", want, got, ok)
		}
	})
}
