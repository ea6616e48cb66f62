package engineio

import (
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vector is a line of a file in testdata.
type vector struct {
	wire    string
	packets []Packet
}

// separatorSymbol stands for Separator in the files.
const separatorSymbol = "␞"

// readLines reads a file of testdata, which says what its notation is.
func readLines(tb testing.TB, file string) []string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for line := range strings.SplitSeq(string(content), "\n") {
		if line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		tb.Fatalf("%s has no vectors", file)
	}
	return lines
}

// readVectors reads a file of packets or payloads.
func readVectors(tb testing.TB, file string) []vector {
	tb.Helper()
	var vectors []vector
	for _, line := range readLines(tb, file) {
		wire, says, ok := strings.Cut(line, "\t")
		if !ok {
			tb.Fatalf("%s: no tab in %q", file, line)
		}
		v := vector{wire: strings.ReplaceAll(wire, separatorSymbol, string(rune(Separator)))}
		for one := range strings.SplitSeq(says, " | ") {
			v.packets = append(v.packets, parseNotation(tb, one))
		}
		vectors = append(vectors, v)
	}
	return vectors
}

// parseNotation is the reverse of notation.
func parseNotation(tb testing.TB, s string) Packet {
	tb.Helper()
	name, data, _ := strings.Cut(s, " ")
	for t := Open; t <= Noop; t++ {
		if t.String() != name {
			continue
		}
		if data != "binary" && !strings.HasPrefix(data, "binary ") {
			return Packet{Type: t, Data: []byte(data)}
		}
		b, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(data, "binary"), " "))
		if err != nil {
			tb.Fatalf("%q: %v", s, err)
		}
		return Packet{Type: t, Binary: true, Data: b}
	}
	tb.Fatalf("%q: no such type", s)
	return Packet{}
}

// notation writes packets as testdata does.
func notation(packets ...Packet) string {
	var says []string
	for _, p := range packets {
		s := p.Type.String()
		switch {
		case p.Binary && len(p.Data) > 0:
			s += " binary " + hex.EncodeToString(p.Data)
		case p.Binary:
			s += " binary"
		case len(p.Data) > 0:
			s += " " + string(p.Data)
		}
		says = append(says, s)
	}
	return strings.Join(says, " | ")
}

// appendPayload puts packets together as a transport does.
func appendPayload(dst []byte, packets []Packet) []byte {
	for i, p := range packets {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = AppendPacket(dst, p)
	}
	return dst
}

// readPayload takes a payload apart as a transport does: up to the first error,
// which is nil if the payload ends well.
func readPayload(payload string, limit int) ([]Packet, error) {
	return readAll(NewPayloadReader([]byte(payload), limit))
}

func readAll(r PayloadReader) ([]Packet, error) {
	var packets []Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		packets = append(packets, p)
	}
}

func TestPacketVectors(t *testing.T) {
	for _, v := range readVectors(t, "packets.txt") {
		t.Run(v.wire, func(t *testing.T) {
			p, err := DecodeText([]byte(v.wire))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := notation(p), notation(v.packets...); got != want {
				t.Errorf("decoded to %q, want %q", got, want)
			}
			if got := AppendPacket(nil, v.packets[0]); string(got) != v.wire {
				t.Errorf("encoded to %q", got)
			}
		})
	}
}

func TestPayloadVectors(t *testing.T) {
	for _, v := range readVectors(t, "payloads.txt") {
		t.Run(v.wire, func(t *testing.T) {
			packets, err := readPayload(v.wire, len(v.packets))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := notation(packets...), notation(v.packets...); got != want {
				t.Errorf("decoded to %q, want %q", got, want)
			}
			if got := appendPayload(nil, v.packets); string(got) != v.wire {
				t.Errorf("encoded to %q", got)
			}
		})
	}
}
