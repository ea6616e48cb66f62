package http1

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// scanned is what came of a head that was fed in pieces.
type scanned struct {
	end int
	err error
}

// scanAll feeds input to a scanner so that each call sees one of the lengths in
// cuts, then all of it.
func scanAll(input []byte, lim Limits, cuts ...int) scanned {
	var s HeadScanner
	for _, n := range append(cuts, len(input)) {
		// A copy of its own shows if the scanner depends on where the bytes lie.
		if end, err := s.Scan([]byte(string(input[:n])), lim); end > 0 || err != nil {
			return scanned{end, err}
		}
	}
	return scanned{}
}

// cutsOf returns where to cut an input of n bytes: at each byte, or, as that
// costs the square of n, at some of them if it is long.
func cutsOf(n int) []int {
	var cuts []int
	for i := range n + 1 {
		if n <= 256 || i < 8 || i > n-8 || i%61 == 0 {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

// checkSplits fails unless input gives the same result however it is cut: in
// two at each byte, and into single bytes.
func checkSplits(t testing.TB, input []byte, lim Limits) scanned {
	t.Helper()
	want := scanAll(input, lim)
	cuts := cutsOf(len(input))
	for _, cut := range cuts {
		if got := scanAll(input, lim, cut); got != want {
			t.Fatalf("cut at %d: got %v, in one piece %v", cut, got, want)
		}
	}
	if got := scanAll(input, lim, cuts...); got != want {
		t.Fatalf("cut at %v: got %v, in one piece %v", cuts, got, want)
	}
	return want
}

func TestHeadScanner(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	tests := []struct {
		name   string
		input  string
		lim    Limits
		end    int // 0: incomplete
		status int
	}{
		{name: "empty"},
		{name: "one head", input: head, end: len(head)},
		{name: "no headers", input: "GET / HTTP/1.0\r\n\r\n", end: 18},
		{name: "body behind", input: head + "body\r\n\r\n", end: len(head)},
		{name: "pipelined", input: head + head, end: len(head)},
		{name: "half a request line", input: "GET / HT"},
		{name: "half a blank line", input: head[:len(head)-1]},
		{name: "empty lines in front", input: "\r\n\r\n" + head, end: 4 + len(head)},
		{name: "only an empty line", input: "\r\n\r"},
		{name: "three empty lines", input: "\r\n\r\n\r\n" + head, status: 400},
		{name: "bare LF in front", input: "\n" + head, status: 400},
		{name: "bare CR in front", input: "\rGET", status: 400},
		{name: "TLS client hello", input: "\x16\x03\x01", status: 400},
		{name: "space in front", input: " GET", status: 400},
		{name: "bare LF behind the request line", input: "GET / HTTP/1.1\nHost: a\r\n\r\n", status: 400},
		{name: "bare LF behind a header", input: "GET / HTTP/1.1\r\nHost: a\n\r\n", status: 400},
		{name: "bare LF as blank line", input: "GET / HTTP/1.1\r\nHost: a\r\n\n", status: 400},
		{name: "CR in a line is left to the parser", input: "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", end: 29},

		{name: "request line at the limit", input: head, lim: Limits{RequestLine: 14}, end: len(head)},
		{name: "request line over the limit", input: head, lim: Limits{RequestLine: 13}, status: 414},
		{name: "request line over the limit without end", input: "GET /aaaaaaaaa", lim: Limits{RequestLine: 13}, status: 414},
		{name: "request line at the limit without LF", input: "GET /aaaaaaaa\r", lim: Limits{RequestLine: 13}},
		{name: "long request line with bare LF", input: "GET /aaaaaaaaaa\n", lim: Limits{RequestLine: 13}, status: 414},
		{name: "default request line", input: "GET /" + strings.Repeat("a", DefaultRequestLine-4), status: 414},
		{name: "headers at the limit", input: head, lim: Limits{HeaderBytes: 11}, end: len(head)},
		{name: "headers over the limit", input: head, lim: Limits{HeaderBytes: 10}, status: 431},
		{name: "headers over the limit without end", input: "GET / HTTP/1.1\r\nHost: abcde", lim: Limits{HeaderBytes: 10}, status: 431},
		{name: "default header bytes", input: "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", DefaultHeaderBytes-2), status: 431},
		{name: "as many headers as allowed", input: "GET / HTTP/1.1\r\nA:\r\nB:\r\n\r\n", lim: Limits{Headers: 2}, end: 26},
		{name: "one header too many", input: "GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n", lim: Limits{Headers: 2}, status: 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := checkSplits(t, []byte(tt.input), tt.lim)
			if got.end != tt.end || !hasStatus(got.err, tt.status) {
				t.Fatalf("got %d, %v; want %d, status %d", got.end, got.err, tt.end, tt.status)
			}
		})
	}
}

// hasStatus reports whether err is an Error of that status, or nil for 0.
func hasStatus(err error, status int) bool {
	if status == 0 {
		return err == nil
	}
	return errors.Is(err, &Error{Status: status})
}

// The limits must hold before the line's end has come, else they bound nothing.
func TestHeadScannerRefusesAtTheFirstByteOverTheLimit(t *testing.T) {
	for _, start := range []string{"GET /", "GET / HTTP/1.1\r\nName: "} {
		t.Run(fmt.Sprintf("%.5q", start), func(t *testing.T) {
			var s HeadScanner
			lim := Limits{RequestLine: 64, HeaderBytes: 64}
			b := []byte(start)
			for len(b) <= len(start)+64 {
				if _, err := s.Scan(b, lim); err != nil {
					return
				}
				b = append(b, 'a')
			}
			t.Fatal("no limit held")
		})
	}
}

func TestHeadScannerReset(t *testing.T) {
	var s HeadScanner
	input := []byte("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
	for range 2 {
		end, err := s.Scan(input, Limits{})
		if end != len(input) || err != nil {
			t.Fatalf("got %d, %v", end, err)
		}
		s.Reset()
	}
}

func TestLimitsWithDefaults(t *testing.T) {
	want := Limits{RequestLine: 8192, HeaderBytes: 16384, Headers: 100, Body: 1_000_000}
	if got := (Limits{Headers: -1}).WithDefaults(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	set := Limits{RequestLine: 1, HeaderBytes: 2, Headers: 3, Body: 4}
	if got := set.WithDefaults(); got != set {
		t.Errorf("got %+v, want %+v", got, set)
	}
}

func TestErrorIs(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", errBodyLarge)
	for target, want := range map[*Error]bool{
		{Status: 413}:                           true,
		{Status: 413, Reason: "body too large"}: true,
		{Status: 413, Reason: "other"}:          false,
		{Status: 400}:                           false,
	} {
		if got := errors.Is(err, target); got != want {
			t.Errorf("errors.Is(err, %v) = %v, want %v", target, got, want)
		}
	}
	if got, want := errBodyLarge.Error(), "http1: 413 body too large"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
