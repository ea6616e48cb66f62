package engineio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// queueV3 is what a session may have for a poll.
var queueV3 = []Packet{
	{Type: Message, Data: []byte(`2["chat","hello"]`)},
	{Type: Message, Data: []byte(`2["chat","grüße aus 東京 😀"]`)},
	{Type: Message, Data: []byte(`51-["file",{"_placeholder":true,"num":0}]`)},
	{Type: Message, Binary: true, Data: bytes.Repeat([]byte{0, 1, 2, 0xff}, 16)},
	{Type: Pong},
}

func TestNormalPathV3DoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	dst := make([]byte, 0, 4096)
	scratch := make([]byte, 4096)
	read := func(form v3Form, payload []byte) func() {
		return func() {
			r := form.read(scratch[:copy(scratch, payload)], len(queueV3))
			for range queueV3 {
				if _, err := r.Next(); err != nil {
					t.Error(err)
				}
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		}
	}
	encode := func(form v3Form) func() {
		return func() {
			b := dst
			for _, p := range queueV3 {
				b = form.encode(b, p)
			}
		}
	}
	invalid := Packet{Type: Message, Data: []byte("a\xffb€")}
	text, base64 := []byte(`42["chat","hello"]`), []byte("b4AQIDBA==")
	script := []byte("5:42[\"a\"]\u2028\xff")
	form := []byte(`d=18%3A42%5B%22chat%22%2C%22a%5Cnb%22%5D`)
	for _, tc := range []struct {
		name string
		f    func()
	}{
		{"encode a text payload", encode(textPayloads)},
		{"encode a binary payload", encode(binaryPayloads)},
		{"repair text", func() { AppendPayloadV3(AppendBinaryPayloadV3(dst, invalid), invalid) }},
		{"read a text payload", read(textPayloads, textPayloads.payload(queueV3))},
		{"read a binary payload", read(binaryPayloads, binaryPayloads.payload(queueV3))},
		{"refuse", func() {
			r := NewPayloadReaderV3(text, 9)
			if _, err := r.Next(); !errors.Is(err, ErrInvalidLength) {
				t.Error(err)
			}
		}},
		{"encode packets", func() {
			for _, p := range queueV3 {
				AppendPacketV3(dst, p)
				AppendBinaryPacketV3(dst, p)
			}
		}},
		{"decode text", func() {
			if _, err := DecodeTextV3(text); err != nil {
				t.Error(err)
			}
		}},
		{"decode base64", func() {
			if _, err := DecodeTextV3(scratch[:copy(scratch, base64)]); err != nil {
				t.Error(err)
			}
		}},
		{"decode binary", func() { DecodeBinaryV3(scratch) }},
		{"encode JSONP", func() { AppendJSONP(dst, AppendJSONPIndex(scratch[:0], text, 10), script) }},
		{"decode JSONP", func() {
			if _, ok := DecodeJSONPBody(scratch[:copy(scratch, form)]); !ok {
				t.Error("no payload")
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, tc.f); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkPayloadV3(b *testing.B) {
	for _, form := range []v3Form{textPayloads, binaryPayloads} {
		wire := form.payload(queueV3)
		b.Run(form.name+"/encode", func(b *testing.B) {
			dst := make([]byte, 0, len(wire))
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				out := dst
				for _, p := range queueV3 {
					out = form.encode(out, p)
				}
			}
		})
		b.Run(form.name+"/read", func(b *testing.B) {
			scratch := make([]byte, len(wire))
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				copy(scratch, wire) // decoding base64 overwrites it
				r := form.read(scratch, len(queueV3))
				for range queueV3 {
					if _, err := r.Next(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkUTF16(b *testing.B) {
	for _, bc := range []struct{ name, text string }{
		{"ascii/16", "hello to you all"},
		{"ascii/4096", strings.Repeat("hello to you all", 256)},
		{"german/4096", strings.Repeat("Grüße aus Köln. ", 228)},
		{"japanese/4096", strings.Repeat("日本語テキスト。", 171)},
		{"emoji/4096", strings.Repeat("😀", 1024)},
	} {
		text := []byte(bc.text)
		units, _ := utf16Len(text)
		b.Run("len/"+bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, valid := utf16Len(text); !valid {
					b.Fatal("not valid")
				}
			}
		})
		b.Run("prefix/"+bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if end, _ := utf16Prefix(text, units); end != len(text) {
					b.Fatal(end)
				}
			}
		})
	}
}

func BenchmarkJSONP(b *testing.B) {
	payload := []byte(strings.Repeat(`42["chat",{"from":"ann","text":"hello to you all, 日本"}]`, 20))
	script := AppendJSONP(nil, []byte("0"), payload)
	b.Run("encode", func(b *testing.B) {
		dst := make([]byte, 0, len(script))
		b.SetBytes(int64(len(payload)))
		b.ReportAllocs()
		for b.Loop() {
			AppendJSONP(dst, []byte("0"), payload)
		}
	})
	form := []byte("d=" + strings.Repeat(`42%5B%22chat%22%2C%7B%22text%22%3A%22hello+to+you+all%5Cn%22%7D%5D`, 20))
	b.Run("decode", func(b *testing.B) {
		scratch := make([]byte, len(form))
		b.SetBytes(int64(len(form)))
		b.ReportAllocs()
		for b.Loop() {
			copy(scratch, form) // decoding overwrites it
			if _, ok := DecodeJSONPBody(scratch); !ok {
				b.Fatal("no payload")
			}
		}
	})
}
