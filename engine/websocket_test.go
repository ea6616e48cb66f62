package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// TestWebSocketMessages shows E65 and E66.
func TestWebSocketMessages(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	for _, text := range []string{"hello", "", "grüße 日本 😀", "with\x1eseparator", strings.Repeat("x", 125), strings.Repeat("y", 70_000)} {
		c.wantEcho(text)
	}
	for _, size := range []int{0, 1, 125, 126, 65_535, 65_536} {
		data := string(bytes.Repeat([]byte{0xfe}, size))
		c.writeFrame(ws.OpBinary, data)
		c.want("binary:" + data)
	}
	c.write("bAQIDBA==") // base64 is understood here, too
	c.want("binary:\x01\x02\x03\x04")
}

func TestManyFramesInOneWrite(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	c.write("4a", "4b", "3", "4c")
	c.want("4a", "4b", "4c")
	frame := clientFrame(ws.OpText, "4byte by byte")
	for i := range frame {
		c.writeRaw(frame[i : i+1])
	}
	c.want("4byte by byte")
}

// TestFragmentedMessage shows E66 and E68.
func TestFragmentedMessage(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	for i, part := range []string{"4gr", "\xc3", "\xbcn"} {
		h := ws.NewFrame(ws.OpContinuation, i == 2, []byte(part))
		if i == 0 {
			h.Header.OpCode = ws.OpText
		}
		c.writeFrame(ws.OpPing, "between")
		c.want("pong:between")
		c.writeRaw(ws.MustCompileFrame(ws.MaskFrame(h)))
	}
	c.want("4grün")
}

func TestGroupOfMessages(t *testing.T) {
	f := serve(t, silent)
	c := f.connect(t)
	if err := c.Send(false, NewMessage([]byte("head"), false), NewMessage([]byte{1}, true), NewMessage([]byte{2}, true)); err != nil {
		t.Fatal(err)
	}
	c.want("4head", "binary:\x01", "binary:\x02")
	if err := c.Send(true, NewMessage([]byte("volatile"), false)); err != nil {
		t.Fatal(err)
	}
	c.want("4volatile")
}

func TestMessageSize(t *testing.T) {
	for _, tc := range []struct {
		data   string
		binary bool
		size   int
	}{
		{"", false, 3}, {"abc", false, 6}, {"", true, 2}, {"abc", true, 5}, {strings.Repeat("x", 200), false, 205},
	} {
		m := NewMessage([]byte(tc.data), tc.binary)
		if m.Size() != tc.size {
			t.Errorf("%q, binary %v: %d bytes, want %d", tc.data, tc.binary, m.Size(), tc.size)
		}
		m.Retain(2)
		m.ReleaseN(2)
		m.Release()
	}
	if m := controlPacket(engineio.Ping); m.Size() != 1 {
		t.Errorf("control packet: %d bytes", m.Size())
	}
}

// TestWebSocketEndsByClient shows E68 and W8.
func TestWebSocketEndsByClient(t *testing.T) {
	f := serve(t)
	for _, tc := range []struct {
		name string
		end  func(c *socketClient)
		want []string
		err  func(error) bool
	}{
		{"close frame", func(c *socketClient) { c.writeFrame(ws.OpClose, "") }, []string{"close:", "end"}, isClose(1005)},
		{"close frame with code", func(c *socketClient) { c.writeFrame(ws.OpClose, closePayload(1001, "bye")) }, []string{"close:1001", "end"}, isClose(1001)},
		{"close packet", func(c *socketClient) { c.write("1", "4behind") }, []string{"close:"}, func(err error) bool { return err == nil }},
		{"end of stream", func(c *socketClient) { _ = c.conn.(*net.TCPConn).CloseWrite() }, []string{"end"}, isEOF},
		{"gone", func(c *socketClient) { c.conn.Close() }, nil, isEOF},
		{"reset", func(c *socketClient) {
			_ = c.conn.(*net.TCPConn).SetLinger(0)
			c.conn.Close()
		}, nil, func(err error) bool { return err != nil }},
		{"in the middle of a frame", func(c *socketClient) {
			c.writeRaw(clientFrame(ws.OpText, "4cut")[:5])
			c.conn.Close()
		}, nil, isEOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.connect(t)
			tc.end(c)
			c.want(tc.want...)
			c.wantClosed(t, TransportClose, nil)
			if !tc.err(c.err) {
				t.Errorf("error %v", c.err)
			}
			c.wantReceived(t)
		})
	}
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// isClose judges the error of a session whose client sent a close frame.
func isClose(code ws.StatusCode) func(error) bool {
	return func(err error) bool {
		closed, ok := errors.AsType[*loop.CloseError](err)
		return ok && closed.Code == code
	}
}

// TestBadWebSocketPackets shows E67, E68 and E79.
func TestBadWebSocketPackets(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPayload = 1000 })
	fits := strings.Repeat("x", 999)
	for _, tc := range []struct {
		name   string
		raw    []byte
		reason CloseReason
		err    error
		close  string
	}{
		{"empty text", clientFrame(ws.OpText, ""), ParseError, engineio.ErrEmptyPacket, "close:"},
		{"unknown type", clientFrame(ws.OpText, "abc"), ParseError, engineio.ErrUnknownType, "close:"},
		{"ping by the client", clientFrame(ws.OpText, "2"), TransportError, ErrHeartbeatDirection, "close:"},
		{"probe on the session's own transport", clientFrame(ws.OpText, "2probe"), TransportError, ErrHeartbeatDirection, "close:"},
		{"too large", clientFrame(ws.OpText, "4"+fits+"y"), TransportError, nil, "close:1009"},
		{"too large in parts", append(
			ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(ws.OpText, false, []byte("4"+fits)))),
			clientFrame(ws.OpContinuation, "y")...), TransportError, nil, "close:1009"},
		{"bad UTF-8", clientFrame(ws.OpText, "4\xff"), TransportError, nil, "close:1007"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.connect(t)
			c.wantEcho(fits)
			c.writeRaw(tc.raw)
			c.writeRaw(clientFrame(ws.OpText, "4behind"))
			c.want(tc.close)
			c.wantClosed(t, tc.reason, tc.err)
			if tc.reason == TransportError && c.err == nil {
				t.Error("no error")
			}
			c.wantReceived(t, fits)
		})
	}
}

// TestCloseByServerOnWebSocket shows E68.
func TestCloseByServerOnWebSocket(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	c.Close()
	c.want("close:")
	c.writeFrame(ws.OpClose, "")
	c.want("end")
	c.wantClosed(t, ForcedClose, nil)
}

// Whoever has a closed session's id gets no further with it.
// It shows W6.
func TestRequestsForWebSocketSession(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	other := f.websocket(t, websocketTarget+"&sid="+c.ID(), nil)
	other.want("close:")
	c.wantEcho("unaffected")
	c.Close()
	c.wantClosed(t, ForcedClose, nil)
	p := f.dial(t)
	p.send("GET", websocketTarget+"&sid="+c.ID(), "", upgradeHeader...)
	p.want(400, "Session ID unknown")
}

func TestReactorStopEndsSession(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	if err := f.reactor.Stop(); err != nil {
		t.Fatal(err)
	}
	c.wantClosed(t, ForcedClose, loop.ErrServerClosed)
}
