package siotest

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Conn is a connection whose packets the test sends and looks at itself, as text:
// "42[\"chat\",\"hi\"]" is an event. It joins no namespace unless told to, and does
// nothing by itself but answer the server's pings while it reads. It is for one
// goroutine.
//
// It opens sessions of Engine.IO 4; with Query("EIO", "3"), of Engine.IO 3, over
// WebSocket only.
type Conn struct {
	tb        testing.TB
	options   *options
	transport transport
	hello     opened
	vanished  atomic.Bool
}

func dialConn(tb testing.TB, e *endpoint, o *options) (*Conn, error) {
	tb.Helper()
	t, hello, err := dialTransport(e, o)
	if err != nil {
		return nil, err
	}
	return &Conn{tb: tb, options: o, transport: t, hello: hello}, nil
}

// SID returns the id of the Engine.IO session.
func (c *Conn) SID() string { return c.hello.SID }

// Join joins a namespace, with auth data in JSON if any, and returns the socket's
// id.
func (c *Conn) Join(namespace, auth string) (id string) {
	c.tb.Helper()
	prefix := "40" + namespacePrefix(namespace)
	c.Send(prefix + auth)
	answer := c.Next()
	var data struct{ SID string }
	if !strings.HasPrefix(answer, prefix) || json.Unmarshal([]byte(answer[len(prefix):]), &data) != nil || data.SID == "" {
		c.tb.Fatalf("siotest: joining %s: the answer is %q", namespace, answer)
	}
	return data.SID
}

// namespacePrefix is what packets have behind their type.
func namespacePrefix(namespace string) string {
	if namespace == "/" || namespace == "" {
		return ""
	}
	return namespace + ","
}

// Send sends packets, each as a text message.
func (c *Conn) Send(packets ...string) {
	c.tb.Helper()
	for _, p := range packets {
		if err := c.transport.write(text(p)); err != nil {
			c.tb.Fatalf("siotest: sending %q: %v", p, err)
		}
	}
}

// SendBinary sends binary messages.
func (c *Conn) SendBinary(messages ...[]byte) {
	c.tb.Helper()
	for _, m := range messages {
		if err := c.transport.write(message{data: m, binary: true}); err != nil {
			c.tb.Fatalf("siotest: sending %d bytes: %v", len(m), err)
		}
	}
}

// Next returns the next packet; a binary message comes as "binary:" and its bytes.
// Pings of the server are answered and not shown.
func (c *Conn) Next() string {
	c.tb.Helper()
	m, err := c.readSoon()
	if err != nil {
		c.tb.Fatalf("siotest: waiting for a packet: %v", err)
	}
	return m.String()
}

// Want fails the test unless the next packets are these.
func (c *Conn) Want(packets ...string) {
	c.tb.Helper()
	for _, want := range packets {
		if got := c.Next(); got != want {
			c.tb.Fatalf("siotest: got packet %q, want %q", got, want)
		}
	}
}

// WantClosed reads to the end of the connection, and returns the packets that
// still came and the code of the WebSocket's close frame: 1005 if it had none, 0
// if the connection ended without.
func (c *Conn) WantClosed() (packets []string, code int) {
	c.tb.Helper()
	for {
		m, err := c.readSoon()
		if err == nil {
			packets = append(packets, m.String())
			continue
		}
		if closed, ok := errors.AsType[*closedError](err); ok {
			code = closed.code
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			c.tb.Fatalf("siotest: the connection is still open; there came %q", packets)
		}
		return packets, code
	}
}

// Close cuts the connection without a goodbye.
func (c *Conn) Close() { c.transport.cut() }

// NetConn returns the connection below a WebSocket, for tests that misuse it.
func (c *Conn) NetConn() net.Conn {
	c.tb.Helper()
	w, ok := c.transport.(*webSocket)
	if !ok {
		c.tb.Fatal("siotest: NetConn is for WebSockets")
	}
	return w.conn
}

func (c *Conn) readSoon() (message, error) {
	if err := c.transport.setReadDeadline(time.Now().Add(c.options.patience)); err != nil {
		return message{}, err
	}
	return c.read()
}

// read returns the next packet but pings, which it answers.
func (c *Conn) read() (message, error) {
	for {
		m, err := c.transport.read()
		switch {
		case err != nil:
			return m, err
		case c.vanished.Load():
			continue
		case !m.is("2"):
			return m, nil
		}
		if err := c.transport.write(text("3")); err != nil {
			return message{}, err
		}
	}
}
