package contentcoding

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

func TestPreferred(t *testing.T) {
	for _, tt := range []struct{ accept, want string }{
		{"", ""},
		{"gzip", "gzip"},
		{"GZIP", "gzip"},
		{"deflate, gzip", "deflate"},
		{"gzip, deflate, br", "gzip"},
		{"br;q=1.0, gzip;q=0.8", "br"},
		{"gzip;q=0.5, deflate;q=0.7", "deflate"},
		{"gzip;q=0", ""},
		{"gzip; q=0.3 , deflate ; Q=0.2", "gzip"},
		{"*", "gzip"},
		{"identity, *;q=0.1", "gzip"},
		{"identity", ""},
		{"zstd", ""},
		{"gzip;q=x", ""},
		{",,;,gzip", "gzip"},
	} {
		t.Run(tt.accept, func(t *testing.T) {
			if got := Preferred(tt.accept, Gzip, Deflate, Brotli); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAppend(t *testing.T) {
	text := []byte(strings.Repeat("4hello, hello ", 300))
	decoders := map[string]func(io.Reader) (io.Reader, error){
		Gzip:    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		Deflate: func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		Brotli:  func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	}
	for coding, decoder := range decoders {
		t.Run(coding, func(t *testing.T) {
			for range 3 { // the encoder is used again
				out, err := Append([]byte("head"), coding, text)
				if err != nil {
					t.Fatal(err)
				}
				encoded, ok := bytes.CutPrefix(out, []byte("head"))
				if !ok || len(encoded) >= len(text)/4 {
					t.Fatalf("%d bytes became %d", len(text), len(encoded))
				}
				r, err := decoder(bytes.NewReader(encoded))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
					t.Fatalf("decoded %d bytes, %v", len(got), err)
				}
			}
		})
	}
	if out, err := Append([]byte("x"), "zstd", text); err == nil || string(out) != "x" {
		t.Errorf("an unknown coding gave %q, %v", out, err)
	}
}
