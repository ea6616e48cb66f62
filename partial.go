package sio

import (
	"fmt"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// partial is a binary packet whose attachments are coming in. Its timer is on the
// wheel of the loop that owns the session, and exists only as long as the packet.
type partial struct {
	socketio.Assembler
	client *client
	timer  loop.Timer
}

// startPartial begins with a packet that was decoded from text.
func (c *client) startPartial(text []byte, p socketio.Packet) error {
	c.partial = &partial{client: c}
	c.partial.arm()
	return c.partial.Start(text, p, c.server.opts.MaxPayload*2) //nolint:wrapcheck // wrapped by violation
}

// dropPartial forgets the packet, on the loop that owns the session.
func (c *client) dropPartial() {
	if c.partial != nil {
		c.session.Owner().Cancel(&c.partial.timer)
		c.partial = nil
	}
}

// onAttachment takes one attachment, and the whole packet with the last.
func (c *client) onAttachment(data []byte, binary bool) error {
	if !binary {
		return socketio.ErrPlaintextDuringReassembly
	}
	done, err := c.partial.Add(data)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by violation
	}
	if !done {
		c.partial.arm()
		return nil
	}
	p, attachments, err := c.partial.Take(c.server.limits)
	c.dropPartial()
	if err != nil {
		return err //nolint:wrapcheck // wrapped by violation
	}
	return c.onPacket(p, attachments)
}

// arm sets the time for the next attachment. A session that is on its way to another
// loop must leave no timer behind: it is set there.
func (p *partial) arm() {
	session := p.client.session
	if l := session.Owner(); session.Home() == l {
		l.Schedule(&p.timer, p.client.server.opts.AttachmentTimeout, p)
		return
	}
	session.Post(p)
}

// OnTimer ends a client whose attachments don't come.
func (p *partial) OnTimer(*loop.Loop, *loop.Timer) {
	p.client.violation(fmt.Errorf("%w: its attachments did not come in time", ErrPacket))
}

// move takes the timer off the loop that the session begins to leave. It is called
// under the session's lock.
func (p *partial) move(to *loop.Loop) {
	p.client.session.Owner().Cancel(&p.timer)
	to.Post(p)
}

// Run is called on the loop that the session came to.
func (p *partial) Run(l *loop.Loop) {
	if c := p.client; c.session.Owned(l, p) && c.partial == p {
		p.arm()
	}
}
