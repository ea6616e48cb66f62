package socketio

import (
	"errors"
	"strings"
	"testing"
)

// benchmarked are packets of all kinds, for guards and benchmarks.
var benchmarked = []struct{ name, wire string }{
	{"connect", `0`},
	{"connect with payload", `0/admin,{"token":"123456"}`},
	{"disconnect", `1/admin,`},
	{"event", `2["chat","hello"]`},
	{"event with id", `2/admin,12["chat","hello"]`},
	{"ack", `312["ok"]`},
	{"error", `4{"message":"Not authorized"}`},
	{"binary event", `51-["chat",{"_placeholder":true,"num":0}]`},
	{"binary ack", `61-12[{"_placeholder":true,"num":0}]`},
	{"event with object", `2["chat",{"id":12345,"user":"someone","text":"hello, world","tags":["a","b"],"ok":true,"at":1718000000.25}]`},
	{"event with text", `2["chat","` + strings.Repeat("some text, ", 90) + `"]`},
	{"event with numbers", `2["points",[` + strings.Repeat("1718000000.25,-12,", 40) + `0]]`},
}

func TestNormalPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	check := func(name string, f func()) {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}

	args := make([][]byte, 0, 8)
	for _, p := range benchmarked {
		text := []byte(p.wire)
		check("decode "+p.name, func() {
			p, err := Decode(text, args, Limits{})
			if err != nil {
				t.Error(err)
			}
			if p.Type.IsEvent() {
				if _, err := EventName(p.Args[0]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	check("refuse", func() {
		if _, err := Decode(nil, args, Limits{}); !errors.Is(err, ErrUnknownType) {
			t.Error(err)
		}
	})
	text := []byte(twoPlaceholders)
	payload := text[strings.IndexByte(twoPlaceholders, '['):]
	check("walk placeholders", func() {
		found := 0
		err := WalkPlaceholders(payload, 2, func(int, int, int) error {
			found++
			return nil
		})
		if err != nil || found != 2 {
			t.Errorf("%d, %v", found, err)
		}
	})
	placeholder := AppendPlaceholder(nil, 3)
	check("recognize a placeholder", func() {
		if _, ok := IsPlaceholder(placeholder); !ok {
			t.Error("not recognized")
		}
	})

	dst := make([]byte, 0, 512)
	data := []byte(`{"code":7}`)
	check("encode event", func() {
		b := AppendHeader(dst, Event, "/admin", 0, false, 0)
		b = AppendString(append(b, '['), "chat")
		b = AppendString(append(b, ','), "grüße\n")
		_ = append(b, ']')
	})
	check("encode event with id", func() { AppendHeader(dst, Event, "/", 12345, true, 0) })
	check("encode ack", func() { AppendHeader(dst, Ack, "/admin", 12345, true, 0) })
	check("encode binary event", func() {
		AppendPlaceholder(AppendHeader(dst, BinaryEvent, "/admin", 12345, true, 123), 122)
	})
	check("encode connect", func() { AppendConnect(dst, "/admin", "wZX3oN0bSVIhsaknAAAI", "") })
	check("encode disconnect", func() { AppendDisconnect(dst, "/admin") })
	check("encode error", func() { AppendConnectError(dst, "/admin", "Not authorized", data) })
}

// TestAssemblerAllocations counts: the copies of the text and the attachments,
// the list of them, and the arguments.
func TestAssemblerAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	text := []byte(`51-["chat",{"_placeholder":true,"num":0}]`)
	p, err := Decode(text, nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var a Assembler
	n := testing.AllocsPerRun(100, func() {
		if err := a.Start(text, p, 1000); err != nil {
			t.Error(err)
		}
		if _, err := a.Add(text); err != nil {
			t.Error(err)
		}
		if _, _, err := a.Take(Limits{}); err != nil {
			t.Error(err)
		}
	})
	if n > 5 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, p := range benchmarked {
		b.Run(strings.ReplaceAll(p.name, " ", "-"), func(b *testing.B) {
			text := []byte(p.wire)
			args := make([][]byte, 0, 8)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(text, args, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEventName(b *testing.B) {
	for _, raw := range []string{`"chat"`, `"ch\u0061t"`, `12`} {
		b.Run(raw, func(b *testing.B) {
			name := []byte(raw)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := EventName(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeEvent(b *testing.B) {
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendHeader(dst[:0], Event, "/admin", 12, true, 0)
		dst = AppendString(append(dst, '['), "chat")
		dst = AppendString(append(dst, ','), "hello")
		dst = append(dst, ']')
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkAppendString(b *testing.B) {
	for _, bb := range []struct{ name, unit string }{{"ASCII", "text text "}, {"mixed", "grüße 日本 "}, {"escapes", "a\"b\\c\n"}} {
		b.Run(bb.name, func(b *testing.B) {
			s := strings.Repeat(bb.unit, 100)
			dst := AppendString(nil, s)
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				AppendString(dst[:0], s)
			}
		})
	}
}

func BenchmarkWalkPlaceholders(b *testing.B) {
	for _, bb := range []struct{ name, raw string }{
		{"none", `["chat",{"a":1,"b":[1,2,3]}]`},
		{"two", twoPlaceholders[strings.IndexByte(twoPlaceholders, '['):]},
	} {
		b.Run(bb.name, func(b *testing.B) {
			raw := []byte(bb.raw)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := WalkPlaceholders(raw, 2, func(int, int, int) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAssembler(b *testing.B) {
	text := []byte(`51-["chat",{"_placeholder":true,"num":0}]`)
	attachment := make([]byte, 100)
	p, err := Decode(text, nil, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	var a Assembler
	b.SetBytes(int64(len(text) + len(attachment)))
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Start(text, p, 1000); err != nil {
			b.Fatal(err)
		}
		if _, err := a.Add(attachment); err != nil {
			b.Fatal(err)
		}
		if _, _, err := a.Take(Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
