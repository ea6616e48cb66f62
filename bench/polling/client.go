package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

// client is a Socket.IO client over long polling. It has two connections, as
// browsers have: a GET waits on one, except while its answer is handled, and POSTs
// go over the other. It is for one goroutine.
type client struct {
	host, sid string
	get, post *conn
	release   func() bool // ends the watch on the context

	poll    []byte // the GET
	message []byte // the POST of one event
	want    []byte // the packet that comes back
	waiting bool   // a GET is under way
}

// join opens a session and joins the main namespace. When ctx ends, whatever the
// client waits for fails.
func join(ctx context.Context, addr string, size int) (*client, error) {
	c := &client{host: addr, want: fmt.Appendf(nil, `42["echo",%q]`, strings.Repeat("x", size))}
	for _, conn := range []**conn{&c.get, &c.post} {
		var err error
		if *conn, err = dial(ctx, addr); err != nil {
			c.close()
			return nil, err
		}
	}
	c.release = context.AfterFunc(ctx, c.cut)
	if err := c.open(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *client) open() error {
	payload, err := c.get.exchange(wire.Get(c.host, ""))
	if err != nil {
		return err
	}
	if c.sid, err = wire.SessionID(payload); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	c.poll = wire.Get(c.host, c.sid)
	c.message = wire.Post(c.host, c.sid, string(c.want))
	if err := c.send(wire.Post(c.host, c.sid, "40")); err != nil {
		return err
	}
	return c.receive(func(packet []byte) bool { return bytes.HasPrefix(packet, []byte("40{")) })
}

// echo sends n events, each when the one before has come back.
func (c *client) echo(n int) error {
	for range n {
		if err := c.wait(); err != nil {
			return err
		}
		if err := c.send(c.message); err != nil {
			return err
		}
		if err := c.receive(func(packet []byte) bool { return bytes.Equal(packet, c.want) }); err != nil {
			return err
		}
	}
	return nil
}

// send makes a POST.
func (c *client) send(request []byte) error {
	answer, err := c.post.exchange(request)
	if err == nil && string(answer) != "ok" {
		err = fmt.Errorf("%w: %.60q to a POST", wire.ErrProtocol, answer)
	}
	return err
}

// wait has a GET wait.
func (c *client) wait() error {
	if c.waiting {
		return nil
	}
	c.waiting = true
	return c.get.write(c.poll)
}

// receive polls until the packet comes that is wanted, answers pings, and takes
// no other.
func (c *client) receive(wanted func(packet []byte) bool) error {
	for found := false; !found; {
		if err := c.wait(); err != nil {
			return err
		}
		payload, err := c.get.read()
		if err != nil {
			return err
		}
		c.waiting = false
		ping := false
		for packet := range bytes.SplitSeq(payload, []byte{0x1e}) {
			switch {
			case !found && wanted(packet):
				found = true
			case string(packet) == "2":
				ping = true
			default:
				return fmt.Errorf("%w: packet %.60q", wire.ErrProtocol, packet)
			}
		}
		if ping {
			if err := c.send(wire.Post(c.host, c.sid, "3")); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut ends the connections; any goroutine may do so.
func (c *client) cut() {
	for _, conn := range []*conn{c.get, c.post} {
		if conn != nil {
			conn.tcp.Close()
		}
	}
}

func (c *client) close() {
	if c.release != nil {
		c.release()
	}
	c.cut()
}

// conn is a connection that is kept alive.
type conn struct {
	tcp net.Conn
	buf []byte // received, its start possibly handed out
	old int    // how much of it was handed out
}

func dial(ctx context.Context, addr string) (*conn, error) {
	var d net.Dialer
	tcp, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return &conn{tcp: tcp, buf: make([]byte, 0, 4<<10)}, nil
}

func (c *conn) exchange(request []byte) (body []byte, err error) {
	if err := c.write(request); err != nil {
		return nil, err
	}
	return c.read()
}

func (c *conn) write(request []byte) error {
	if _, err := c.tcp.Write(request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}

// read returns the body of the next response, valid until the next call.
func (c *conn) read() (body []byte, err error) {
	c.buf = c.buf[:copy(c.buf, c.buf[c.old:])]
	c.old = 0
	for {
		body, size, err := wire.ParseResponse(c.buf)
		if err != nil {
			return nil, err //nolint:wrapcheck // it says all there is
		}
		if size > 0 {
			c.old = size
			return body, nil
		}
		if len(c.buf) == cap(c.buf) {
			c.buf = append(c.buf, 0)[:len(c.buf)]
		}
		n, err := c.tcp.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		switch {
		case n > 0:
		case errors.Is(err, io.EOF):
			return nil, errors.New("the server closed the connection")
		case err != nil:
			return nil, fmt.Errorf("receiving: %w", err)
		}
	}
}
