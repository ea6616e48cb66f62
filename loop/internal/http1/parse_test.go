package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// readHead finds and parses a head as a connection does.
func readHead(input []byte, r *Request, lim Limits) error {
	var s HeadScanner
	end, err := s.Scan(input, lim)
	if err != nil {
		return err
	}
	if err := ParseHead(input[:end], r, lim); err != nil {
		return err
	}
	return r.CheckBody(lim)
}

// request is what tests compare of a Request.
type request struct {
	Method, Target, Path, Query, Host, Upgrade string
	Minor                                      int
	Length                                     int64
	Chunked, KeepAlive, Continue               bool
}

func flatten(r *Request) request {
	return request{
		Method: string(r.Method), Target: string(r.Target), Path: string(r.Path), Query: string(r.Query),
		Host: string(r.Host), Upgrade: string(r.Upgrade), Minor: r.Minor, Length: r.ContentLength,
		Chunked: r.Chunked, KeepAlive: r.KeepAlive, Continue: r.ExpectContinue,
	}
}

// head joins lines to a head.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

var acceptedHeads = []struct {
	name string
	head string
	want request
}{
	{
		"plain", head("GET /a/b?c=d HTTP/1.1", "Host: example.org"),
		request{Method: "GET", Target: "/a/b?c=d", Path: "/a/b", Query: "c=d", Host: "example.org", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"empty lines in front", "\r\n\r\n" + head("GET / HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"second question mark", head("GET /?a?b HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "/?a?b", Path: "/", Query: "a?b", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"two slashes", head("GET //a/b HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "//a/b", Path: "//a/b", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"any method", head("x-Y! / HTTP/1.1", "Host: a"),
		request{Method: "x-Y!", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"options of the server", head("OPTIONS * HTTP/1.1", "Host: a"),
		request{Method: "OPTIONS", Target: "*", Path: "*", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"absolute form", head("GET http://b:80/x?y HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "/x?y", Path: "/x", Query: "y", Host: "b:80", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"absolute form without path", head("GET HTTPS://b HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "/", Path: "/", Host: "b", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"absolute form with query only", head("GET http://b?y=/z HTTP/1.1", "Host: a"),
		request{Method: "GET", Target: "/?y=/z", Path: "/", Query: "y=/z", Host: "b", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"1.0 without host", head("GET / HTTP/1.0"),
		request{Method: "GET", Target: "/", Path: "/", Length: -1},
	},
	{
		"1.0 keep-alive", head("GET / HTTP/1.0", "Connection: Keep-Alive"),
		request{Method: "GET", Target: "/", Path: "/", Length: -1, KeepAlive: true},
	},
	{
		"1.0 close wins", head("GET / HTTP/1.0", "Connection: keep-alive, close"),
		request{Method: "GET", Target: "/", Path: "/", Length: -1},
	},
	{
		"1.0 does not upgrade or expect", head("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: websocket", "Expect: 100-continue"),
		request{Method: "GET", Target: "/", Path: "/", Length: -1},
	},
	{
		"close", head("GET / HTTP/1.1", "Host: a", "Connection: close"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1},
	},
	{
		"close in a list", head("GET / HTTP/1.1", "Host: a", "Connection: foo ,\tCLOSE,"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1},
	},
	{
		"close in the second header", head("GET / HTTP/1.1", "Host: a", "Connection: keep-alive", "Connection: close"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1},
	},
	{
		"closed is not close", head("GET / HTTP/1.1", "Host: a", "Connection: closed"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"upgrade", head("GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, KeepAlive: true, Upgrade: "WebSocket"},
	},
	{
		"upgrade not in connection", head("GET / HTTP/1.1", "Host: a", "Upgrade: websocket"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"length", head("POST / HTTP/1.1", "Host: a", "content-LENGTH: 12"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, Length: 12, KeepAlive: true},
	},
	{
		"length zero", head("POST / HTTP/1.1", "Host: a", "Content-Length: 0"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, KeepAlive: true},
	},
	{
		"length with zeros in front", head("POST / HTTP/1.1", "Host: a", "Content-Length: 00000000000000000000000000012"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, Length: 12, KeepAlive: true},
	},
	{
		"length at the limit", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1000000"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, Length: 1_000_000, KeepAlive: true},
	},
	{
		"chunked", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, Length: -1, Chunked: true, KeepAlive: true},
	},
	{
		"expects continue", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Expect: 100-Continue"),
		request{Method: "POST", Target: "/", Path: "/", Host: "a", Minor: 1, Length: 1, KeepAlive: true, Continue: true},
	},
	{
		"host empty", head("GET / HTTP/1.1", "Host:"),
		request{Method: "GET", Target: "/", Path: "/", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"host with port", head("GET / HTTP/1.1", "Host: a-b.example:8080"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a-b.example:8080", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"host with empty port", head("GET / HTTP/1.1", "Host: a:"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a:", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"host with percent-encoding", head("GET / HTTP/1.1", "Host: a%C3%a4"),
		request{Method: "GET", Target: "/", Path: "/", Host: "a%C3%a4", Minor: 1, Length: -1, KeepAlive: true},
	},
	{
		"host in brackets", head("GET / HTTP/1.1", "Host: [::1]:80"),
		request{Method: "GET", Target: "/", Path: "/", Host: "[::1]:80", Minor: 1, Length: -1, KeepAlive: true},
	},
}

func TestParseHeadAccepts(t *testing.T) {
	var r Request // shared, as on a loop: nothing of the last request may stay
	for _, tt := range acceptedHeads {
		t.Run(tt.name, func(t *testing.T) {
			if got := checkSplits(t, []byte(tt.head), Limits{}); got.end != len(tt.head) {
				t.Fatalf("Scan: got %v, want end %d", got, len(tt.head))
			}
			if err := readHead([]byte(tt.head), &r, Limits{}); err != nil {
				t.Fatal(err)
			}
			if got := flatten(&r); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			checkAgainstNetHTTP(t, []byte(tt.head), &r)
		})
	}
}

var refusedHeads = []struct {
	name   string
	head   string
	status int
}{
	{"request line of one word", head("GET"), 400},
	{"no version", head("GET /"), 400},
	{"no target", head("GET HTTP/1.1"), 400},
	{"empty target", head("GET  HTTP/1.1", "Host: a"), 400},
	{"two spaces", head("GET  / HTTP/1.1", "Host: a"), 400},
	{"tab in the request line", head("GET\t/ HTTP/1.1", "Host: a"), 400},
	{"space behind the version", head("GET / HTTP/1.1 ", "Host: a"), 400},
	{"space in the target", head("GET /a b HTTP/1.1", "Host: a"), 400},
	{"method not a token", head("G(T / HTTP/1.1", "Host: a"), 400},
	{"control byte in the target", head("GET /\x01 HTTP/1.1", "Host: a"), 400},
	{"NUL in the target", head("GET /\x00 HTTP/1.1", "Host: a"), 400},
	{"DEL in the target", head("GET /\x7f HTTP/1.1", "Host: a"), 400},
	{"CR in the target", head("GET /\r HTTP/1.1", "Host: a"), 400},
	{"non-ASCII target", head("GET /\xc3\xa4 HTTP/1.1", "Host: a"), 400},
	{"fragment", head("GET /a#b HTTP/1.1", "Host: a"), 400},
	{"path without slash", head("GET a HTTP/1.1", "Host: a"), 400},
	{"star but not OPTIONS", head("GET * HTTP/1.1", "Host: a"), 400},
	{"authority form", head("GET a:80 HTTP/1.1", "Host: a"), 400},
	{"CONNECT", head("CONNECT a:80 HTTP/1.1", "Host: a:80"), 400},
	{"CONNECT with a path", head("CONNECT /a HTTP/1.1", "Host: a"), 400},
	{"absolute form without host", head("GET http:///a HTTP/1.1", "Host: a"), 400},
	{"absolute form with port only", head("GET http://:80/a HTTP/1.1", "Host: a"), 400},
	{"absolute form with user", head("GET http://u@b/a HTTP/1.1", "Host: a"), 400},
	{"absolute form of another scheme", head("GET ftp://b/a HTTP/1.1", "Host: a"), 400},

	{"lower-case protocol", head("GET / http/1.1", "Host: a"), 400},
	{"long version", head("GET / HTTP/1.10", "Host: a"), 400},
	{"version of letters", head("GET / HTTP/1.x", "Host: a"), 400},
	{"version 0.9", head("GET / HTTP/0.9"), 505},
	{"version 1.2", head("GET / HTTP/1.2", "Host: a"), 505},
	{"version 2.0", head("PRI * HTTP/2.0"), 505},

	{"no colon", head("GET / HTTP/1.1", "Host: a", "abc"), 400},
	{"empty name", head("GET / HTTP/1.1", "Host: a", ": b"), 400},
	{"space before the colon", head("GET / HTTP/1.1", "Host : a"), 400},
	{"tab before the colon", head("GET / HTTP/1.1", "Host\t: a"), 400},
	{"space in the name", head("GET / HTTP/1.1", "Host: a", "a b: c"), 400},
	{"non-ASCII name", head("GET / HTTP/1.1", "Host: a", "\xe4: c"), 400},
	{"folded line", head("GET / HTTP/1.1", "Host: a", "A: b", " c"), 400},
	{"folded first line", head("GET / HTTP/1.1", " Host: a"), 400},
	{"folded by a tab", head("GET / HTTP/1.1", "Host: a", "A: b", "\tc"), 400},
	{"bare CR in a value", head("GET / HTTP/1.1", "Host: a", "A: b\rc"), 400},
	{"CR at the end of a value", head("GET / HTTP/1.1", "Host: a", "A: b\r"), 400},
	{"NUL in a value", head("GET / HTTP/1.1", "Host: a", "A: b\x00c"), 400},
	{"control byte in a long value", head("GET / HTTP/1.1", "Host: a", "A: 0123456789\x1babcdef"), 400},
	{"DEL in a long value", head("GET / HTTP/1.1", "Host: a", "A: 0123456789\x7fabcdef"), 400},

	{"no host", head("GET / HTTP/1.1"), 400},
	{"absolute form without host header", head("GET http://b/ HTTP/1.1"), 400},
	{"two hosts", head("GET / HTTP/1.1", "Host: a", "host: a"), 400},
	{"two hosts in 1.0", head("GET / HTTP/1.0", "Host: a", "Host: a"), 400},
	{"host with a space", head("GET / HTTP/1.1", "Host: a b"), 400},
	{"host with a slash", head("GET / HTTP/1.1", "Host: a/b"), 400},
	{"host with a user", head("GET / HTTP/1.1", "Host: u@a"), 400},
	{"host list", head("GET / HTTP/1.1", "Host: a:80, b"), 400},
	{"host with a bad port", head("GET / HTTP/1.1", "Host: a:8x"), 400},
	{"host with two ports", head("GET / HTTP/1.1", "Host: a:8:9"), 400},
	{"host with an open bracket", head("GET / HTTP/1.1", "Host: [::1"), 400},
	{"host with junk behind the bracket", head("GET / HTTP/1.1", "Host: [::1]a"), 400},
	{"host with a name in brackets", head("GET / HTTP/1.1", "Host: [name]"), 400},
	{"host with empty brackets", head("GET / HTTP/1.1", "Host: []"), 400},
	{"host with half a percent-encoding", head("GET / HTTP/1.1", "Host: a%4"), 400},
	{"non-ASCII host", head("GET / HTTP/1.1", "Host: \xc3\xa4"), 400},

	{"two lengths", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2"), 400},
	{"two equal lengths", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 1"), 400},
	{"list of lengths", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1, 1"), 400},
	{"empty length", head("POST / HTTP/1.1", "Host: a", "Content-Length:"), 400},
	{"signed length", head("POST / HTTP/1.1", "Host: a", "Content-Length: +1"), 400},
	{"negative length", head("POST / HTTP/1.1", "Host: a", "Content-Length: -1"), 400},
	{"hexadecimal length", head("POST / HTTP/1.1", "Host: a", "Content-Length: 0x1"), 400},
	{"length over 63 bits", head("POST / HTTP/1.1", "Host: a", "Content-Length: 9223372036854775808"), 400},
	{"length over 64 bits", head("POST / HTTP/1.1", "Host: a", "Content-Length: 18446744073709551617"), 400},
	{"length and coding", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Transfer-Encoding: chunked"), 400},
	{"length and unknown coding", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip", "Content-Length: 1"), 400},
	{"coding in 1.0", head("POST / HTTP/1.0", "Transfer-Encoding: chunked"), 400},
	{"chunked twice", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked, chunked"), 400},
	{"chunked in two headers", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400},
	{"empty coding", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding:"), 400},
	{"empty coding in a list", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: ,chunked"), 400},
	{"unknown coding", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked"), 501},
	{"identity coding", head("GET / HTTP/1.1", "Host: a", "Transfer-Encoding: identity"), 501},
	{"coding with a parameter", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked;a=b"), 501},
	{"coding that looks like chunked", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked"), 501},
	{"coding with a vertical tab", head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: \x0bchunked"), 400},

	{"POST without length", head("POST / HTTP/1.1", "Host: a"), 411},
	{"PUT without length", head("PUT / HTTP/1.1", "Host: a"), 411},
	{"PATCH without length in 1.0", head("PATCH / HTTP/1.0"), 411},
	{"body over the limit", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1000001"), 413},
	{"unknown expectation", head("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Expect: more"), 417},
	{"unknown expectation behind a known one", head("GET / HTTP/1.1", "Host: a", "Expect: 100-continue", "Expect: x"), 417},
	{"empty expectation", head("GET / HTTP/1.1", "Host: a", "Expect:"), 417},
}

func TestParseHeadRefuses(t *testing.T) {
	var r Request
	for _, tt := range refusedHeads {
		t.Run(tt.name, func(t *testing.T) {
			checkSplits(t, []byte(tt.head), Limits{})
			if err := readHead([]byte(tt.head), &r, Limits{}); !hasStatus(err, tt.status) {
				t.Fatalf("got %v, want status %d", err, tt.status)
			}
		})
	}
}

// A caller that has its head from elsewhere gets the same limits.
func TestParseHeadOnItsOwn(t *testing.T) {
	good := head("GET /abc HTTP/1.1", "Host: a", "B: c")
	tests := []struct {
		name   string
		head   string
		lim    Limits
		status int
	}{
		{"empty", "", Limits{}, 400},
		{"no blank line", good[:len(good)-2], Limits{}, 400},
		{"bytes behind", good + "x", Limits{}, 400},
		{"bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", Limits{}, 400},
		{"three empty lines", "\r\n\r\n\r\n" + good, Limits{}, 400},
		{"request line at the limit", good, Limits{RequestLine: 17}, 0},
		{"request line", good, Limits{RequestLine: 16}, 414},
		{"header bytes at the limit", good, Limits{HeaderBytes: 17}, 0},
		{"header bytes", good, Limits{HeaderBytes: 16}, 431},
		{"headers at the limit", good, Limits{Headers: 2}, 0},
		{"headers", good, Limits{Headers: 1}, 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Request
			if err := ParseHead([]byte(tt.head), &r, tt.lim); !hasStatus(err, tt.status) {
				t.Fatalf("got %v, want status %d", err, tt.status)
			}
		})
	}
}

func TestRequestGet(t *testing.T) {
	var r Request
	input := head("GET /?sid=a&sid=b HTTP/1.1", "HOST: a", "X-A:\t one  two \t", "x-a: three", "Empty:", "Latin: \xe4")
	if err := readHead([]byte(input), &r, Limits{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"host": "a", "x-A": "one  two", "Latin": "\xe4"} {
		if got := r.Get(name); string(got) != want {
			t.Errorf("Get(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"host": "<a", "X-A": "<one  two,three", "empty": "<", "absent": "<"} {
		if got := r.AppendValues([]byte("<"), name); string(got) != want {
			t.Errorf("AppendValues(%q) = %q, want %q", name, got, want)
		}
	}
	if got := r.Get("empty"); got == nil || len(got) != 0 {
		t.Errorf("Get of an empty header = %#v, want empty and not nil", got)
	}
	if got := r.Get("absent"); got != nil {
		t.Errorf("Get of no header = %q, want nil", got)
	}
	if got := r.QueryValue("sid"); string(got) != "b" {
		t.Errorf("QueryValue = %q, want b", got)
	}
	if got := r.QueryValue("absent"); got != nil {
		t.Errorf("QueryValue of no parameter = %q, want nil", got)
	}
	if got := len(r.Headers); got != 5 {
		t.Errorf("%d headers, want 5", got)
	}
}

func TestIsValueAgreesWithItsClass(t *testing.T) {
	for c := range 256 {
		for at := range 17 {
			b := []byte("abc\td\xffgh ijklmno")
			b[at%len(b)] = byte(c)
			if got, want := isValue(b), isAll(b, classValue); got != want {
				t.Fatalf("isValue(%q) = %v, want %v", b, got, want)
			}
		}
	}
}

// checkAgainstNetHTTP fails unless net/http reads an accepted head in the same
// way. Where two parsers differ, requests can be smuggled.
func checkAgainstNetHTTP(t testing.TB, input []byte, r *Request) {
	t.Helper()
	for range maxEmptyLines {
		input = bytes.TrimPrefix(input, []byte("\r\n")) // net/http does not skip them
	}
	want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(input)))
	if err != nil {
		if strings.Contains(err.Error(), "parse ") || r.Get("Trailer") != nil {
			return // net/http also looks into the path, and at announced trailers
		}
		t.Fatalf("accepted %q, net/http: %v", input, err)
	}
	type view struct {
		method, path, query string
		minor               int
		length              int64
		chunked, keepAlive  bool
	}
	got := view{string(r.Method), string(r.Target), string(r.Query), r.Minor, max(r.ContentLength, 0), r.Chunked, r.KeepAlive}
	if r.Chunked {
		got.length = -1
	}
	std := view{
		want.Method, want.RequestURI, want.URL.RawQuery, want.ProtoMinor,
		want.ContentLength, len(want.TransferEncoding) > 0, !want.Close,
	}
	if absolute := want.URL.Host != ""; absolute {
		got.path, std.path = "", ""
	}
	if got != std {
		t.Errorf("%q:\ngot      %+v\nnet/http %+v", input, got, std)
	}
	if !strings.Contains(string(r.Host), "%") && string(r.Host) != want.Host {
		t.Errorf("%q: host %q, net/http %q", input, r.Host, want.Host)
	}
	headers := make(http.Header)
	for _, h := range r.Headers {
		headers.Add(string(h.Name), string(h.Value))
	}
	// net/http moves these two elsewhere, and adds the header that Pragma stands for.
	headers.Del("Host")
	if r.Chunked {
		headers.Del("Transfer-Encoding")
		want.Header.Del("Transfer-Encoding")
	}
	if headers.Get("Pragma") != "" {
		headers.Del("Cache-Control")
		want.Header.Del("Cache-Control")
	}
	if headers.Get("Trailer") != "" {
		headers.Del("Trailer")
		want.Header.Del("Trailer")
	}
	if !reflect.DeepEqual(headers, want.Header) {
		t.Errorf("%q:\ngot      %q\nnet/http %q", input, headers, want.Header)
	}
}
