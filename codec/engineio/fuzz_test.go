package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

// addWires seeds a fuzz target with the packets or payloads of a file.
func addWires(f *testing.F, file string, add func(wire []byte)) {
	f.Helper()
	for _, v := range readVectors(f, file) {
		add([]byte(v.wire))
	}
}

// sameAgain decodes what p is encoded to.
func sameAgain(t *testing.T, p Packet) {
	t.Helper()
	again, err := DecodeText(AppendPacket(nil, p))
	if err != nil || again.Type != p.Type || again.Binary != p.Binary || !bytes.Equal(again.Data, p.Data) {
		t.Errorf("%v came back as %v, %v", p, again, err)
	}
}

func FuzzDecodeText(f *testing.F) {
	addWires(f, "packets.txt", func(wire []byte) { f.Add(wire) })
	f.Fuzz(func(t *testing.T, input []byte) {
		text := bytes.Clone(input)
		p, err := DecodeText(text)
		switch {
		case err != nil:
			if !errors.Is(err, ErrEmptyPacket) && !errors.Is(err, ErrUnknownType) {
				t.Errorf("unknown error %v", err)
			}
			return
		case p.Type < Open || p.Type > Noop:
			t.Errorf("type %q", byte(p.Type))
		case p.Binary && p.Type != Message:
			t.Errorf("a binary %v", p.Type)
		case p.Binary && len(p.Data) > 3*(len(input)-1)/4:
			t.Errorf("%d bytes of %d in base64", len(p.Data), len(input)-1)
		case !p.Binary && !bytes.Equal(text, input):
			t.Errorf("the text was changed to %q", text)
		}
		if !within(p.Data, text) {
			t.Error("the data is no view")
		}
		sameAgain(t, p)
	})
}

// FuzzBase64 compares with a plain reading of the rules on top of the standard
// library.
func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "AQID", "AQIDBA==", "AQIDBA", "-_+/", "A Q*I\nD", "AQ==AQID", "A", "=", "\xff\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var digits []byte
		until, _, _ := bytes.Cut(input, []byte("="))
		for _, c := range until {
			switch {
			case c == '-':
				digits = append(digits, '+')
			case c == '_':
				digits = append(digits, '/')
			case c == '+', c == '/', '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
				digits = append(digits, c)
			}
		}
		if len(digits)%4 == 1 {
			digits = digits[:len(digits)-1]
		}
		want, err := base64.RawStdEncoding.DecodeString(string(digits))
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeBase64(bytes.Clone(input)); !bytes.Equal(got, want) {
			t.Errorf("%q: got %x, want %x", input, got, want)
		}
	})
}

func FuzzPayload(f *testing.F) {
	addWires(f, "payloads.txt", func(wire []byte) { f.Add(wire, 100) })
	addWires(f, "payloads.txt", func(wire []byte) { f.Add(wire, 1) })
	f.Fuzz(func(t *testing.T, payload []byte, limit int) {
		packets, err := readPayload(string(payload), limit)
		if len(packets) > max(limit, 0) {
			t.Fatalf("%d packets, allowed are %d", len(packets), limit)
		}
		if items := bytes.Count(payload, []byte{Separator}) + 1; err == nil && len(packets) != items {
			t.Fatalf("%d packets of %d", len(packets), items)
		}
		if len(packets) == 0 {
			return
		}
		// What was read comes back the same, whatever was behind it.
		again, err := readPayload(string(appendPayload(nil, packets)), len(packets))
		if err != nil || notation(again...) != notation(packets...) {
			t.Errorf("%q came back as %q, %v", notation(packets...), notation(again...), err)
		}
	})
}
