package engine

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// TestHTTPCompression shows E8, E52, E53 and W14.
func TestHTTPCompression(t *testing.T) {
	small, large := strings.Repeat("s", 1022), strings.Repeat("compressible ", 5000)
	at := strings.Repeat("t", 1023) // with the packet's type, the threshold
	for _, tc := range []struct {
		name, accept, text, want string
		plain, binary            bool
	}{
		{name: "below the threshold", accept: "gzip", text: small},
		{name: "at the threshold", accept: "gzip", text: at, want: "gzip"},
		{name: "large", accept: "gzip", text: large, want: "gzip"},
		{name: "deflate", accept: "deflate", text: large, want: "deflate"},
		{name: "brotli", accept: "br", text: large, want: "br"},
		{name: "the first of equals", accept: "deflate, gzip, br", text: at, want: "deflate"},
		{name: "by weight", accept: "deflate;q=0.5, gzip;q=0.9", text: at, want: "gzip"},
		{name: "any", accept: "*", text: at, want: "gzip"},
		{name: "none that is known", accept: "zstd, identity", text: at},
		{name: "not asked for", text: large},
		{name: "refused", accept: "gzip;q=0", text: at},
		{name: "a message not to be compressed", accept: "gzip", text: large, plain: true},
		{name: "binary", accept: "gzip", text: large, binary: true, want: "gzip"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			c := f.poll(t)
			m := NewMessage([]byte(tc.text), tc.binary)
			if tc.plain {
				m = m.Uncompressed()
			}
			if err := c.Send(false, m); err != nil {
				t.Fatal(err)
			}
			c.eventually(t, "a queued message", func() bool { return len(c.polling.queue) == 1 })
			header := []string{"X-Other: 1"}
			if tc.accept != "" {
				header = append(header, "Accept-Encoding: "+tc.accept)
			}
			a := c.get.do(http.MethodGet, c.target, "", header...)
			if got := a.header.Get("Content-Encoding"); a.status != 200 || got != tc.want {
				t.Fatalf("%d, encoding %q, want %q", a.status, got, tc.want)
			}
			if (a.header.Get("Vary") == "Accept-Encoding") != (tc.want != "") {
				t.Errorf("header %v", a.header)
			}
			want := "4" + tc.text
			if tc.binary {
				want = "b" + encode64(tc.text)
			}
			if got := decompress(t, tc.want, a.body); got != want {
				t.Errorf("got %d bytes %.50q, want %d", len(got), got, len(want))
			}
			c.wantEcho("goes on") // on the same connection
		})
	}
	t.Run("switched off", func(t *testing.T) {
		f := serve(t, func(c *config) { c.CompressionThreshold = -1 })
		c := f.poll(t)
		c.wantPost("4" + large)
		if a := c.get.do(http.MethodGet, c.target, "", "Accept-Encoding: gzip"); a.header.Get("Content-Encoding") != "" || a.body != "4"+large {
			t.Errorf("header %v", a.header)
		}
	})
	t.Run("JSONP", func(t *testing.T) {
		f := serve(t, withEIO3, silent)
		c := f.poll3(t, "&j=1")
		c.send(t, large)
		c.eventually(t, "a queued message", func() bool { return len(c.polling.queue) == 1 })
		a := c.get.do(http.MethodGet, c.target, "", "Accept-Encoding: gzip")
		if got := decompress(t, a.header.Get("Content-Encoding"), a.body); !strings.HasPrefix(got, `___eio[1]("65001:4compressible `) {
			t.Errorf("got %.80s", got)
		}
	})
}

// The peer may be gone by the time that a large answer is compressed.
func TestCompressionForNobody(t *testing.T) {
	f := serve(t)
	others := newNeighbours(t, f)
	c := f.poll(t)
	c.get.send(http.MethodGet, c.target, "", "Accept-Encoding: gzip")
	c.wantPolling(t)
	c.send(t, strings.Repeat("x", 500_000))
	c.get.conn.Close()
	others.wantUnaffected(t)
}

func encode64(s string) string {
	return base64.StdEncoding.EncodeToString([]byte(s))
}

func decompress(tb testing.TB, coding, body string) string {
	tb.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	}
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// TestCompressionFails shows E54: the peer is told, and the session goes on.
func TestCompressionFails(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.get.send(http.MethodGet, c.target, "")
	c.wantPolling(t)
	c.inspect(t, func() { c.polling.get.encoding = "none that there is" })
	c.send(t, strings.Repeat("x", 2000))
	c.get.want(500, "")
	c.wantEcho("goes on")
}
