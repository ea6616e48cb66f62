package http1

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzHead(f *testing.F) {
	for _, tt := range acceptedHeads {
		f.Add([]byte(tt.head))
	}
	for _, tt := range refusedHeads {
		f.Add([]byte(tt.head))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		lim := Limits{RequestLine: 200, HeaderBytes: 500, Headers: 8}
		got := checkSplits(t, input, lim)
		var r Request
		if got.end == 0 {
			// Must not panic, and must not accept what has no end.
			if err := ParseHead(input, &r, lim); err == nil && got.err != nil {
				t.Fatalf("parsed what the scanner refuses: %q", input)
			}
			return
		}
		if got.end > len(input) || !bytes.HasSuffix(input[:got.end], []byte("\n\r\n")) {
			t.Fatalf("end %d of %q", got.end, input)
		}
		if err := ParseHead(input[:got.end], &r, lim); err != nil {
			if !isError(err) {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		if err := r.CheckBody(lim); err != nil && !isError(err) {
			t.Fatalf("error of type %T", err)
		}
		checkAgainstNetHTTP(t, input[:got.end], &r)
	})
}

func isError(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status >= 400 && e.Reason != ""
}

func FuzzChunkDecoder(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte, maxBody int64) {
		got := checkChunkSplits(t, input, maxBody)
		if got.err != nil && !isError(got.err) {
			t.Fatalf("error of type %T", got.err)
		}
		if int64(len(got.data)) > max(maxBody, 0) {
			t.Fatalf("%d bytes of data, %d allowed", len(got.data), maxBody)
		}
		if got.done {
			checkAgainstHTTPUtil(t, input, got)
		}
	})
}
