// Package testclient is a Socket.IO client for tests that look at the very
// bytes: it sends and shows Engine.IO packets as text, and knows nothing else.
package testclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

// Client is one connection by WebSocket. It is for one goroutine.
type Client struct {
	tb   testing.TB
	conn net.Conn
	in   io.ReadWriter
	// Open is the packet that the server began with.
	Open Open
}

// Open is the content of the Engine.IO open packet.
type Open struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

// stream reads what the handshake has read too much of, first.
type stream struct {
	io.Reader
	io.Writer
}

// Dial opens a session on the WebSocket transport. Further parts of the query,
// such as "&a=b", may be given. The connection is closed when the test ends.
func Dial(tb testing.TB, addr string, query ...string) *Client {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := "ws://" + addr + "/socket.io/?EIO=4&transport=websocket" + strings.Join(query, "")
	conn, br, _, err := ws.Dial(ctx, url)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	c := &Client{tb: tb, conn: conn, in: conn}
	if br != nil {
		c.in = stream{io.MultiReader(io.LimitReader(br, int64(br.Buffered())), bufio.NewReader(conn)), conn}
	}
	tb.Cleanup(c.Close)
	open := c.Next()
	if !strings.HasPrefix(open, "0") {
		tb.Fatalf("first packet is %q", open)
	}
	if err := json.Unmarshal([]byte(open[1:]), &c.Open); err != nil {
		tb.Fatalf("open packet %q: %v", open, err)
	}
	return c
}

// Connect dials and joins a namespace. It returns the client and the socket's id.
func Connect(tb testing.TB, addr, namespace string) (*Client, string) {
	tb.Helper()
	c := Dial(tb, addr)
	id := c.Join(namespace, "")
	return c, id
}

// Join joins a namespace, with auth data if any, and returns the socket's id.
func (c *Client) Join(namespace, auth string) (id string) {
	c.tb.Helper()
	prefix := "40"
	if namespace != "/" {
		prefix += namespace + ","
	}
	c.Send(prefix + auth)
	answer := c.Next()
	var data struct{ SID string }
	if !strings.HasPrefix(answer, prefix) || json.Unmarshal([]byte(answer[len(prefix):]), &data) != nil || data.SID == "" {
		c.tb.Fatalf("joining %s: answer %q", namespace, answer)
	}
	return data.SID
}

// Send sends a packet as a text message.
func (c *Client) Send(packets ...string) {
	c.tb.Helper()
	for _, p := range packets {
		if err := wsutil.WriteClientText(c.conn, []byte(p)); err != nil {
			c.tb.Fatalf("sending %q: %v", p, err)
		}
	}
}

// SendBinary sends a binary message.
func (c *Client) SendBinary(messages ...[]byte) {
	c.tb.Helper()
	for _, m := range messages {
		if err := wsutil.WriteClientBinary(c.conn, m); err != nil {
			c.tb.Fatalf("sending binary: %v", err)
		}
	}
}

// Next returns the next packet; a binary one comes as "binary:" and its bytes.
// Pings of the server are answered and not shown.
func (c *Client) Next() string {
	c.tb.Helper()
	packet, err := c.read()
	if err != nil {
		c.tb.Fatalf("reading: %v", err)
	}
	return packet
}

func (c *Client) read() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	for {
		data, op, err := wsutil.ReadServerData(c.in)
		switch {
		case err != nil:
			return "", err
		case op == ws.OpBinary:
			return "binary:" + string(data), nil
		case string(data) != "2":
			return string(data), nil
		}
		if err := wsutil.WriteClientText(c.conn, []byte("3")); err != nil {
			return "", err
		}
	}
}

// Want fails the test if the next packets are not these.
func (c *Client) Want(packets ...string) {
	c.tb.Helper()
	for _, want := range packets {
		if got := c.Next(); got != want {
			c.tb.Fatalf("got packet %q, want %q", got, want)
		}
	}
}

// WantClosed reads to the end of the connection, and returns the packets that
// still came and the code of the close frame: 1005 if it had none, 0 if the
// connection ended without.
func (c *Client) WantClosed() (packets []string, code ws.StatusCode) {
	c.tb.Helper()
	for {
		packet, err := c.read()
		var closed wsutil.ClosedError
		switch {
		case err == nil:
			packets = append(packets, packet)
			continue
		case errors.As(err, &closed):
			return packets, closed.Code
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
			return packets, 0
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			c.tb.Fatal("the connection is still open")
		}
		return packets, 0
	}
}

// Close cuts the connection, without a close frame.
func (c *Client) Close() { c.conn.Close() }

// Conn returns the connection below, for tests that misuse it.
func (c *Client) Conn() net.Conn { return c.conn }

// Eventually waits until a condition holds.
func Eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}
