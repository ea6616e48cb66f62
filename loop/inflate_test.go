package loop

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

// emptyFinal is a last block with nothing in it, padded to whole bytes.
const emptyFinal = "\x03\x00"

func TestInflate(t *testing.T) {
	long := deflateText(40_000, 1)
	tests := []struct {
		name    string
		payload string
		said    string
		limit   int // default 100
		want    string
		code    ws.StatusCode
	}{
		// The examples of RFC 7692, section 7.2.3.
		{name: "one block", payload: "\xf2\x48\xcd\xc9\xc9\x07\x00", want: "Hello"},
		{name: "shared window", payload: "\xf2\x00\x11\x00\x00", said: "Hello", want: "Hello"},
		{name: "no compression", payload: "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", want: "Hello"},
		{name: "last block", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", want: "Hello"},
		{name: "two blocks", payload: "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", want: "Hello"},
		{name: "empty message", payload: "\x00", want: ""},

		{name: "last block that is the empty one", payload: "\xf2\x48\xcd\xc9\xc9\x07\x04", want: "Hello"},
		{name: "nothing but a last block", payload: "\x01", want: ""},
		{name: "last block without an empty one", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00", want: "Hello"},
		{name: "two last blocks", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00" + "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", want: "HelloHello"},
		{name: "window across a last block", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00" + "\xf2\x00\x11\x00\x00", want: "HelloHello"},
		{name: "window from before across a last block", payload: emptyFinal + "\xf2\x00\x11\x00\x00", said: "Hello", want: "Hello"},
		{name: "many last blocks", payload: strings.Repeat(emptyFinal, maxFinalBlocks) + "\x00", want: ""},
		{name: "too many last blocks", payload: strings.Repeat(emptyFinal, maxFinalBlocks+1) + "\x00", code: 1007},

		{name: "at the limit", payload: "\xf2\x48\xcd\xc9\xc9\x07\x00", limit: 5, want: "Hello"},
		{name: "over the limit", payload: "\xf2\x48\xcd\xc9\xc9\x07\x00", limit: 4, code: 1009},
		{name: "over the limit at the second last block", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00" + "\xf2\x00\x11\x00\x00", limit: 9, code: 1009},
		{name: "nothing allowed", payload: "\x00", limit: -1, want: ""},
		{name: "bomb", payload: deflated(t, strings.Repeat("\x00", 10<<20)), limit: 1000, code: 1009},
		{name: "long", payload: deflated(t, long), limit: len(long), want: long},

		{name: "nothing", payload: "", code: 1007},
		{name: "reserved block type", payload: "\xff", code: 1007},
		{name: "reference before the start", payload: "\xf2\x00\x11\x00\x00", code: 1007},
		{name: "reference before what was said", payload: "\xf2\x00\x11\x00\x00", said: "Hel", code: 1007},
		{name: "wrong length of a stored block", payload: "\x00\x05\x00\xfa\xfeHello\x00", code: 1007},
		{name: "stored block cut short", payload: "\x00\x05\x00\xfa\xffHel", code: 1007},
		{name: "stored block cut within the length", payload: "\x00\x05", code: 1007},
		{name: "bytes behind a last block", payload: "\xf3\x48\xcd\xc9\xc9\x07\x00" + "\xff\xff", code: 1007},
	}
	var f inflater
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			switch limit := &tt.limit; *limit {
			case 0:
				*limit = 100
			case -1:
				*limit = 0
			}
			got, err := f.inflate([]byte("x"), []byte(tt.payload), []byte(tt.said), tt.limit)
			var bad *wsproto.Error
			if errors.As(err, &bad) != (tt.code != 0) || bad != nil && bad.Code != tt.code {
				t.Fatalf("got %q, %v", got, err)
			}
			if err == nil && string(got) != "x"+tt.want {
				t.Errorf("got %q, want %q", got, "x"+tt.want)
			}
		})
	}
}

// deflated is a compressed message, by the standard library.
func deflated(tb testing.TB, message string) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := stdflate.NewWriter(&b, stdflate.BestCompression)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(w, message); err != nil {
		tb.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), deflateTail)
}

// TestInflateBombTakesNoMemory bounds what a small message can make the server
// allocate: the limit, and what a slice grows over it at most.
func TestInflateBombTakesNoMemory(t *testing.T) {
	const limit = 100_000
	bomb := []byte(deflated(t, strings.Repeat("a", 20<<20)))
	var f inflater
	out, err := f.inflate(nil, bomb, nil, limit)
	if !errors.Is(err, errInflateTooBig) || len(out) > limit+1 || cap(out) > limit+limit/2 {
		t.Errorf("%v, %d bytes in %d", err, len(out), cap(out))
	}
	if cap(f.bytes) > keepInflate {
		t.Errorf("keeps %d bytes of input", cap(f.bytes))
	}
}

// FuzzInflate compares with the standard library, which reads one stream of
// blocks only.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), []byte("Hello"))
	f.Add([]byte("\xf2\x00\x11\x00\x00"), []byte("Hello"))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"), []byte(""))
	f.Add([]byte(deflated(f, deflateText(3000, 1))), []byte("x"))
	var in inflater
	f.Fuzz(func(t *testing.T, payload, said []byte) {
		const limit = 10_000
		got, err := in.inflate(nil, payload, said, limit)
		if len(got) > limit+1 || err == nil && len(got) > limit {
			t.Fatalf("%d bytes", len(got))
		}
		source := bytes.NewReader([]byte(string(payload) + inflateTail))
		want, wantErr := io.ReadAll(io.LimitReader(stdflate.NewReaderDict(source, said), limit+1))
		switch {
		case len(want) > limit:
			if !errors.Is(err, errInflateTooBig) {
				t.Fatalf("%x: got %v, more than the limit came", payload, err)
			}
		case wantErr != nil:
			if !errors.Is(err, errInflate) {
				t.Fatalf("%x: got %v, want %v", payload, err, wantErr)
			}
		case source.Len() == 0:
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%x: got %d bytes, %v; want %d", payload, len(got), err, len(want))
			}
		case !bytes.HasPrefix(got, want): // a block said it was the last
			t.Fatalf("%x: got %d bytes that don't begin with %d", payload, len(got), len(want))
		}
	})
}

// FuzzDeflate brings what the compressor makes through the decompressor of the
// standard library, and through this one.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte("hello hello hello"), []byte("hello"), uint8(15))
	f.Add([]byte(deflateText(3000, 1)), []byte(deflateText(3000, 2)), uint8(9))
	f.Fuzz(func(t *testing.T, message, said []byte, bits uint8) {
		var (
			out deflater
			in  inflater
		)
		bits = 8 + bits%8
		said = said[max(0, len(said)-1<<bits):]
		payload, ok := out.deflate(nil, message, said, int(bits), 1)
		if !ok {
			t.Fatal("not compressed")
		}
		want, err := io.ReadAll(stdflate.NewReaderDict(strings.NewReader(string(payload)+inflateTail), said))
		if err != nil || !bytes.Equal(want, message) {
			t.Fatalf("%x: standard library: %x, %v", payload, want, err)
		}
		got, err := in.inflate(nil, payload, said, len(message))
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%x: %x, %v", payload, got, err)
		}
	})
}
