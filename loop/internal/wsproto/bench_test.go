package wsproto

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// lookup finds what a browser's handshake has, without allocating.
func lookup(name string) []byte {
	switch name {
	case "Upgrade":
		return valueUpgrade
	case "Sec-WebSocket-Key":
		return valueKey
	case "Sec-WebSocket-Version":
		return valueVersion
	}
	return nil
}

var (
	valueUpgrade = []byte("websocket")
	valueKey     = []byte(sampleKey)
	valueVersion = []byte("13")
	valueGet     = []byte("GET")
)

func TestNormalPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	dst := make([]byte, 0, 512)
	header := encode(t, frame(ws.OpText, true, 300))
	text := []byte(strings.Repeat("grüße ", 20))
	payload := closePayload(1000, "bye")
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"parse and check a header", func() {
			var s State
			h, _, err := ParseHeader(header)
			if err == nil {
				err = s.CheckHeader(h, 1000, 0)
			}
			if err != nil {
				t.Error(err)
			}
		}},
		{"write headers", func() {
			AppendHeader(dst, ws.OpText, true, false, 65536)
			PutHeader(dst[:10], ws.OpText, true, false, 65536)
		}},
		{"validate text", func() {
			var u UTF8
			if !u.Write(text[:50]) || !u.Write(text[50:]) || !u.Complete() {
				t.Error("invalid")
			}
		}},
		{"close frames", func() {
			if _, _, err := ParseClose(payload); err != nil {
				t.Error(err)
			}
			AppendClose(dst, 1001, "going away")
		}},
		{"handshake", func() {
			h, refusal := CheckHandshake(lookup, valueGet, 1)
			if refusal != nil {
				t.Error(refusal)
			}
			Append101(dst, h, nil)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, tt.f); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkHeader(b *testing.B) {
	for _, length := range []int64{20, 1000, 100_000} {
		b.Run(strconv.FormatInt(length, 10), func(b *testing.B) {
			input := encode(b, frame(ws.OpText, true, length))
			var s State
			b.ReportAllocs()
			for b.Loop() {
				h, _, err := ParseHeader(input)
				if err == nil {
					err = s.CheckHeader(h, 1_000_000, 0)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	dst := make([]byte, 0, MaxHeaderSize)
	b.ReportAllocs()
	for b.Loop() {
		AppendHeader(dst, ws.OpText, true, false, 1000)
	}
}

func BenchmarkHandshake(b *testing.B) {
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		h, refusal := CheckHandshake(lookup, valueGet, 1)
		if refusal != nil {
			b.Fatal(refusal)
		}
		Append101(dst, h, nil)
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, bb := range []struct{ name, unit string }{{"ASCII", "text text "}, {"mixed", "grüße 日本 "}} {
		b.Run(bb.name, func(b *testing.B) {
			text := bytes.Repeat([]byte(bb.unit), 100)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var u UTF8
				if !u.Write(text) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
