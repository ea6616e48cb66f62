package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestParseResponse(t *testing.T) {
	for _, tt := range []struct {
		name, input, body string
		status            int
		closes            bool
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, false},
		{"any case", "HTTP/1.1 400 Bad Request\r\ncontent-LENGTH:  2 \r\nconnection: Close\r\n\r\nno", "no", 400, true},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, false},
		{"no body", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200, true},
		{"HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "x", 200, false},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", 200, false},
		{"chunks and a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", "a", 200, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range len(tt.input) {
				if _, size, err := ParseResponse([]byte(tt.input[:n]), 100); size != 0 || err != nil {
					t.Fatalf("the first %d bytes: %d, %v", n, size, err)
				}
			}
			r, size, err := ParseResponse([]byte(tt.input+"HTTP/1.1"), 100)
			if err != nil || size != len(tt.input) || string(r.Body) != tt.body || r.Status != tt.status || r.Close != tt.closes {
				t.Errorf("got %d %q of %d bytes, close %v, %v", r.Status, r.Body, size, r.Close, err)
			}
		})
	}
}

func TestParseResponseRefuses(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for name, input := range map[string]string{
		"no HTTP":             "SSH-2.0",
		"no HTTP with an end": "hello\r\n\r\n",
		"no status":           "HTTP/1.1 abc\r\n\r\n",
		"a strange status":    "HTTP/1.1 999 x\r\n\r\n",
		"no length":           head + "\r\n",
		"a bad length":        head + "Content-Length: -1\r\n\r\n",
		"a long body":         head + "Content-Length: 101\r\n\r\n",
		"another encoding":    head + "Transfer-Encoding: gzip\r\n\r\n",
		"a bad chunk":         head + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
		"long chunks":         head + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + strings.Repeat("x", 64) + "\r\n40\r\n",
		"an endless chunk":    head + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
		"an endless head":     head + "X: " + strings.Repeat("x", maxHead),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseResponse([]byte(input), 100); !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A frame that a client sends is what the library for it reads.
func TestAppendFrame(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 125, 126, 127, 65535, 65536, 65537} {
		payload := bytes.Repeat([]byte("xyz"), n/3+1)[:n]
		b := AppendFrame([]byte("before"), ws.OpText, 0x04030201, payload)
		r := bytes.NewReader(b[len("before"):])
		f, err := readFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Header.Masked || f.Header.Mask != [4]byte{1, 2, 3, 4} || !f.Header.Fin || f.Header.OpCode != ws.OpText || r.Len() > 0 {
			t.Errorf("%d bytes: header %+v, %d bytes behind", n, f.Header, r.Len())
		}
		if ws.UnmaskFrameInPlace(f); !bytes.Equal(f.Payload, payload) {
			t.Errorf("%d bytes: another payload", n)
		}
	}
}

// A frame of a server is read as the library for it writes it, whatever part of it has
// come.
func TestParseFrame(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536} {
		var b bytes.Buffer
		payload := bytes.Repeat([]byte("x"), n)
		if err := ws.WriteFrame(&b, ws.NewFrame(ws.OpBinary, true, payload)); err != nil {
			t.Fatal(err)
		}
		whole := b.Bytes()
		for _, part := range []int{0, 1, 2, 3, 9, 10, len(whole) - 1} {
			if part < len(whole) {
				if _, size, err := ParseFrame(whole[:part], 1<<20); size != 0 || err != nil {
					t.Errorf("%d of %d bytes: %d, %v", part, n, size, err)
				}
			}
		}
		f, size, err := ParseFrame(append(whole[:len(whole):len(whole)], 1), 1<<20)
		if err != nil || size != len(whole) || f.Op != ws.OpBinary || !f.Fin || f.Rsv1 || !bytes.Equal(f.Payload, payload) {
			t.Errorf("%d bytes: %d, %v", n, size, err)
		}
	}
}

func TestParseFrameRefuses(t *testing.T) {
	for name, input := range map[string]string{
		"masked":                 "\x81\x81\x00\x00\x00\x00x",
		"reserved bits":          "\xa1\x00",
		"reserved opcode":        "\x83\x00",
		"long ping":              "\x89\x7e\x00\x7e",
		"fragmented close":       "\x08\x00",
		"compressed ping":        "\xc9\x00",
		"too long":               "\x82\x7e\x01\x01",
		"far too long":           "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
		"reserved control frame": "\x8b\x00",
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseFrame([]byte(input), 256); !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The example of RFC 6455, section 1.3.
func TestAccept(t *testing.T) {
	if got := Accept("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}

func TestRequests(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"GET", string(AppendGet(nil, "h:1", "/x", "A: b\r\n")), "GET /x HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\nA: b\r\n\r\n"},
		{
			"POST", string(AppendPost(nil, "h", "/x", "", []byte("40"))),
			"POST /x HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\n\r\n40",
		},
		{
			"upgrade", string(AppendUpgrade(nil, "h", "/x", "A: b\r\n", "key", OfferDeflate)),
			"GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: key\r\n" +
				"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\nA: b\r\n\r\n",
		},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// Neither parser reads beyond what is there, or says that it took more.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "\x81\x05hello", "\x82\x7e\x01\x00",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 10
		if r, n, err := ParseResponse(b[:len(b):len(b)], limit); n > len(b) || err != nil && n > 0 || len(r.Body) > limit {
			t.Errorf("response: %d of %d, %v", n, len(b), err)
		}
		if fr, n, err := ParseFrame(b[:len(b):len(b)], limit); n > len(b) || err != nil && n > 0 || len(fr.Payload) > limit {
			t.Errorf("frame: %d of %d, %v", n, len(b), err)
		}
	})
}

// readFrame reads a frame of our own, by the library.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
