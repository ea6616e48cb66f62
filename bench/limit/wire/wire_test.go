package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// client returns a masked frame.
func client(payload string) []byte {
	f := ws.MaskFrameInPlaceWith(ws.NewTextFrame([]byte(payload)), [4]byte{1, 2, 3, 4})
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, f); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func server(payload string) string { return string(Append(nil, []byte(payload))) }

func TestFeed(t *testing.T) {
	request := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	long := strings.Repeat("x", 70_000)
	input := []byte(request)
	var reply, broadcast string
	for _, exchange := range []struct{ in, reply, broadcast string }{
		{"40", connected, ""},
		{`42["echo","a"]`, `42["echo","a"]`, ""},
		{`4217["echo","a",1]`, `4317["a",1]`, ""},
		{`425["echo"]`, `435[]`, ""},
		{`42["bcast","b"]`, "", `42["bcast","b"]`},
		{"3", "", ""},
		{`421["echo","` + long + `"]`, `431["` + long + `"]`, ""},
		{`42["echo","` + long[:300] + `"]`, `42["echo","` + long[:300] + `"]`, ""},
	} {
		input = append(input, client(exchange.in)...)
		if exchange.reply != "" {
			reply += server(exchange.reply)
		}
		if exchange.broadcast != "" {
			broadcast += server(exchange.broadcast)
		}
	}
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" + server(handshake)
	for _, piece := range []int{1, 7, 1000, len(input)} {
		var (
			c   Conn
			out Output
		)
		for rest := bytes.Clone(input); len(rest) > 0; {
			n := min(piece, len(rest))
			c.Feed(rest[:n], &out)
			rest = rest[n:]
		}
		if string(out.Reply) != head+reply || string(out.Broadcast) != broadcast {
			t.Errorf("in pieces of %d: %d bytes to the client and %d to all, want %d and %d",
				piece, len(out.Reply), len(out.Broadcast), len(head+reply), len(broadcast))
		}
	}
}
