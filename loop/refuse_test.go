package loop

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// small makes limits that tests reach quickly.
func small(o *Options) {
	o.MaxRequestLine, o.MaxHeaderBytes, o.MaxHeaders = 128, 512, 8
	o.MaxBody, o.MaxMessage = 1000, 1000
	// Who is refused has no need to wait, but a slow machine must not end others.
	o.HeaderTimeout, o.BodyTimeout = time.Minute, time.Minute
}

// bystanders are a WebSocket and a keep-alive client on the loop that a test
// troubles.
type bystanders struct{ ws, http *client }

func (f *fixture) bystanders(tb testing.TB) *bystanders {
	tb.Helper()
	b := &bystanders{ws: f.dial(tb).upgrade(), http: f.dial(tb)}
	b.check(tb)
	return b
}

// check fails if they have noticed anything.
func (b *bystanders) check(tb testing.TB) {
	tb.Helper()
	b.ws.tb, b.http.tb = tb, tb
	b.ws.wantEcho("still here")
	b.http.send(get("/still-here"))
	b.http.want(200, "GET /still-here ")
}

func TestBadRequests(t *testing.T) {
	f := serve(t, echo, small)
	others := f.bystanders(t)
	post := func(headers, body string) string {
		return "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body
	}
	chunked := func(body string) string { return post("Transfer-Encoding: chunked\r\n", body) }
	header := func(line string) string { return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n" }
	for _, tt := range []struct {
		name, input string
		status      int
	}{
		{"request line too long", "GET /" + strings.Repeat("a", 200) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
		{"endless request line", "GET /" + strings.Repeat("a", 200), 414},
		{"headers too large", header("X: " + strings.Repeat("a", 600) + "\r\n"), 431},
		{"endless header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 600), 431},
		{"too many headers", header(strings.Repeat("X: y\r\n", 9)), 431},
		{"trailers too large", chunked("0\r\nX: " + strings.Repeat("a", 5000) + "\r\n"), 431},
		{"body over the limit", post("Content-Length: 1001\r\n", ""), 413},
		{"body far over the limit", post("Content-Length: 9223372036854775807\r\n", ""), 413},
		{"chunk over the limit", chunked("3e9\r\n"), 413},
		{"chunks over the limit", chunked("3e0\r\n" + strings.Repeat("a", 0x3e0) + "\r\n20\r\n"), 413},
		{"no length", post("", ""), 411},
		{"version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
		{"version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"unknown transfer coding", post("Transfer-Encoding: gzip, chunked\r\n", ""), 501},
		{"no version", "GET /\r\n\r\n", 400},
		{"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"control byte in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"bad method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
		{"malformed target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"conflicting lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"), 400},
		{"repeated lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), 400},
		{"listed lengths", post("Content-Length: 1, 1\r\n", "a"), 400},
		{"signed length", post("Content-Length: +1\r\n", "a"), 400},
		{"negative length", post("Content-Length: -1\r\n", "a"), 400},
		{"empty length", post("Content-Length:\r\n", "a"), 400},
		{"overflowing length", post("Content-Length: 99999999999999999999\r\n", "a"), 400},
		{"length and coding", post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
		{"coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "0\r\n\r\n"), 400},
		{"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"doubly chunked", post("Transfer-Encoding: chunked, chunked\r\n", ""), 400},
		{"unknown expectation", header("Expect: miracles\r\n"), 417},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two Hosts", header("Host: b\r\n"), 400},
		{"malformed Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
		{"bare CR in a value", header("X: a\rb\r\n"), 400},
		{"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
		{"NUL in a value", header("X: a\x00b\r\n"), 400},
		{"NUL in a name", header("X\x00: a\r\n"), 400},
		{"space before the colon", header("X : a\r\n"), 400},
		{"no colon", header("nonsense\r\n"), 400},
		{"folded header", header("X: a\r\n b\r\n"), 400},
		{"chunk size is no number", chunked("xyz\r\n"), 400},
		{"chunk size with a sign", chunked("-1\r\n"), 400},
		{"empty chunk size", chunked("\r\n"), 400},
		{"endless chunk size", chunked(strings.Repeat("0", 17)), 400},
		{"chunk without CRLF", chunked("1\r\nab"), 400},
		{"chunk line with a bare LF", chunked("1\na\r\n"), 400},
		{"endless chunk extension", chunked("1;" + strings.Repeat("a", 2000)), 400},
		{"malformed trailer", chunked("0\r\nno colon\r\n\r\n"), 400},
		{"empty lines", "\r\n\r\n\r\n\r\n", 400},
		{"garbage", "\x00\x01\x02\xff\xfe garbage", 400},
		{"TLS ClientHello", clientHello(t), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logged := f.log.count("request refused", fmt.Sprintf("status=%d", tt.status))
			counted := f.Stats().RefusedRequests[tt.status]
			c := f.dial(t)
			c.send(tt.input)
			res := c.response("GET")
			if res.StatusCode != tt.status || !res.Close || res.body == "" {
				t.Errorf("got %d %q, close %t; want %d", res.StatusCode, res.body, res.Close, tt.status)
			}
			// What follows is not taken for a request, and does not hold up the end.
			c.send(get("/smuggled"), strings.Repeat("x", 10_000))
			c.wantEnd()
			if n := f.log.count("request refused", fmt.Sprintf("status=%d", tt.status)); n != logged+1 {
				t.Errorf("%d log lines, want 1", n-logged)
			}
			if n := f.Stats().RefusedRequests[tt.status]; n != counted+1 {
				t.Errorf("counted %d times", n-counted)
			}
			others.check(t)
			c.Close()
			f.wantConnections(t, 2)
		})
	}
}

// clientHello returns what a browser sends that was told https.
func clientHello(tb testing.TB) string {
	tb.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		_ = tls.Client(b, &tls.Config{ServerName: "a"}).Handshake()
		b.Close()
	}()
	buf := make([]byte, 4096)
	n, err := a.Read(buf)
	if err != nil {
		tb.Fatal(err)
	}
	return string(buf[:n])
}

// TestRefusalIsReadWhileSending has a peer that goes on to send a large body
// before it reads: closing on it at once would lose the answer.
func TestRefusalIsReadWhileSending(t *testing.T) {
	f := serve(t, echo)
	c := f.dial(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
	if _, err := io.CopyN(c, zeros{}, 8_000_000); err != nil {
		t.Fatalf("sending: %v", err)
	}
	c.want(413, "body too large\n")
	c.wantEnd()
	f.wantConnections(t, 1) // it waits for the peer to close
	c.Close()
	f.wantConnections(t, 0)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestLingeringEnds has a refused peer that never closes.
func TestLingeringEnds(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.CloseTimeout = 30 * time.Millisecond })
	c := f.dial(t)
	c.send("garbage\r\n\r\n")
	c.response("GET")
	c.wantEnd()
	f.wantConnections(t, 0)
}

func TestBadFrames(t *testing.T) {
	f := serve(t, echo, small)
	others := f.bystanders(t)
	closing := func(code int, reason string) string {
		return frame(ws.OpClose, true, string([]byte{byte(code >> 8), byte(code)})+reason)
	}
	rsv := func(bits byte, op ws.OpCode) string {
		fr := ws.NewFrame(op, true, []byte("x"))
		fr.Header.Rsv = bits
		return encode(ws.MaskFrameInPlaceWith(fr, [4]byte{1, 2, 3, 4}))
	}
	for _, tt := range []struct {
		name  string
		parts []string // arrive in reads of their own
		code  ws.StatusCode
	}{
		{"unmasked", []string{encode(ws.NewTextFrame([]byte("x")))}, 1002},
		{"RSV1", []string{rsv(4, ws.OpText)}, 1002},
		{"RSV2", []string{rsv(2, ws.OpText)}, 1002},
		{"RSV3 on a ping", []string{rsv(1, ws.OpPing)}, 1002},
		{"opcode 3", []string{frame(3, true, "x")}, 1002},
		{"opcode 7", []string{frame(7, true, "x")}, 1002},
		{"opcode 11", []string{frame(11, true, "x")}, 1002},
		{"opcode 15", []string{frame(15, true, "")}, 1002},
		{"fragmented ping", []string{frame(ws.OpPing, false, "x")}, 1002},
		{"fragmented close", []string{frame(ws.OpClose, false, "")}, 1002},
		{"ping of 126 bytes", []string{frame(ws.OpPing, true, strings.Repeat("x", 126))}, 1002},
		{"continuation of nothing", []string{frame(ws.OpContinuation, true, "x")}, 1002},
		{"message inside a message", []string{frame(ws.OpText, false, "x"), text("y")}, 1002},
		{"length not minimal", []string{"\x81\xfe\x00\x01\x00\x00\x00\x00x"}, 1002},
		{"length of 64 bits not minimal", []string{"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00x"}, 1002},
		{"negative length", []string{"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"}, 1002},
		{"invalid UTF-8", []string{text("a\xffb")}, 1007},
		{"surrogate", []string{text("\xed\xa0\x80")}, 1007},
		{"text ends inside a rune", []string{text("\xe2\x82")}, 1007},
		{"fragments end inside a rune", []string{frame(ws.OpText, false, "\xe2"), frame(ws.OpContinuation, true, "\x82")}, 1007},
		{"fragments break a rune", []string{frame(ws.OpText, false, "\xe2\x82"), frame(ws.OpContinuation, false, "x")}, 1007},
		{"invalid UTF-8 in the first read", []string{text("a\xffbcdef")[:8], text("a\xffbcdef")[8:10]}, 1007},
		{"rune broken over reads", []string{text("\xe2\x82x")[:7], text("\xe2\x82x")[7:]}, 1007},
		{"too big", []string{frame(ws.OpBinary, true, strings.Repeat("x", 1001))}, 1009},
		{"far too big, header only", []string{"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"}, 1009},
		{"too big in fragments", []string{
			frame(ws.OpBinary, false, strings.Repeat("x", 600)),
			frame(ws.OpContinuation, false, strings.Repeat("x", 401)),
		}, 1009},
		{"half a close code", []string{frame(ws.OpClose, true, "\x03")}, 1002},
		{"close code 0", []string{closing(0, "")}, 1002},
		{"close code 999", []string{closing(999, "")}, 1002},
		{"close code 1004", []string{closing(1004, "")}, 1002},
		{"close code 1005", []string{closing(1005, "")}, 1002},
		{"close code 1006", []string{closing(1006, "")}, 1002},
		{"close code 1015", []string{closing(1015, "")}, 1002},
		{"close code 2999", []string{closing(2999, "")}, 1002},
		{"close code 5000", []string{closing(5000, "")}, 1002},
		{"close code 65535", []string{closing(65535, "")}, 1002},
		{"close reason is no UTF-8", []string{closing(1000, "\xff")}, 1007},
		{"garbage", []string{"\xff\xfe garbage \x00"}, 1002},
		{"HTTP", []string{get("/")}, 1002},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logged := f.log.count("websocket failed", fmt.Sprintf("code=%d", tt.code))
			counted := f.Stats().FailedWebSockets[tt.code]
			c := f.dial(t).upgrade()
			conn := f.conn(t)
			r := newRecord()
			f.on(t, func(*Loop) { conn.Attach(r) })
			f.feed(t, conn, tt.parts...)
			c.send(text("too late"), strings.Repeat("x", 10_000))
			c.wantClose(tt.code)
			if err := receive(t, "OnClose", r.closed); err == nil {
				t.Error("OnClose was told nil")
			}
			if n := f.log.count("websocket failed", fmt.Sprintf("code=%d", tt.code)); n != logged+1 {
				t.Errorf("%d log lines, want 1", n-logged)
			}
			if n := f.Stats().FailedWebSockets[tt.code]; n != counted+1 {
				t.Errorf("counted %d times", n-counted)
			}
			others.check(t)
			c.Close()
			f.wantConnections(t, 2)
			if len(r.closed) > 0 {
				t.Errorf("OnClose was called again: %v", <-r.closed)
			}
		})
	}
}

func TestBadHandshakes(t *testing.T) {
	f := serve(t, echo)
	others := f.bystanders(t)
	for _, tt := range []struct {
		name, old, replacement string
		status                 int
	}{
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
		{"bad key", "dGhlIHNhbXBsZSBub25jZQ==", "short", 400},
		{"bad version", "Version: 13", "Version: 12", 400},
		{"POST", "GET /ws HTTP/1.1\r\n", "POST /ws HTTP/1.1\r\nContent-Length: 0\r\n", 405},
		{"other protocol", "Upgrade: websocket", "Upgrade: h2c", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := f.dial(t)
			c.send(strings.Replace(upgradeRequest, tt.old, tt.replacement, 1))
			if res := c.response("GET"); res.StatusCode != tt.status || !res.Close {
				t.Errorf("got %d, want %d", res.StatusCode, tt.status)
			}
			c.wantEnd()
			others.check(t)
		})
	}
}
