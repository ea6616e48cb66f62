package http1

import (
	"io"
	"net/http/httputil"
	"strings"
	"testing"
)

// decoded is what came of a chunked body.
type decoded struct {
	data     string
	consumed int
	done     bool
	err      error
}

// decodePieces gives a decoder the pieces of input between the cuts.
func decodePieces(input []byte, maxBody int64, cuts ...int) decoded {
	var (
		d   ChunkDecoder
		out []byte
		at  int
	)
	for _, cut := range append(cuts, len(input)) {
		var n int
		var done bool
		var err error
		out, n, done, err = d.Decode(out, input[at:cut], maxBody)
		at += n
		if done || err != nil {
			return decoded{string(out), at, done, err}
		}
		if at != cut {
			return decoded{data: "input left over before the end"}
		}
	}
	return decoded{string(out), at, false, nil}
}

// checkChunkSplits fails unless input gives the same result however it is cut.
func checkChunkSplits(t testing.TB, input []byte, maxBody int64) decoded {
	t.Helper()
	want := decodePieces(input, maxBody)
	cuts := cutsOf(len(input))
	var d ChunkDecoder
	if n, done, err := d.Skip(input, maxBody); n != want.consumed || done != want.done || err != want.err { //nolint:errorlint // the very same
		t.Fatalf("Skip: %d, %t, %v, want as of %+v", n, done, err, want)
	}
	for _, cut := range cuts {
		if got := decodePieces(input, maxBody, cut); got != want {
			t.Fatalf("cut at %d: got %+v, in one piece %+v", cut, got, want)
		}
	}
	if got := decodePieces(input, maxBody, cuts...); got != want {
		t.Fatalf("cut at %v: got %+v, in one piece %+v", cuts, got, want)
	}
	return want
}

func TestChunkDecoder(t *testing.T) {
	tests := []struct {
		name   string
		input  string
		max    int64 // 0: 100
		data   string
		rest   string // what is left behind the body
		open   bool   // the body does not end
		status int
	}{
		{name: "empty input", open: true},
		{name: "empty body", input: "0\r\n\r\n"},
		{name: "two chunks", input: "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", data: "abc0123456789"},
		{name: "CRLF in the data", input: "4\r\n\r\n\r\n\r\n0\r\n\r\n", data: "\r\n\r\n"},
		{name: "next request behind", input: "1\r\na\r\n0\r\n\r\nGET /", data: "a", rest: "GET /"},
		{name: "zeros in front", input: "0000000000000001\r\na\r\n000\r\n\r\n", data: "a"},
		{name: "extensions", input: "1;a=b;c\r\nx\r\n1;\"q \t\"\r\ny\r\n0;z\r\n\r\n", data: "xy"},
		{name: "trailers", input: "1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\nrest", data: "a", rest: "rest"},
		{name: "no end", input: "1\r\na\r\n0\r\n", data: "a", open: true},
		{name: "cut in the data", input: "5\r\nabc", data: "abc", open: true},
		{name: "at the limit", input: "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", max: 3, data: "abc"},
		{name: "extension at the limit", input: "0;" + strings.Repeat("a", maxExtension-1) + "\r\n\r\n"},
		{name: "trailers at the limit", input: "0\r\nA:" + strings.Repeat("a", maxTrailer-4) + "\r\n\r\n"},

		{name: "over the limit", input: "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", max: 3, data: "ab", status: 413},
		{name: "over the limit at the first digit", input: "4", max: 3, status: 413},
		{name: "size over 63 bits", input: "8000000000000000\r\n", max: 1<<63 - 1, status: 413},
		{name: "total over 63 bits", input: "1\r\na\r\n7fffffffffffffff\r\n", max: 1<<63 - 1, data: "a", status: 413},
		{name: "17 digits", input: "00000000000000001\r\na\r\n", status: 400},
		{name: "no size", input: "\r\n", status: 400},
		{name: "no size but extension", input: ";a\r\n", status: 400},
		{name: "space before the size", input: " 1\r\n", status: 400},
		{name: "sign", input: "+1\r\n", status: 400},
		{name: "prefix", input: "0x1\r\n", status: 400},
		{name: "underscore", input: "1_0\r\n", status: 400},
		{name: "space behind the size", input: "1 \r\na\r\n", status: 400},
		{name: "space before an extension", input: "1 ;a\r\n", status: 400},
		{name: "space in the size", input: "1 1\r\n", status: 400},
		{name: "bare LF behind the size", input: "1\na\r\n", status: 400},
		{name: "bare CR behind the size", input: "1\ra\r\n", status: 400},
		{name: "bare LF in an extension", input: "1;a\nb\r\n", status: 400},
		{name: "bare CR in an extension", input: "1;a\rb\r\n", status: 400},
		{name: "NUL in an extension", input: "1;\x00\r\n", status: 400},
		{name: "extension too long", input: "1;" + strings.Repeat("a", maxExtension) + "\r\n", status: 400},
		{name: "data longer than the size", input: "1\r\nab\r\n", data: "a", status: 400},
		{name: "bare LF behind the data", input: "1\r\na\n0\r\n\r\n", data: "a", status: 400},
		{name: "bare CR behind the data", input: "1\r\na\r0\r\n\r\n", data: "a", status: 400},
		{name: "bare LF as end", input: "0\r\n\n", status: 400},
		{name: "bare CR as end", input: "0\r\n\ra", status: 400},
		{name: "bare LF in a trailer", input: "0\r\nA: b\n\r\n", status: 400},
		{name: "bare CR in a trailer", input: "0\r\nA: b\rc\r\n\r\n", status: 400},
		{name: "trailer without name", input: "0\r\n: b\r\n\r\n", status: 400},
		{name: "trailer without colon", input: "0\r\nGET / HTTP/1.1\r\n\r\n", status: 400},
		{name: "trailer of a name only", input: "0\r\nabc\r\n\r\n", status: 400},
		{name: "folded trailer", input: "0\r\nA: b\r\n c\r\n\r\n", status: 400},
		{name: "trailers too large", input: "0\r\nA:" + strings.Repeat("a", maxTrailer-1) + "\r\n\r\n", status: 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			maxBody := tt.max
			if maxBody == 0 {
				maxBody = 100
			}
			got := checkChunkSplits(t, []byte(tt.input), maxBody)
			if !hasStatus(got.err, tt.status) || got.data != tt.data || got.done != (!tt.open && tt.status == 0) {
				t.Fatalf("got %+v", got)
			}
			if rest := tt.input[got.consumed:]; tt.status == 0 && rest != tt.rest {
				t.Errorf("left over %q, want %q", rest, tt.rest)
			}
			if got.done {
				checkAgainstHTTPUtil(t, []byte(tt.input), got)
			}
		})
	}
}

func TestChunkDecoderBoundsAllExtensionsTogether(t *testing.T) {
	var d ChunkDecoder
	chunk := []byte("1;" + strings.Repeat("a", 1000) + "\r\nx\r\n")
	for range maxAllExtension/1001 + 1 {
		if _, _, _, err := d.Decode(nil, chunk, 1000); err != nil {
			if !hasStatus(err, 400) {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("no limit held")
}

func TestChunkDecoderKeepsWhatIsInDst(t *testing.T) {
	var d ChunkDecoder
	for range 2 {
		out, n, done, err := d.Decode([]byte("kept "), []byte("1\r\na\r\n0\r\n\r\nGET"), 1)
		if string(out) != "kept a" || n != 11 || !done || err != nil {
			t.Fatalf("got %q, %d, %v, %v", out, n, done, err)
		}
		out, n, done, err = d.Decode(out, []byte("GET"), 1)
		if string(out) != "kept a" || n != 0 || !done || err != nil {
			t.Fatalf("behind the end: got %q, %d, %v, %v", out, n, done, err)
		}
		d.Reset()
	}
}

// checkAgainstHTTPUtil fails unless the standard library decodes an accepted
// body to the same data.
func checkAgainstHTTPUtil(t testing.TB, input []byte, got decoded) {
	t.Helper()
	want, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(string(input))))
	if err != nil || string(want) != got.data {
		t.Fatalf("%q: got %q, httputil %q, %v", input, got.data, want, err)
	}
}
