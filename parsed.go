package sio

import (
	"fmt"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// With a parser, a packet is one message; what it has in place of JSON is known to
// the parser alone. The rest of the package sees none of it: it gets the name of an event
// and the data of a CONNECT as JSON.

// seal makes a packet of p through the parser.
func (c *coding) seal(p socketio.Packet) (_ packet, err error) {
	b := engine.Begin(true)
	defer func() {
		if err != nil {
			b.Release()
		}
	}()
	defer recoverCoding(nil, &err)
	from := len(b.B)
	out, binary, err := c.parser.AppendPacket(b.B, p)
	if err != nil {
		return packet{}, fmt.Errorf("sio: encoding %v: %w", p.Type, err)
	}
	if b.B = out; binary {
		return packet{first: engine.Seal(b, true)}, nil
	}
	text := engine.NewMessage(b.B[from:], false)
	b.Release()
	return packet{first: text}, nil
}

// parsedPacket encodes an event or an acknowledgement with values that are encoded
// already.
func (c *coding) parsedPacket(t socketio.PacketType, ns, event string, values [][]byte, id uint64, hasID bool) (packet, error) {
	if t.IsEvent() {
		name, err := c.appendValue(nil, event)
		if err != nil {
			return packet{}, fmt.Errorf("sio: encoding the event's name: %w", err)
		}
		values = append(append(make([][]byte, 0, len(values)+1), name), values...)
	}
	return c.seal(socketio.Packet{Type: t, Namespace: []byte(ns), ID: id, HasID: hasID, Args: values})
}

// parsedArguments encodes arguments, all of them into one piece of memory.
func (c *coding) parsedArguments(t socketio.PacketType, ns, event string, args []any, id uint64, hasID bool) (packet, error) {
	scratch := loop.NewBuffer()
	defer scratch.Release()
	ends := make([]int, len(args))
	for i, arg := range args {
		var err error
		if scratch.B, err = c.appendValue(scratch.B, arg); err != nil {
			return packet{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
		ends[i] = len(scratch.B)
	}
	values := make([][]byte, len(args))
	from := 0
	for i, end := range ends {
		values[i] = scratch.B[from:end:end]
		from = end
	}
	return c.parsedPacket(t, ns, event, values, id, hasID)
}

// parsedPayload encodes a packet with at most one value; v is nil for none.
func (c *coding) parsedPayload(t socketio.PacketType, ns string, v any) (packet, error) {
	p := socketio.Packet{Type: t, Namespace: []byte(ns)}
	if v != nil {
		var err error
		if p.Data, err = c.appendValue(nil, v); err != nil {
			return packet{}, fmt.Errorf("sio: encoding the payload: %w", err)
		}
	}
	return c.seal(p)
}

// decode decodes a client's message. The name of an event is as JSON in the first of
// the packet's Args, and Data is JSON.
func (c *coding) decode(data []byte, binary bool, sc *scratch, lim socketio.Limits) (p socketio.Packet, err error) {
	defer recoverCoding(nil, &err)
	if p, err = c.parser.DecodePacket(data, binary, sc.args, lim); err != nil {
		return p, err //nolint:wrapcheck // wrapped by violation
	}
	if p.Args != nil {
		sc.args = p.Args
	}
	p.Attachments = 0
	event, err := socketio.CheckPacket(c.parser, p)
	switch {
	case err != nil:
		return p, err //nolint:wrapcheck // wrapped by violation
	case p.Type == socketio.Event:
		sc.name = socketio.AppendString(sc.name[:0], string(event))
		p.Args[0] = sc.name
	case p.Type == socketio.Connect && p.Data != nil:
		if p.Data, err = c.jsonOf(p.Data); err == nil && (len(p.Data) == 0 || p.Data[0] != '{') {
			err = socketio.ErrInvalidPayload
		}
	case p.Type == socketio.Disconnect && p.Data != nil:
		err = socketio.ErrInvalidPayload
	}
	return p, err
}
