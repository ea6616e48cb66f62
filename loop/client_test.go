package loop

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// client is a raw connection to a reactor. It is for one goroutine.
type client struct {
	net.Conn

	tb testing.TB
	br *bufio.Reader
}

// dial connects. The connection ends with the test.
func (f *fixture) dial(tb testing.TB) *client {
	tb.Helper()
	return dial(tb, "tcp", f.addr)
}

func dial(tb testing.TB, network, addr string) *client {
	tb.Helper()
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		tb.Fatal(err)
	}
	return &client{Conn: c, tb: tb, br: bufio.NewReader(c)}
}

// send writes. That the peer has refused and closed meanwhile is no failure.
func (c *client) send(parts ...string) {
	c.tb.Helper()
	_, err := io.WriteString(c, strings.Join(parts, ""))
	if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		c.tb.Fatalf("send: %v", err)
	}
}

// closeWrite ends the client's direction only.
func (c *client) closeWrite() {
	c.tb.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.tb.Fatal(err)
	}
}

// reset closes the connection with a TCP reset.
func (c *client) reset() {
	c.tb.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		c.tb.Fatal(err)
	}
	c.Close()
}

// response is what came for one request.
type response struct {
	*http.Response

	body string
}

// response reads the response to a request of that method.
func (c *client) response(method string) response {
	c.tb.Helper()
	res, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		c.tb.Fatalf("response: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.tb.Fatalf("response: %v", err)
	}
	return response{res, string(body)}
}

// want reads a response and checks status and body.
func (c *client) want(status int, body string) response {
	c.tb.Helper()
	res := c.response(http.MethodGet)
	if res.StatusCode != status || res.body != body {
		c.tb.Errorf("got %d %q, want %d %q", res.StatusCode, res.body, status, body)
	}
	return res
}

// wantEnd checks that nothing more comes but the end.
func (c *client) wantEnd() {
	c.tb.Helper()
	rest, err := io.ReadAll(c.br)
	if errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	if err != nil || len(rest) > 0 {
		c.tb.Errorf("got %q, %v, want the end", rest, err)
	}
}

const upgradeRequest = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// upgrade makes the connection a WebSocket.
func (c *client) upgrade() *client {
	c.tb.Helper()
	c.send(upgradeRequest)
	c.wantUpgraded()
	return c
}

func (c *client) wantUpgraded() {
	c.tb.Helper()
	res := c.response(http.MethodGet)
	if got := res.Header.Get("Sec-WebSocket-Accept"); res.StatusCode != 101 || got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.tb.Fatalf("upgrade: got %d, accept %q", res.StatusCode, got)
	}
}

// frame encodes a masked frame.
func frame(op ws.OpCode, fin bool, payload string) string {
	f := ws.NewFrame(op, fin, []byte(payload))
	return encode(ws.MaskFrameInPlaceWith(f, [4]byte{0x12, 0x34, 0x56, 0x78}))
}

func encode(f ws.Frame) string {
	var b strings.Builder
	if err := ws.WriteFrame(&b, f); err != nil {
		panic(err)
	}
	return b.String()
}

func text(payload string) string { return frame(ws.OpText, true, payload) }

// frame reads a frame.
func (c *client) frame() ws.Frame {
	c.tb.Helper()
	h, err := ws.ReadHeader(c.br)
	if err != nil {
		c.tb.Fatalf("frame: %v", err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.br, payload); err != nil {
		c.tb.Fatalf("frame: %v", err)
	}
	return ws.Frame{Header: h, Payload: payload}
}

// wantFrame reads a frame and checks it.
func (c *client) wantFrame(op ws.OpCode, payload string) {
	c.tb.Helper()
	f := c.frame()
	if got := string(f.Payload); f.Header.OpCode != op || !f.Header.Fin || f.Header.Masked || got != payload {
		c.tb.Fatalf("got frame %+v %.200q, want %v %.200q", f.Header, got, op, payload)
	}
}

// wantClose reads a close frame and checks its code, and that the end follows.
func (c *client) wantClose(code ws.StatusCode) {
	c.tb.Helper()
	f := c.frame()
	if f.Header.OpCode != ws.OpClose {
		c.tb.Fatalf("got frame %+v, want a close frame", f.Header)
	}
	got := ws.StatusNoStatusRcvd
	if len(f.Payload) > 0 {
		got, _ = ws.ParseCloseFrameData(f.Payload)
	}
	if got != code {
		c.tb.Errorf("got close code %d, want %d", got, code)
	}
	c.wantEnd()
}

// wantEcho checks that a message comes back.
func (c *client) wantEcho(message string) {
	c.tb.Helper()
	c.send(text(message))
	c.wantFrame(ws.OpText, message)
}
