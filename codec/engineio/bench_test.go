package engineio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var handshake = Handshake{
	SID: "FSDjX-WRwSA4zTZMALqx", Upgrades: []string{"websocket"},
	PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, MaxPayload: 1_000_000,
}

func TestNormalPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	dst := make([]byte, 0, 512)
	text := []byte(`42["chat","hello"]`)
	data := []byte("some binary data")
	base64 := AppendPacket(nil, Packet{Type: Message, Binary: true, Data: data})
	scratch := make([]byte, len(base64))
	payload := []byte(strings.Repeat("4hello\x1e", 9) + "4hello")
	for _, tc := range []struct {
		name string
		f    func()
	}{
		{"decode text", func() {
			if _, err := DecodeText(text); err != nil {
				t.Error(err)
			}
		}},
		{"decode base64", func() {
			copy(scratch, base64)
			if _, err := DecodeText(scratch); err != nil {
				t.Error(err)
			}
		}},
		{"decode binary", func() { DecodeBinary(data) }},
		{"refuse", func() {
			if _, err := DecodeText(text[:0]); !errors.Is(err, ErrEmptyPacket) {
				t.Error(err)
			}
		}},
		{"read a payload", func() {
			r := NewPayloadReader(payload, 10)
			for range 10 {
				if _, err := r.Next(); err != nil {
					t.Error(err)
				}
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		}},
		{"encode text", func() { AppendPacket(dst, Packet{Type: Message, Data: text[1:]}) }},
		{"encode base64", func() { AppendPacket(dst, Packet{Type: Message, Binary: true, Data: data}) }},
		{"encode a handshake", func() { AppendHandshake(dst, handshake) }},
		{"name a type", func() { _ = Message.String() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, tc.f); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkDecodeText(b *testing.B) {
	text := []byte(`42["chat","hello"]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeText(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBase64(b *testing.B) {
	data := bytes.Repeat([]byte{0, 1, 2, 0xff}, 256)
	wire := AppendPacket(nil, Packet{Type: Message, Binary: true, Data: data})
	b.Run("decode", func(b *testing.B) {
		scratch := make([]byte, len(wire))
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			copy(scratch, wire) // decoding overwrites it
			if _, err := DecodeText(scratch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		dst := make([]byte, 0, len(wire))
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			AppendPacket(dst, Packet{Type: Message, Binary: true, Data: data})
		}
	})
}

func BenchmarkPayload(b *testing.B) {
	payload := []byte(strings.Repeat("42[\"chat\",\"hello\"]\x1e", 9) + "42[\"chat\",\"hello\"]")
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewPayloadReader(payload, 10)
		for range 10 {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkAppendHandshake(b *testing.B) {
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		AppendHandshake(dst, handshake)
	}
}
