// Package contentcoding picks a content coding that a peer accepts, and encodes
// with it (RFC 9110, sections 8.4 and 12.5.3).
package contentcoding

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// Names of the codings.
const (
	Gzip    = "gzip"
	Deflate = "deflate" // which is zlib's format
	Brotli  = "br"
)

// Preferred returns which of the offered codings the value of an
// Accept-Encoding header likes best: the one with the highest weight, of equals
// the one that it lists first. "*" stands for the first offer. It is "" if none
// is acceptable.
func Preferred(accept string, offers ...string) string {
	best, bestWeight := "", 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "*" && len(offers) > 0 {
			name = offers[0]
		}
		if !slices.Contains(offers, name) {
			continue
		}
		if w := weight(params); w > bestWeight {
			best, bestWeight = name, w
		}
	}
	return best
}

// weight returns the weight that parameters give, 0 if they can't be read.
func weight(params string) float64 {
	key, value, found := strings.Cut(params, "=")
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(key), "q") {
		return 0
	}
	return q
}

// writer is what the compressors have in common.
type writer interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// Encoders are large: they are kept for reuse.
var pools = map[string]*sync.Pool{
	Gzip:    {New: func() any { w, _ := gzip.NewWriterLevel(nil, fast); return w }}, // the level is valid
	Deflate: {New: func() any { w, _ := zlib.NewWriterLevel(nil, fast); return w }},
	Brotli:  {New: func() any { return brotli.NewWriterLevel(nil, fast) }},
}

// fast is a level that suits what is compressed anew for each peer.
const fast = 3

// Append appends src in one of the codings named above. Any goroutine may call
// it; it takes some milliseconds per megabyte.
func Append(dst []byte, coding string, src []byte) ([]byte, error) {
	pool := pools[coding]
	if pool == nil {
		return dst, fmt.Errorf("contentcoding: %q is not known", coding)
	}
	w := pool.Get().(writer)
	defer pool.Put(w)
	out := &appender{dst}
	w.Reset(out)
	if _, err := w.Write(src); err != nil {
		return dst, fmt.Errorf("contentcoding: %s: %w", coding, err)
	}
	if err := w.Close(); err != nil {
		return dst, fmt.Errorf("contentcoding: %s: %w", coding, err)
	}
	return out.b, nil
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}
