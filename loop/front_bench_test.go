package loop

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkHandler is a small GET that an http.Handler answers, over one connection
// of loopback: through the loop, and by a server of net/http's for comparison. The
// client is the same, and costs as good as nothing.
func BenchmarkHandler(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, "hello, world") })
	plain := httptest.NewServer(h)
	defer plain.Close()
	f := serveWith(b, fronted{echo, h})
	for _, bc := range []struct{ name, addr, target string }{
		{"net-http", plain.Listener.Addr().String(), "/"},
		{"reactor", f.addr, "/"},
		{"reactor, no handler", f.addr, "/loop/"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := dial(b, "tcp", bc.addr)
			request := []byte(get(bc.target))
			answer := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Read(answer); err != nil { // one write is one segment here
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUpload is a body of 64 MiB on its way to a handler.
func BenchmarkUpload(b *testing.B) {
	const size = 64 << 20
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	plain := httptest.NewServer(h)
	defer plain.Close()
	f := serveWith(b, fronted{echo, h})
	for _, bc := range []struct{ name, addr string }{{"net-http", plain.Listener.Addr().String()}, {"reactor", f.addr}} {
		b.Run(bc.name, func(b *testing.B) {
			c := dial(b, "tcp", bc.addr)
			b.SetBytes(size)
			for b.Loop() {
				c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size))
				if _, err := io.CopyN(c, zeros{}, size); err != nil {
					b.Fatal(err)
				}
				c.want(200, fmt.Sprint(size))
			}
		})
	}
}
