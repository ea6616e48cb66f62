package loop

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// A reactor can be the guest of a net/http server, which has the sockets then. A
// request of its becomes a Conn without a descriptor that lives for one response
// (call); what is to become a WebSocket is hijacked and gets to a loop as if it had
// been accepted there, by its descriptor (arrival) or, where the connection is
// more than a descriptor, such as one over TLS, by goroutines that read and
// write it (socket). Above all three, everything is as it ever was.

// guest is what a Conn has of a net/http server.
type guest struct {
	request *http.Request // being served; nil once it is a WebSocket
	port    port          // does the I/O; nil where there is a descriptor
}

// port does for a Conn without a descriptor what system calls do for others. All
// of it is called on the loop.
type port interface {
	// flush sends what is queued.
	flush(c *Conn)
	// linger says that nothing more will be sent.
	linger(c *Conn)
	// pending returns how many bytes have left the queue and were not sent yet.
	pending() int
	// shut is called once, when the Conn is over.
	shut()
}

// A Locator is a [Handler] that knows where requests are best served: on the loop
// that has what they are about. It is asked in guest mode, where it can be chosen.
type Locator interface {
	// Locate returns a loop of the reactor, or nil for any. Any goroutine may call
	// it; r has no Body, and is only valid until Locate returns.
	Locate(r *Request) *Loop
}

func (c *Conn) guest() *guest {
	if c.proxy == nil {
		return nil
	}
	return c.proxy.guest
}

func (c *Conn) port() port {
	if g := c.guest(); g != nil {
		return g.port
	}
	return nil
}

// call returns the exchange of a Conn that is no more than that, or nil.
func (c *Conn) call() *call {
	k, _ := c.port().(*call)
	return k
}

// newGuest makes a Conn without a descriptor.
func newGuest(l *Loop, v *visit, p port) *Conn {
	return &Conn{loop: l, fd: -1, counted: v.counted, proxy: &proxied{
		client: v.client, secure: v.secure, guest: &guest{request: v.request, port: p},
	}}
}

// becomeWebSocket forgets what only requests need.
func (g *guest) becomeWebSocket(c *Conn) {
	g.request = nil
	if g.port != nil {
		return
	}
	c.proxy.guest = nil
	if !c.proxy.secure && addrPort(c.proxy.client) == addrPort(c.gnet.RemoteAddr()) {
		c.proxy = nil // there is nothing in it that the socket does not know
	}
}

// end is the one place where a Conn without a descriptor ends.
func (c *Conn) end(err error) {
	if c.closed {
		return
	}
	p := c.port()
	c.loop.reactor.conns.Add(-1)
	c.loop.protect(nil, func() { c.onClosed(err) })
	p.shut()
}

// abortTask ends a Conn without a descriptor behind the callback that aborted it.
type abortTask Conn

// Run is called on the loop.
func (t *abortTask) Run(*Loop) { (*Conn)(t).end(io.EOF) }

// endGuests is called when the loop has ended: no task runs any more.
func (l *Loop) endGuests() {
	defer close(l.over)
	for c := l.conns; c != nil; {
		next := c.next
		if c.port() != nil {
			c.end(nil)
		}
		c = next
	}
}

// original returns what the handlers around have left of the request.
func (g *guest) original(r *Request) *http.Request {
	req := g.request.WithContext(context.WithoutCancel(g.request.Context()))
	req.Body = http.NoBody
	if len(r.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(bytes.Clone(r.Body)))
	}
	return req
}
