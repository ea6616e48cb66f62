package sio

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// client is one Engine.IO session with its sockets, one per namespace. Its
// state belongs to the loop that owns the session.
type client struct {
	server    *Server
	session   *engine.Session
	sockets   []*Socket    // pending and connected ones
	resolving []*resolving // namespaces that parents are being asked for
	partial   *partial     // a binary packet whose attachments are coming in
	timer     loop.Timer   // for joining the first namespace
	clock     *loop.Loop   // on whose wheel the timer is
	joined    bool
}

var _ engine.Receiver = (*client)(nil)

func newClient(s *Server, session *engine.Session) *client {
	c := &client{server: s, session: session, clock: session.Home()}
	c.clock.Schedule(&c.timer, s.opts.ConnectTimeout, c)
	if c.legacy() {
		c.joinRoot()
	}
	return c
}

// OnTimer ends a client that joined nothing in time.
func (c *client) OnTimer(*loop.Loop, *loop.Timer) { c.session.Post(joinDeadline{c}) }

type joinDeadline struct{ *client }

// Run is called on the loop.
func (c joinDeadline) Run(l *loop.Loop) {
	if c.session.Owned(l, c) && !c.joined {
		c.session.Close()
	}
}

// stopTimer calls the timer off, unless the session has moved away from it: then
// it comes to nothing by itself.
func (c *client) stopTimer() {
	if c.session.OwnedBy(c.clock) {
		c.clock.Cancel(&c.timer)
	}
}

// OnMessage takes a message of the session: a packet, or an attachment of one.
func (c *client) OnMessage(_ *engine.Session, data []byte, binary bool) {
	if err := c.onMessage(data, binary); err != nil {
		c.violation(err)
	}
}

func (c *client) onMessage(data []byte, binary bool) error {
	sc := c.scratch()
	switch {
	case c.server.coding.parses():
		p, err := c.server.coding.decode(data, binary, sc, c.server.limits)
		if err != nil {
			return err
		}
		return c.onPacket(p, nil)
	case c.partial != nil:
		return c.onAttachment(data, binary)
	case binary:
		return socketio.ErrUnexpectedBinary
	}
	p, err := socketio.Decode(data, sc.args, c.server.limits)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by violation
	}
	if p.Args != nil {
		sc.args = p.Args
	}
	if p.Attachments > 0 {
		return c.startPartial(data, p)
	}
	return c.onPacket(p, nil)
}

func (c *client) scratch() *scratch { return c.session.Owner().Local.(*scratch) }

func (c *client) onPacket(p socketio.Packet, attachments [][]byte) error {
	if c.legacy() {
		cutQuery(&p)
	}
	s := c.socket(p.Namespace)
	switch {
	case p.Type == socketio.Connect:
		return c.onConnect(s, p)
	case s == nil, !s.Connected():
		return fmt.Errorf("%w: %v for a namespace that is not joined", ErrPacket, p.Type)
	case p.Type == socketio.Disconnect:
		s.end(ReasonClientDisconnect)
	case p.Type.IsEvent():
		s.onEvent(p, attachments)
	case p.Type.IsAck():
		s.onAck(p, attachments)
	default:
		return fmt.Errorf("%w: %v from a client", ErrPacket, p.Type)
	}
	return nil
}

func (c *client) socket(namespace []byte) *Socket {
	for _, s := range c.sockets {
		if s.ns.name == string(namespace) {
			return s
		}
	}
	return nil
}

// onConnect begins to join a namespace.
func (c *client) onConnect(present *Socket, p socketio.Packet) error {
	if present != nil || c.isResolving(p.Namespace) {
		return fmt.Errorf("%w: a second CONNECT", ErrPacket)
	}
	if len(c.sockets)+len(c.resolving) >= c.server.opts.MaxNamespaces {
		c.sendConnectError(string(p.Namespace), "Too many namespaces")
		return nil
	}
	switch ns, unknown := c.server.lookup(p.Namespace); {
	case ns != nil:
		c.enter(ns, bytes.Clone(p.Data))
	case unknown:
		c.sendConnectError(string(p.Namespace), "Invalid namespace")
	default:
		c.resolve(string(p.Namespace), bytes.Clone(p.Data))
	}
	return nil
}

// enter makes the client's socket in a namespace that counts the client.
func (c *client) enter(ns *Namespace, auth []byte) {
	s := newSocket(c, ns, auth)
	if ns.log != nil {
		pid, offset := recoveryRequest(auth)
		if pid != "" && c.takeOver(ns, auth, pid) {
			return
		}
		s.recoverSession(pid, offset)
	}
	c.sockets = append(c.sockets, s)
	s.join()
}

// sendConnectError tells the client of a namespace that it can't be in.
func (c *client) sendConnectError(ns, message string) {
	c.sendPayload(c.server.coding.encodeConnectError(ns, message, nil))
}

// sendRefusal tells the client that a middleware refused it. Data that can't be
// encoded are left out, and reported.
func (c *client) sendRefusal(s *Socket, refusal error) {
	message, data := refusal.Error(), any(nil)
	if ce := (*ConnectError)(nil); errors.As(refusal, &ce) {
		message, data = ce.Message, ce.Data
	}
	p, err := c.encodeRefusal(s.ns.name, message, data)
	if err != nil {
		c.server.report(s, err)
		p, err = c.encodeRefusal(s.ns.name, message, nil)
	}
	c.sendPayload(p, err)
}

// sendPayload sends what was encoded. An error can only be a parser's.
func (c *client) sendPayload(p packet, err error) {
	if err != nil {
		c.violation(err)
		return
	}
	_ = c.session.Send(false, p.first) // a closed session needs no answer
}

// forget takes a socket off the client, on its owner.
func (c *client) forget(s *Socket) {
	for i, other := range c.sockets {
		if other == s {
			last := len(c.sockets) - 1
			copy(c.sockets[i:], c.sockets[i+1:])
			c.sockets[last] = nil
			c.sockets = c.sockets[:last]
			return
		}
	}
}

// violation ends a client that broke the protocol. Its sockets' reason is
// "forced close".
func (c *client) violation(err error) {
	if !errors.Is(err, ErrPacket) {
		err = fmt.Errorf("%w: %w", ErrPacket, err)
	}
	err = fmt.Errorf("%w (from %v)", err, c.session.Request().Remote)
	if len(c.sockets) == 0 {
		c.server.report(nil, err)
	}
	for _, s := range c.sockets {
		c.server.report(s, err)
	}
	c.session.End()
}

// OnMove takes the sockets' memberships along, and a timer.
func (c *client) OnMove(_ *engine.Session, to *loop.Loop) {
	if c.partial != nil {
		c.partial.move(to)
	}
	for _, s := range c.sockets {
		s.ns.hub.Move(&s.member, to.Index())
	}
}

// OnClose ends all sockets.
func (c *client) OnClose(_ *engine.Session, reason engine.CloseReason, err error) {
	c.stopTimer()
	why := Reason(reason)
	if reason == engine.ForcedClose && c.server.closing.Load() {
		why = ReasonShuttingDown
	}
	if err != nil && reason != engine.TransportClose {
		c.server.opts.Logger.Debug("sio: client closed", "reason", string(reason), "error", err)
	}
	c.dropPartial()
	for _, s := range append([]*Socket(nil), c.sockets...) {
		s.end(why)
	}
	c.sockets = nil
	for _, r := range c.resolving {
		r.cancel()
	}
	c.resolving = nil
}
