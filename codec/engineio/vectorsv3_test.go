package engineio

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
)

// v3Form is one of the ways that revision 3 puts packets into bytes.
type v3Form struct {
	name   string
	encode func(dst []byte, p Packet) []byte
	read   func(payload []byte, limit int) PayloadReader
}

var (
	textPayloads   = v3Form{"text", AppendPayloadV3, NewPayloadReaderV3}
	binaryPayloads = v3Form{"binary", AppendBinaryPayloadV3, NewBinaryPayloadReaderV3}
)

// payload encodes packets one by one.
func (f v3Form) payload(packets []Packet) []byte {
	var dst []byte
	for _, p := range packets {
		dst = f.encode(dst, p)
	}
	return dst
}

// unhex reads bytes from hexadecimal digits between spaces.
func unhex(tb testing.TB, digits string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		tb.Fatalf("%q: %v", digits, err)
	}
	return b
}

// readBinaryVectors is readVectors where the wire is in hexadecimal digits.
func readBinaryVectors(tb testing.TB, file string) []vector {
	tb.Helper()
	vectors := readVectors(tb, file)
	for i, v := range vectors {
		vectors[i].wire = string(unhex(tb, v.wire))
	}
	return vectors
}

// E65, E66: the text of a WebSocket message; E38: base64 there.
func TestPacketVectorsV3(t *testing.T) {
	for _, v := range readVectors(t, "packets_v3.txt") {
		t.Run(v.wire, func(t *testing.T) {
			p, err := DecodeTextV3([]byte(v.wire))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := notation(p), notation(v.packets...); got != want {
				t.Errorf("decoded to %q, want %q", got, want)
			}
			if got := AppendPacketV3(nil, v.packets[0]); string(got) != v.wire {
				t.Errorf("encoded to %q", got)
			}
		})
	}
}

// E91, E95: text payloads. E92, E93: binary ones.
func TestPayloadVectorsV3(t *testing.T) {
	for _, tc := range []struct {
		form    v3Form
		vectors []vector
	}{
		{textPayloads, readVectors(t, "payloads_v3.txt")},
		{binaryPayloads, readBinaryVectors(t, "binary_payloads_v3.txt")},
	} {
		for _, v := range tc.vectors {
			t.Run(tc.form.name+" "+notation(v.packets...), func(t *testing.T) {
				packets, err := readAll(tc.form.read([]byte(v.wire), len(v.packets)))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := notation(packets...), notation(v.packets...); got != want {
					t.Errorf("decoded to %q, want %q", got, want)
				}
				if got := tc.form.payload(v.packets); string(got) != v.wire {
					t.Errorf("encoded to %q, want %q", got, v.wire)
				}
			})
		}
	}
}

// unquote reads a Go string of a file in testdata.
func unquote(tb testing.TB, quoted string) string {
	tb.Helper()
	s, err := strconv.Unquote(quoted)
	if err != nil {
		tb.Fatalf("%s: %v", quoted, err)
	}
	return s
}

// E39, E59: the script that answers a poll.
func TestJSONPVectors(t *testing.T) {
	for _, line := range readLines(t, "jsonp.txt") {
		script, rest, _ := strings.Cut(line, "\t")
		index, payload, _ := strings.Cut(rest, "\t")
		t.Run(payload, func(t *testing.T) {
			got := AppendJSONP([]byte("x"), []byte(index), []byte(unquote(t, payload)))
			if string(got) != "x"+script {
				t.Errorf("got  %q\nwant %q", got[1:], script)
			}
		})
	}
}

// E60: the form that brings a payload.
func TestJSONPBodyVectors(t *testing.T) {
	for _, line := range readLines(t, "jsonp_bodies.txt") {
		form, payload, _ := strings.Cut(line, "\t")
		t.Run(form, func(t *testing.T) {
			body := []byte(form)
			got, ok := DecodeJSONPBody(body)
			if payload == "-" {
				if ok || got != nil || !bytes.Equal(body, []byte(form)) {
					t.Errorf("got %q, %v; the body is %q", got, ok, body)
				}
				return
			}
			if !ok || string(got) != unquote(t, payload) {
				t.Errorf("got %q, %v; want %s", got, ok, payload)
			}
			if !within(got, body) || cap(got) != len(got) {
				t.Errorf("%q is no closed view of the body", got)
			}
		})
	}
}
