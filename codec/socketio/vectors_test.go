package socketio

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is a line of testdata/packets.txt.
type vector struct {
	wire, says string
}

// readVectors reads testdata/packets.txt, which says what its notation is.
func readVectors(tb testing.TB) []vector {
	tb.Helper()
	content, err := os.ReadFile("testdata/packets.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var vectors []vector
	for line := range strings.SplitSeq(string(content), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		wire, says, ok := strings.Cut(line, "\t")
		if !ok {
			tb.Fatalf("no tab in %q", line)
		}
		vectors = append(vectors, vector{wire, says})
	}
	if len(vectors) == 0 {
		tb.Fatal("no vectors")
	}
	return vectors
}

// notation writes a packet as testdata does.
func notation(p Packet) string {
	s := fmt.Sprintf("%v %s", p.Type, p.Namespace)
	if p.HasID {
		s += fmt.Sprintf(" id=%d", p.ID)
	}
	if p.Attachments != 0 {
		s += fmt.Sprintf(" attachments=%d", p.Attachments)
	}
	switch {
	case len(p.Args) > 0:
		s += " " + string(bytes.Join(p.Args, []byte(" | ")))
	case p.Type.IsEvent() || p.Type.IsAck(): // no elements
	case p.Data != nil:
		s += " " + string(p.Data)
	}
	return s
}

// encodeNotation writes the packet that the notation stands for.
func encodeNotation(tb testing.TB, says string) []byte {
	tb.Helper()
	name, rest, _ := strings.Cut(says, " ")
	ns, rest, _ := strings.Cut(rest, " ")
	var id uint64
	var hasID bool
	if after, ok := strings.CutPrefix(rest, "id="); ok {
		var digits string
		digits, rest, _ = strings.Cut(after, " ")
		var err error
		if id, err = strconv.ParseUint(digits, 10, 64); err != nil {
			tb.Fatal(err)
		}
		hasID = true
	}
	attachments := 0
	if after, ok := strings.CutPrefix(rest, "attachments="); ok {
		var digits string
		digits, rest, _ = strings.Cut(after, " ")
		var err error
		if attachments, err = strconv.Atoi(digits); err != nil {
			tb.Fatal(err)
		}
	}
	for t := Connect; t <= BinaryAck; t++ {
		if t.String() != name {
			continue
		}
		dst := AppendHeader(nil, t, ns, id, hasID, attachments)
		if t.IsEvent() || t.IsAck() {
			rest = "[" + strings.ReplaceAll(rest, " | ", ",") + "]"
		}
		return append(dst, rest...)
	}
	tb.Fatalf("%q: no such type", says)
	return nil
}

func TestPacketVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.wire, func(t *testing.T) {
			p, err := Decode([]byte(v.wire), nil, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := notation(p); got != v.says {
				t.Errorf("decoded to %q, want %q", got, v.says)
			}
			if got := encodeNotation(t, v.says); string(got) != v.wire {
				t.Errorf("encoded to %q", got)
			}
		})
	}
}
