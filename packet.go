package sio

import (
	"fmt"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
)

// packet is an encoded Socket.IO packet: its text and its attachments.
type packet struct {
	first engine.Message
	rest  []engine.Message
}

func (p packet) retain(n int) {
	p.first.Retain(n)
	for _, m := range p.rest {
		m.Retain(n)
	}
}

func (p packet) release() {
	p.first.Release()
	for _, m := range p.rest {
		m.Release()
	}
}

// size returns the bytes that the packet holds.
func (p packet) size() int {
	n := p.first.Size()
	for _, m := range p.rest {
		n += m.Size()
	}
	return n
}

// uncompressed returns the packet as one that is sent as it is. It shares the
// references.
func (p packet) uncompressed() packet {
	p.first = p.first.Uncompressed()
	for i, m := range p.rest {
		p.rest[i] = m.Uncompressed()
	}
	return p
}

// encodeEvent encodes an EVENT, or a BINARY_EVENT if args hold binary data.
func encodeEvent(ns *Namespace, event string, args []any, id uint64, hasID bool) (packet, error) {
	if err := checkEvent(event); err != nil {
		return packet{}, err
	}
	return ns.server.coding.encodePacket(socketio.Event, ns.name, event, args, id, hasID)
}

// checkEvent refuses the names that the protocol keeps for itself.
func checkEvent(event string) error {
	if socketio.Reserved(event) {
		return fmt.Errorf("%w: %q", ErrReservedEvent, event)
	}
	return nil
}

// encodeAck encodes an ACK or BINARY_ACK.
func encodeAck(ns *Namespace, id uint64, args []any) (packet, error) {
	return ns.server.coding.encodePacket(socketio.Ack, ns.name, "", args, id, true)
}

// encodePacket encodes straight into the message's buffer. Only when an
// argument may hold binary data, it first takes that out: how many attachments
// there are stands in front of the arguments.
func (c *coding) encodePacket(t socketio.PacketType, ns, event string, args []any, id uint64, hasID bool) (packet, error) {
	if c.parses() {
		return c.parsedArguments(t, ns, event, args, id, hasID)
	}
	var (
		attachments [][]byte
		counts      []int // of attachments, by argument, if there are any
	)
	for i, arg := range args {
		if !mayHoldBinary(arg) {
			continue
		}
		if counts == nil {
			counts = make([]int, len(args))
			args = append([]any(nil), args...) // the caller's own stays as it is
		}
		raw, found, err := c.extractBinary(arg, len(attachments))
		if err != nil {
			return packet{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
		args[i], counts[i] = rawJSON(raw), len(found)
		attachments = append(attachments, found...)
	}
	if len(attachments) > 0 {
		t = binaryType(t)
	}
	b := engine.Begin(false)
	b.B = socketio.AppendHeader(b.B, t, ns, id, hasID, len(attachments))
	b.B = append(b.B, '[')
	if t.IsEvent() {
		b.B = socketio.AppendString(b.B, event)
	}
	for i, arg := range args {
		if i > 0 || t.IsEvent() {
			b.B = append(b.B, ',')
		}
		var err error
		from := len(b.B)
		b.B, err = c.appendJSON(b.B, arg)
		if err == nil && len(attachments) > 0 {
			err = checkPlaceholders(b.B[from:], len(attachments), counts[i])
		}
		if err != nil {
			b.Release()
			return packet{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
	}
	b.B = append(b.B, ']')
	return packet{engine.Seal(b, false), attachmentMessages(attachments)}, nil
}

// encodeRawEvent encodes an event with arguments that came in one.
func encodeRawEvent(ns *Namespace, event string, args RawArgs, id uint64, hasID bool) (packet, error) {
	if err := checkEvent(event); err != nil {
		return packet{}, err
	}
	return ns.server.coding.encodeRaw(socketio.Event, ns.name, event, args, id, hasID)
}

func encodeRawAck(ns *Namespace, id uint64, args RawArgs) (packet, error) {
	return ns.server.coding.encodeRaw(socketio.Ack, ns.name, "", args, id, true)
}

func (c *coding) encodeRaw(t socketio.PacketType, ns, event string, args RawArgs, id uint64, hasID bool) (packet, error) {
	if args.coding != c {
		var err error
		if args, err = c.convert(args); err != nil {
			return packet{}, err
		}
	}
	if c.parses() {
		return c.parsedPacket(t, ns, event, args.values, id, hasID)
	}
	if len(args.attachments) > 0 {
		t = binaryType(t)
	}
	b := engine.Begin(false)
	b.B = socketio.AppendHeader(b.B, t, ns, id, hasID, len(args.attachments))
	b.B = append(b.B, '[')
	if t.IsEvent() {
		b.B = socketio.AppendString(b.B, event)
	}
	for i, raw := range args.values {
		if i > 0 || t.IsEvent() {
			b.B = append(b.B, ',')
		}
		b.B = append(b.B, raw...)
	}
	b.B = append(b.B, ']')
	return packet{engine.Seal(b, false), attachmentMessages(args.attachments)}, nil
}

func attachmentMessages(attachments [][]byte) []engine.Message {
	if len(attachments) == 0 {
		return nil
	}
	messages := make([]engine.Message, len(attachments))
	for i, a := range attachments {
		messages[i] = engine.NewMessage(a, true)
	}
	return messages
}

func binaryType(t socketio.PacketType) socketio.PacketType {
	if t == socketio.Event {
		return socketio.BinaryEvent
	}
	return socketio.BinaryAck
}

// encodeConnect encodes the answer to a CONNECT; sid is empty for none, and so is
// pid.
func (c *coding) encodeConnect(ns, sid, pid string) (packet, error) {
	if sid == "" {
		return c.encodePayload(socketio.Connect, ns, nil)
	}
	if c.parses() {
		payload := map[string]any{"sid": sid}
		if pid != "" {
			payload["pid"] = pid
		}
		return c.parsedPayload(socketio.Connect, ns, payload)
	}
	b := engine.Begin(false)
	b.B = socketio.AppendConnect(b.B, ns, sid, pid)
	return packet{first: engine.Seal(b, false)}, nil
}

// encodeConnectError encodes a CONNECT_ERROR; data is left out if nil.
func (c *coding) encodeConnectError(ns, message string, data any) (packet, error) {
	if c.parses() {
		payload := map[string]any{"message": message}
		if data != nil {
			payload["data"] = data
		}
		return c.parsedPayload(socketio.ConnectError, ns, payload)
	}
	var raw []byte
	if data != nil {
		var err error
		if raw, err = c.appendJSON(nil, data); err != nil {
			return packet{}, fmt.Errorf("sio: encoding the data of an error: %w", err)
		}
	}
	b := engine.Begin(false)
	b.B = socketio.AppendConnectError(b.B, ns, message, raw)
	return packet{first: engine.Seal(b, false)}, nil
}

// encodePayload encodes a packet whose payload is v, or that has none if v is nil.
func (c *coding) encodePayload(t socketio.PacketType, ns string, v any) (_ packet, err error) {
	if c.parses() {
		return c.parsedPayload(t, ns, v)
	}
	b := engine.Begin(false)
	b.B = socketio.AppendHeader(b.B, t, ns, 0, false, 0)
	if v != nil {
		if b.B, err = c.appendJSON(b.B, v); err != nil {
			b.Release()
			return packet{}, fmt.Errorf("sio: encoding the payload: %w", err)
		}
	}
	return packet{first: engine.Seal(b, false)}, nil
}
