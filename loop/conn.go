package loop

import (
	"io"

	"github.com/panjf2000/gnet/v2"
	"github.com/valyala/bytebufferpool"
	"golang.org/x/sys/unix"

	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

// Stream is what a connection is attached to while it is a WebSocket, or while
// the response to a request is still to come. Both methods are called on the
// connection's loop.
type Stream interface {
	// OnMessage receives a complete WebSocket message. payload is valid, and may
	// be overwritten by the callee, until it returns.
	OnMessage(c *Conn, binary bool, payload []byte)
	// OnClose is called once when the connection ends without the Stream's own
	// doing: err is a [*CloseError] after the peer's close frame, [io.EOF] when
	// the peer closed the socket, or says what was wrong.
	OnClose(c *Conn, err error)
}

type connMode uint8

const (
	modeHTTP connMode = iota
	modeWebSocket
	modeLinger // nothing more to say; waits for the peer to take the rest and close
	modeProxy  // a PROXY header comes first
)

// Conn is one accepted connection. All its methods must be called on its loop,
// except where they say otherwise. While it is idle it holds no buffer.
type Conn struct {
	loop   *Loop
	gnet   gnet.Conn
	stream Stream
	err    error // why it is being closed

	input   *bytebufferpool.ByteBuffer // received, not yet consumed
	http    *httpState                 // nil on a WebSocket
	ws      *wsReader                  // nil between messages
	windows *windows                   // nil unless context takeover was agreed on
	out     *outQueue                  // nil when there is nothing to send
	proxy   *proxied                   // nil unless the connection came by way of a proxy or server that spoke for it

	next, prev *Conn // in the loop's list of its connections

	drained func() // called once when all output has left
	timer   Timer

	fd     int
	frames wsproto.State
	mode   connMode
	// windowBits bounds the distances in messages compressed for the peer; 0 if
	// there is no compression.
	windowBits uint8
	closed     bool // the descriptor is gone
	aborted    bool // to be closed as soon as its callback returns
	dirty      bool // in the loop's list of connections to flush
	blocked    bool // the kernel takes no more output
	watched    bool
	counted    bool // in the count of its client's address
	paused     bool // the socket is not read
	lastWrite  bool // linger once all output has left
}

func newConn(l *Loop, gc gnet.Conn) *Conn {
	return &Conn{loop: l, gnet: gc, fd: gc.Fd()}
}

// Loop returns the connection's loop. Any goroutine may call it.
func (c *Conn) Loop() *Loop { return c.loop }

// Closed reports whether nothing can be sent any more.
func (c *Conn) Closed() bool { return c.closed || c.aborted || c.mode == modeLinger }

// Attach makes s the connection's Stream; nil detaches.
func (c *Conn) Attach(s Stream) { c.stream = s }

func (c *Conn) opened(proxy *proxySettings) {
	c.loop.link(c)
	c.startTimer(timerHeader)
	if proxy != nil {
		c.expectProxy(proxy)
	}
}

func (l *Loop) link(c *Conn) {
	c.next = l.conns
	if l.conns != nil {
		l.conns.prev = c
	}
	l.conns = c
}

func (l *Loop) unlink(c *Conn) {
	if c.next != nil {
		c.next.prev = c.prev
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else if l.conns == c {
		l.conns = c.next
	}
	c.next, c.prev = nil, nil
}

// action is what gnet is to do when a callback of this connection returns.
func (c *Conn) action() gnet.Action {
	if c.aborted && !c.closed {
		return gnet.Close
	}
	return gnet.None
}

// onInput consumes what it can of data, and keeps a copy of the rest.
func (c *Conn) onInput(data []byte) {
	if c.Closed() || c.lastWrite {
		return
	}
	if c.input == nil {
		c.keep(data[c.consume(data):])
		return
	}
	c.input.B = append(c.input.B, data...)
	c.resume()
}

// resume consumes input that was kept. Nothing else may be consuming further up
// the stack: one loop has one [Request].
func (c *Conn) resume() {
	in := c.input
	c.input = nil // callbacks may close the connection, which must not give it back yet
	n := c.consume(in.B)
	if n == len(in.B) || c.Closed() || c.lastWrite {
		inputBytes.Put(in)
		return
	}
	in.B = in.B[:copy(in.B, in.B[n:])]
	c.input = in
}

// resumeLater has input that was kept consumed in this turn, but not here: the
// caller may be a callback of this or of another connection.
func (c *Conn) resumeLater() {
	if c.input != nil {
		c.loop.Post((*resumeTask)(c))
	}
}

type resumeTask Conn

// Run consumes what still waits. If that panics, it is this connection's fault.
func (t *resumeTask) Run(l *Loop) {
	c := (*Conn)(t)
	if c.input != nil {
		l.protect(c, c.resume)
	}
}

func (c *Conn) keep(rest []byte) {
	if len(rest) == 0 || c.Closed() || c.lastWrite {
		return
	}
	c.input = inputBytes.Get()
	c.input.B = append(c.input.B[:0], rest...)
}

func (c *Conn) dropInput() {
	if c.input != nil {
		inputBytes.Put(c.input)
		c.input = nil
	}
}

// consume handles requests or frames at the start of buf until it needs more
// input, and returns how many bytes are done with.
func (c *Conn) consume(buf []byte) int {
	done := 0
	for !c.Closed() && !c.lastWrite {
		var n int
		var more bool
		switch c.mode {
		case modeHTTP:
			n, more = c.consumeHTTP(buf[done:])
		case modeProxy:
			n, more = c.consumeProxy(buf[done:])
		default:
			n, more = c.consumeFrame(buf[done:])
		}
		done += n
		if !more {
			return done
		}
	}
	return len(buf)
}

// Abort closes the connection at once; what is not sent yet is lost. The Stream
// is told err.
func (c *Conn) Abort(err error) {
	if c.closed || c.aborted {
		return
	}
	c.aborted, c.err = true, err
	if c.loop.reading == c {
		return // gnet closes it when its callback returns
	}
	if c.port() != nil {
		c.loop.Post((*abortTask)(c))
		return
	}
	if err := c.loop.gnet.Close(c.gnet); err != nil {
		c.loop.log.Debug("loop: closing a connection", "error", err)
	}
}

// finish closes the connection once its output has left and the peer has taken
// it, or after CloseTimeout.
func (c *Conn) finish() {
	if c.Closed() || c.lastWrite {
		return
	}
	c.lastWrite = true
	c.resumeInput() // lingering ends when the peer closes
	c.startTimer(timerLinger)
	c.markDirty() // lingers from flush, even with nothing to send
}

// linger tells the peer that nothing more comes. Closing now, with input
// unread, would make the kernel throw away what the peer has not received yet.
func (c *Conn) linger() {
	c.mode = modeLinger
	c.dropInput()
	if p := c.port(); p != nil {
		p.linger(c)
		return
	}
	if err := unix.Shutdown(c.fd, unix.SHUT_WR); err != nil {
		c.Abort(err)
	}
}

// detach tells the Stream that the connection is over for it.
func (c *Conn) detach(err error) {
	if s := c.stream; s != nil {
		c.stream = nil
		s.OnClose(c, err)
	}
}

// onClosed releases everything. gnet closes the descriptor when it returns.
func (c *Conn) onClosed(err error) {
	c.closed = true
	switch ending := c.loop.reactor.ending(); {
	case c.err != nil:
		err = c.err
	case ending != nil:
		err = ending
	case err == nil && !c.aborted: // gnet has a reason unless it ends the loop
		err = ErrReactorStopped
	case err == nil:
		err = io.EOF
	}
	if c.watched {
		c.loop.reactor.watcher.forget(c)
	}
	c.uncount()
	c.loop.unlink(c)
	c.loop.Cancel(&c.timer)
	c.dropInput()
	c.dropHTTP()
	c.dropMessage()
	c.dropWindows()
	if c.out != nil {
		c.loop.giveQueue(c.out)
		c.out = nil
	}
	c.drained = nil
	c.detach(err)
}

// Attached reports whether s is the connection's Stream.
func (c *Conn) Attached(s Stream) bool { return c.stream == s }

// Stream returns what is attached, or nil.
func (c *Conn) Stream() Stream { return c.stream }
