package msgpack

import (
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

type message struct {
	ID   int      `json:"id"`
	User string   `json:"user"`
	Text string   `json:"text"`
	Tags []string `json:"tags"`
	OK   bool     `json:"ok"`
	At   float64  `json:"at"`
}

// benchmarked are values of all kinds.
var benchmarked = []struct {
	name string
	v    any
}{
	{"text", "hello"},
	{"number", 12345},
	{"bytes", make([]byte, 1000)},
	{"struct", message{12345, "someone", "hello, world", []string{"a", "b"}, true, 1718000000.25}},
	{"map", map[string]any{"id": 12345, "user": "someone", "text": "hello, world", "ok": true, "at": 1718000000.25}},
	{"long text", strings.Repeat("some text, ", 90)},
}

// eventOf is a packet with the value as its argument.
func eventOf(tb testing.TB, v any) (p socketio.Packet, wire []byte) {
	tb.Helper()
	p = socketio.Packet{Type: socketio.Event, Namespace: []byte("/")}
	for _, v := range []any{"chat", v} {
		raw, err := Parser{}.AppendValue(nil, v)
		if err != nil {
			tb.Fatal(err)
		}
		p.Args = append(p.Args, raw)
	}
	wire, _, err := Parser{}.AppendPacket(nil, p)
	if err != nil {
		tb.Fatal(err)
	}
	return p, wire
}

// TestPacketsDoNotAllocate: what a packet takes does not depend on its values.
func TestPacketsDoNotAllocate(t *testing.T) {
	args := make([][]byte, 0, 8)
	dst := make([]byte, 0, 4096)
	for _, tc := range benchmarked {
		p, wire := eventOf(t, tc.v)
		t.Run(tc.name, func(t *testing.T) {
			measure(t, 0, func() {
				p, err := Parser{}.DecodePacket(wire, true, args, socketio.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := (Parser{}).EventName(p.Args[0]); err != nil {
					t.Fatal(err)
				}
			})
			measure(t, 0, func() {
				if _, _, err := (Parser{}).AppendPacket(dst, p); err != nil {
					t.Fatal(err)
				}
			})
			most := 0.0
			if tc.name == "struct" {
				most = 12 // its fields, by reflection
			}
			measure(t, most, func() {
				if _, err := (Parser{}).AppendValue(dst, tc.v); err != nil {
					t.Fatal(err)
				}
			})
			if _, ok := tc.v.(string); ok {
				var text string
				measure(t, 1, func() {
					if err := (Parser{}).DecodeValue(p.Args[1], &text); err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}

func BenchmarkPackets(b *testing.B) {
	for _, tc := range benchmarked {
		p, wire := eventOf(b, tc.v)
		args := make([][]byte, 0, 8)
		dst := make([]byte, 0, 4096)
		name := strings.ReplaceAll(tc.name, " ", "-")
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				if _, err := (Parser{}).DecodePacket(wire, true, args, socketio.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("encode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := (Parser{}).AppendPacket(dst, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValues(b *testing.B) {
	for _, tc := range benchmarked {
		dst := make([]byte, 0, 4096)
		raw, err := Parser{}.AppendValue(nil, tc.v)
		if err != nil {
			b.Fatal(err)
		}
		name := strings.ReplaceAll(tc.name, " ", "-")
		b.Run("encode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Parser{}).AppendValue(dst, tc.v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := (Parser{}).DecodeValue(raw, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("json/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Parser{}).AppendJSON(dst, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
		if m, ok := tc.v.(message); ok {
			b.Run("decode-into/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := (Parser{}).DecodeValue(raw, &m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
