package client

import (
	"bytes"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/codec/socketio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// Received is an event or an acknowledgement.
type Received struct {
	Event []byte // the event's name, nil for an acknowledgement
	ID    uint64 // that of the acknowledgement
	Args  [][]byte

	attachments [][]byte
	parsed      bool
}

// Body returns the first argument that is a string without escapes, or binary data; nil
// if there is none.
func (r *Received) Body() []byte {
	if len(r.attachments) > 0 {
		return r.attachments[0]
	}
	for _, arg := range r.Args {
		if r.parsed {
			if b, _, err := msgp.ReadStringZC(arg); err == nil {
				return b
			}
			if b, _, err := msgp.ReadBytesZC(arg); err == nil {
				return b
			}
		} else if n := len(arg); n >= 2 && arg[0] == '"' {
			return arg[1 : n-1]
		}
	}
	return nil
}

// Message is an event to send.
type Message struct {
	Event string // must need no escapes in JSON, as Room and a Body that is text
	Room  string // an argument in front of the body, if not empty
	Body  []byte // the last argument, unless nil
	// Binary makes the body binary data.
	Binary bool
	// ID asks for an acknowledgement of this id, if Ack is set.
	ID  uint64
	Ack bool
}

// Emit sends an event.
func (c *Client) Emit(m *Message) error {
	if c.s.parser != nil {
		return c.emitParsed(m)
	}
	t, attachments := socketio.Event, 0
	if m.Binary && m.Body != nil {
		t, attachments = socketio.BinaryEvent, 1
	}
	b := socketio.AppendHeader(c.s.buf[:0], t, c.s.cfg.Namespace, m.ID, m.Ack, attachments)
	b = append(append(append(b, `["`...), m.Event...), '"')
	if m.Room != "" {
		b = append(append(append(b, `,"`...), m.Room...), '"')
	}
	switch {
	case attachments > 0:
		b = append(b, `,{"_placeholder":true,"num":0}`...)
	case m.Body != nil:
		b = append(append(append(b, `,"`...), m.Body...), '"')
	}
	b = append(b, ']')
	c.s.buf = b
	if c.active == Poll { // a request may want the scratch before this is copied
		c.enqueue(engineio.Packet{Type: engineio.Message, Data: c.s.buf})
		if attachments > 0 {
			c.enqueue(engineio.Packet{Type: engineio.Message, Binary: true, Data: m.Body})
		}
		c.pump()
		return nil
	}
	c.writeText(engineio.Packet{Type: engineio.Message, Data: c.s.buf})
	if attachments > 0 {
		c.writePacket(engineio.Packet{Type: engineio.Message, Binary: true, Data: m.Body})
	}
	return nil
}

func (c *Client) emitParsed(m *Message) error {
	args := [][]byte{msgp.AppendString(nil, m.Event)}
	if m.Room != "" {
		args = append(args, msgp.AppendString(nil, m.Room))
	}
	switch {
	case m.Body == nil:
	case m.Binary:
		args = append(args, msgp.AppendBytes(nil, m.Body))
	default:
		args = append(args, msgp.AppendStringFromBytes(nil, m.Body))
	}
	return c.sendParsed(socketio.Packet{
		Type: socketio.Event, Namespace: []byte(c.s.cfg.Namespace), ID: m.ID, HasID: m.Ack, Args: args,
	})
}

// sendParsed sends a packet in the form of the parser.
func (c *Client) sendParsed(p socketio.Packet) error {
	b, isBinary, err := c.s.parser.AppendPacket(c.s.buf[:0], p)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	c.s.buf = b
	out := engineio.Packet{Type: engineio.Message, Binary: isBinary, Data: b}
	if c.active == Poll {
		c.enqueue(out)
		c.pump()
		return nil
	}
	c.writePacket(out)
	return nil
}

// limits are generous: a server under test is no enemy.
var limits = socketio.Limits{Attachments: 1 << 10, Depth: 1 << 10, Args: 1 << 16}

// onData takes the data of an Engine.IO message.
func (c *Client) onData(p engineio.Packet) error {
	if c.s.parser != nil {
		packet, err := c.s.parser.DecodePacket(p.Data, p.Binary, c.s.args[:0], limits)
		if err != nil {
			return fmt.Errorf("packet: %w", err)
		}
		return c.onSocketPacket(packet, nil)
	}
	if p.Binary {
		return c.onAttachment(p.Data)
	}
	if c.assembler != nil {
		return fmt.Errorf("%w: a packet in place of an attachment", wire.ErrProtocol)
	}
	packet, err := socketio.Decode(p.Data, c.s.args[:0], limits)
	if err != nil {
		return fmt.Errorf("packet %.40q: %w", p.Data, err)
	}
	if packet.Args != nil {
		c.s.args = packet.Args
	}
	if packet.Attachments > 0 {
		c.assembler = new(socketio.Assembler)
		return c.assembler.Start(p.Data, packet, c.s.cfg.MaxMessage) //nolint:wrapcheck // it says all there is
	}
	return c.onSocketPacket(packet, nil)
}

// onAttachment takes binary data that belong to the packet before.
func (c *Client) onAttachment(b []byte) error {
	if c.assembler == nil {
		return fmt.Errorf("%w: binary data without a packet", wire.ErrProtocol)
	}
	done, err := c.assembler.Add(b)
	if err != nil || !done {
		return err //nolint:wrapcheck // it says all there is
	}
	packet, attachments, err := c.assembler.Take(limits)
	c.assembler = nil
	if err != nil {
		return err //nolint:wrapcheck // it says all there is
	}
	return c.onSocketPacket(packet, attachments)
}

// onSocketPacket takes a Socket.IO packet.
func (c *Client) onSocketPacket(p socketio.Packet, attachments [][]byte) error {
	// A query behind a namespace's name, as old servers send it back, is no part of it.
	if ns, _, _ := bytes.Cut(p.Namespace, []byte("?")); string(ns) != c.s.cfg.Namespace {
		if c.s.cfg.EIO == 3 && p.Type == socketio.Connect {
			return nil // the main namespace, which was not asked for
		}
		return fmt.Errorf("%w: a packet of namespace %.40q", wire.ErrProtocol, p.Namespace)
	}
	switch p.Type {
	case socketio.Connect:
		c.connected = true
		c.settle()
	case socketio.Disconnect:
		return &Error{Kind: KindClosed, Detail: "the server disconnected the socket"}
	case socketio.ConnectError:
		return &Error{Kind: KindConnect, Detail: fmt.Sprintf("namespace %s refused the client: %s", c.s.cfg.Namespace, c.text(p.Data))}
	default:
		c.onEvent(p, attachments)
	}
	return nil
}

// text returns raw data for people to read.
func (c *Client) text(raw []byte) []byte {
	if c.s.parser != nil {
		if j, ok := c.s.parser.(socketio.JSONAppender); ok {
			if b, err := j.AppendJSON(nil, raw); err == nil {
				raw = b
			}
		}
	}
	return raw[:min(len(raw), 120)]
}

// onEvent passes an event or an acknowledgement on.
func (c *Client) onEvent(p socketio.Packet, attachments [][]byte) {
	if c.state != joined {
		return // a broadcast that overtakes the upgrade
	}
	m := &c.s.received
	*m = Received{ID: p.ID, Args: p.Args, attachments: attachments, parsed: c.s.parser != nil}
	if p.Type.IsEvent() {
		m.Event, _ = c.eventName(p.Args[0]) // without a name it has an empty one
		m.Args = p.Args[1:]
	}
	c.user.OnMessage(c, m)
}

func (c *Client) eventName(raw []byte) ([]byte, error) {
	if d, ok := c.s.parser.(socketio.NameDecoder); ok {
		return d.EventName(raw) //nolint:wrapcheck // it is not looked at
	}
	return socketio.EventName(raw) //nolint:wrapcheck // it is not looked at
}
