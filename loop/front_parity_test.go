package loop

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// parityHandler has one path for each thing that a handler may do.
func parityHandler(tb testing.TB) http.Handler {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "file.txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("0123456789", 1000)), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Unix(1e9, 0)); err != nil {
		tb.Fatal(err)
	}
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Behind", r.Header.Get("X-Forwarded-For"))
		echoBody(w, r)
	}))
	tb.Cleanup(behind.Close)
	target, err := url.Parse(behind.URL)
	if err != nil {
		tb.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}

	large := strings.Repeat("0123456789abcdef", 8192)
	mux := http.NewServeMux()
	handle := func(path string, h http.HandlerFunc) { mux.HandleFunc(path, h) }
	header := func(name, value string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header()[name] = []string{value}
			then(w, r)
		}
	}
	text := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { write(w, parts...) }
	}
	status := func(code int, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); then(w, r) }
	}
	flush := func(w http.ResponseWriter) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			tb.Error(err)
		}
	}
	handle("/nothing", text())
	handle("/small", text("a", "", "b"))
	handle("/html", text("<html>"))
	handle("/large", text(large))
	handle("/length", header("Content-Length", fmt.Sprint(len(large)), text(large)))
	handle("/long", header("Content-Length", "3", text("ab", "c", "HTTP/1.1 200 OK\r\n\r\n")))
	handle("/short", header("Content-Length", "10", text("abc")))
	handle("/badlength", header("Content-Length", "5\r\nX: y", text("abc")))
	handle("/injection", header("X", "a\r\nY: b\r\nc", header("Y: y\r\nZ", "z", header("Bad Name", "z", text("abc")))))
	handle("/close", header("Connection", "close", text("abc")))
	handle("/keep", header("Connection", "keep-alive", text("abc")))
	handle("/chunked", header("Transfer-Encoding", "chunked", text("abc")))
	handle("/identity", header("Transfer-Encoding", "identity", text("abc")))
	handle("/encoded", header("Content-Encoding", "gzip", text("abc")))
	handle("/status", header("X", "v", status(201, header("X", "too late", text("x")))))
	handle("/nophrase", status(299, text("x")))
	handle("/204", status(204, text("abc")))
	handle("/304", header("Content-Length", "3", status(304, text("abc"))))
	handle("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) })
	handle("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/small", http.StatusTemporaryRedirect)
	})
	handle("/flushed", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "one")
		flush(w)
		flush(w)
		write(w, "two")
	})
	handle("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Link")
		write(w, "late")
	})
	handle("/trailer", header("Trailer", "X-Sum, X-Other", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "abc")
		w.Header().Set("X-Sum", "6")
		w.Header().Set(http.TrailerPrefix+"X-More", "m")
	}))
	handle("/trailers-of-request", func(w http.ResponseWriter, r *http.Request) {
		echoBody(w, r)
		fmt.Fprint(w, " ", r.Trailer)
	})
	handle("/panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	handle("/panic-late", func(w http.ResponseWriter, _ *http.Request) {
		write(w, "abc")
		flush(w)
		panic(http.ErrAbortHandler)
	})
	handle("/echo", echoBody)
	handle("/headers", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, " ", r.Proto, " ", r.Host, " ", r.URL, " ", r.Header, " ", r.ContentLength, " ", r.TransferEncoding)
	})
	handle("/part", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 3)
		write(w, "enough")
	})
	handle("/duplex", func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			tb.Error(err)
		}
		for b := make([]byte, 3); ; {
			n, err := io.ReadFull(r.Body, b)
			write(w, string(b[:n]), ".")
			flush(w)
			if err != nil {
				return
			}
		}
	})
	mux.Handle("/limited", http.MaxBytesHandler(http.HandlerFunc(echoBody), 4))
	mux.Handle("/timeout", http.TimeoutHandler(http.HandlerFunc(echoBody), time.Minute, "late"))
	mux.Handle("/late", http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late"))
	mux.Handle("/dir/", http.StripPrefix("/dir", http.FileServer(http.Dir(dir))))
	mux.Handle("/proxy/", proxy)
	return mux
}

// raw makes a request of a request line, headers and a body.
func raw(line, body string, headers ...string) string {
	return strings.Join(slices.Concat([]string{line, "Host: a"}, headers, []string{"", ""}), "\r\n") + body
}

// varying is what no two answers share.
var varying = regexp.MustCompile(`Date: [^\r]*\r\n`)

// TestAnswersAreNetHTTPs compares with a server of net/http's, byte for byte but for
// dates: all that comes until the server closes, or the client has had enough.
func TestAnswersAreNetHTTPs(t *testing.T) {
	h := parityHandler(t)
	plain := httptest.NewServer(h)
	t.Cleanup(plain.Close)
	plain.Config.ErrorLog = log.New(io.Discard, "", 0)
	ours := serveWith(t, fronted{echo, h})
	last := raw("GET /small HTTP/1.1", "", "Connection: close")
	var requests []string
	for _, path := range []string{
		"nothing", "small", "html", "large", "length", "long", "short", "badlength", "injection", "close", "keep", "chunked", "identity",
		"encoded", "status", "nophrase", "204", "304", "error", "redirect", "flushed", "early", "trailer", "panic", "panic-late",
		"headers", "absent", "late", "dir/", "dir/file.txt", "dir/absent", "dir/../dir/file.txt", "proxy/a?b=c", "timeout",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			requests = append(requests,
				raw(method+" /"+path+" HTTP/1.1", ""),
				raw(method+" /"+path+" HTTP/1.1", "", "Connection: close"),
				raw(method+" /"+path+" HTTP/1.0", ""),
				raw(method+" /"+path+" HTTP/1.0", "", "Connection: keep-alive"))
		}
		requests = append(requests, raw("POST /"+path+" HTTP/1.1", "body", "Content-Length: 4"))
	}
	for _, path := range []string{"echo", "part", "duplex", "limited", "nothing", "large", "headers", "proxy/", "timeout", "trailers-of-request", "close", "panic", "204"} {
		body := "0123456789"
		chunks := "3\r\n012\r\n7\r\n3456789\r\n0\r\n"
		requests = append(requests,
			raw("POST /"+path+" HTTP/1.1", body, "Content-Length: 10"),
			raw("POST /"+path+" HTTP/1.1", body, "Content-Length: 10", "Connection: close"),
			raw("POST /"+path+" HTTP/1.0", body, "Content-Length: 10"),
			raw("POST /"+path+" HTTP/1.1", "", "Content-Length: 0"),
			raw("POST /"+path+" HTTP/1.1", ""),
			raw("PUT /"+path+" HTTP/1.1", chunks+"\r\n", "Transfer-Encoding: chunked"),
			raw("PUT /"+path+" HTTP/1.1", chunks+"X-Sum: 1\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: X-Sum"),
			raw("POST /"+path+" HTTP/1.1", strings.Repeat("x", 300<<10), "Content-Length: 307200"),
			raw("DELETE /"+path+" HTTP/1.1", body, "Content-Length: 10"),
			raw("GET /"+path+" HTTP/1.1", body, "Content-Length: 10"))
		if path == "proxy/" {
			continue // what it passes on of the other server's 100 is a matter of luck
		}
		requests = append(requests,
			raw("POST /"+path+" HTTP/1.1", body, "Content-Length: 10", "Expect: 100-continue"),
			raw("PATCH /"+path+" HTTP/1.1", chunks+"\r\n", "Transfer-Encoding: chunked", "Expect: 100-continue"))
	}
	requests = append(requests,
		raw("OPTIONS * HTTP/1.1", ""),
		raw("GET http://b/headers?x HTTP/1.1", "", "X-A: 1", "x-a: 2", "Cookie: a=b", "Pragma: no-cache"),
		raw("get /headers HTTP/1.1", ""),
		raw("GET //small HTTP/1.1", ""),
		raw("GET /he%61ders?a=%zz;b HTTP/1.1", ""),
		raw("GET /headers HTTP/1.1", "", "Connection: upgrade, keep-alive", "Upgrade: websocket"),
		raw("GET /dir/file.txt HTTP/1.1", "", "Range: bytes=5-14"),
		raw("GET /dir/file.txt HTTP/1.1", "", "Range: bytes=-5"),
		raw("GET /dir/file.txt HTTP/1.1", "", "Range: bytes=99999-"),
		raw("GET /dir/file.txt HTTP/1.1", "", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"),
		raw("HEAD /dir/file.txt HTTP/1.1", "", "Range: bytes=0-0"),
		raw("GET /%zz HTTP/1.1", ""),
	)
	for i, request := range requests {
		line, _, _ := strings.Cut(request, "\r\n")
		t.Run(fmt.Sprintf("%d %s", i, line), func(t *testing.T) {
			input := request + last
			want, got := exchange(t, plain.Listener.Addr().String(), input), exchange(t, ours.addr, input)
			if !bytes.Equal(got, want) {
				t.Errorf("%.300q\ngot  %.1500q\nwant %.1500q", input, got, want)
			}
		})
	}
	ours.wantHandlers(t, 0)
}

// exchange sends input and returns what comes up to the end, without dates.
func exchange(t *testing.T, addr, input string) []byte {
	t.Helper()
	c := dial(t, "tcp", addr)
	defer c.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(c, input) // the server may have closed
	}()
	all, err := io.ReadAll(c.br)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("reading: %v", err)
	}
	c.Close()
	<-sent
	return varying.ReplaceAll(all, nil)
}
