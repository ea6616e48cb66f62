package reactor

import (
	"errors"

	"github.com/panjf2000/gnet/v2"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
)

// link is what carries a connection: a gnet.Conn, or TLS. Its methods are for the loop.
type link interface {
	Write(b []byte) (int, error)
	OutboundBuffered() int
	SetLinger(sec int) error
	Close() error
}

// conn is one connection of a client. It belongs to the client's loop.
type conn struct {
	peer   *Peer
	line   client.Line
	link   link // nil while it is being made
	given  bool // the client gave it up
	ended  bool // gnet has closed it
	marked bool // it is among the loop's dirty ones
	out    []byte
	rest   []byte // what arrived and is not complete
}

// opened says that the connection is there.
func (c *conn) opened(l link) {
	c.link = l
	if c.given {
		_ = l.Close()
		return
	}
	c.peer.Opened(c.line)
}

// failed says that it could not be made, or has ended.
func (c *conn) failed(err error) {
	if c.given || c.peer.loop.stopped.Load() {
		return
	}
	c.given = true
	if c.peer.conns[c.line] == c {
		c.peer.conns[c.line] = nil
	}
	c.rest = nil
	if err == nil {
		err = errors.New("the server closed the connection")
	}
	c.peer.Closed(c.line, err)
}

// receive takes what has arrived, which is overwritten.
func (c *conn) receive(b []byte) {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, b...)
		b = c.rest
	}
	n := c.peer.Receive(c.line, b)
	if n == len(b) || c.given {
		c.rest = nil
		return
	}
	c.rest = append(c.rest[:0], b[n:]...)
}

// write queues b for the end of the turn.
func (c *conn) write(b []byte) {
	if c.link == nil || c.given {
		return
	}
	l := c.peer.loop
	if !c.marked {
		c.marked = true
		c.out = l.buffer()
		l.dirty = append(l.dirty, c)
	}
	c.out = append(c.out, b...)
}

// flush writes the output. gnet keeps what the kernel does not take, and on an error
// tells of the connection's end before Write returns.
func (c *conn) flush() {
	if !c.marked {
		return
	}
	c.marked = false
	out := c.out
	c.out = nil
	if !c.ended {
		_, _ = c.link.Write(out)
	}
	c.peer.loop.release(out)
}

func (c *conn) close(reset bool) {
	if c.given {
		return
	}
	c.given = true
	c.rest = nil
	if c.link == nil {
		return // it is closed when it opens
	}
	if reset {
		_ = c.link.SetLinger(0) // what may fail is that it has ended
	} else {
		c.flush()
	}
	if !c.ended {
		_ = c.link.Close()
	}
}

// handler receives gnet's callbacks, all on the loop.
type handler struct {
	gnet.BuiltinEventEngine

	loop *Loop
}

func (h *handler) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	if e, ok := gc.Context().(*enrollment); ok {
		e.opened = true
		gc.SetContext(e.conn)
		h.loop.begin()
		e.conn.opened(gc)
		h.loop.end()
	}
	return nil, gnet.None
}

func (h *handler) OnTraffic(gc gnet.Conn) gnet.Action {
	b, err := gc.Next(-1)
	c, ok := gc.Context().(*conn)
	if err != nil || !ok || c.given || len(b) == 0 {
		return gnet.None
	}
	h.loop.begin()
	c.receive(b)
	h.loop.end()
	return gnet.None
}

func (h *handler) OnClose(gc gnet.Conn, err error) gnet.Action {
	c, ok := gc.Context().(*conn)
	if !ok {
		return gnet.None
	}
	c.ended = true
	if !c.given {
		h.loop.begin()
		c.failed(err)
		h.loop.pacer.set(h.loop.Shared.Now) // a turn soon, since this may be within a flush
	}
	return gnet.None
}
