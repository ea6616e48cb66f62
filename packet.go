package sio

import (
	"errors"
	"fmt"

	"github.com/bytedance/sonic/encoder"

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
func encodeEvent(ns, event string, args []any, id uint64, hasID bool) (packet, error) {
	if socketio.Reserved(event) {
		return packet{}, fmt.Errorf("%w: %q", ErrReservedEvent, event)
	}
	return encodePacket(socketio.Event, ns, event, args, id, hasID)
}

// encodeAck encodes an ACK or BINARY_ACK.
func encodeAck(ns string, id uint64, args []any) (packet, error) {
	return encodePacket(socketio.Ack, ns, "", args, id, true)
}

// encodePacket encodes straight into the message's buffer. Only when an
// argument may hold binary data, it first takes that out: how many attachments
// there are stands in front of the arguments.
func encodePacket(t socketio.PacketType, ns, event string, args []any, id uint64, hasID bool) (packet, error) {
	var attachments [][]byte
	for i, arg := range args {
		if !mayHoldBinary(arg) {
			continue
		}
		if len(attachments) == 0 {
			args = append([]any(nil), args...) // the caller's own stays as it is
		}
		raw, found, err := extractBinary(arg, len(attachments))
		if err != nil {
			return packet{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
		args[i] = rawJSON(raw)
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
		if b.B, err = appendJSON(b.B, arg); err != nil {
			b.Release()
			return packet{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
	}
	b.B = append(b.B, ']')
	return packet{engine.Seal(b, false), attachmentMessages(attachments)}, nil
}

// encodeRawEvent encodes an event with arguments that came in one.
func encodeRawEvent(ns, event string, args RawArgs, id uint64, hasID bool) (packet, error) {
	if socketio.Reserved(event) {
		return packet{}, fmt.Errorf("%w: %q", ErrReservedEvent, event)
	}
	return encodeRaw(socketio.Event, ns, event, args, id, hasID), nil
}

func encodeRawAck(ns string, id uint64, args RawArgs) packet {
	return encodeRaw(socketio.Ack, ns, "", args, id, true)
}

func encodeRaw(t socketio.PacketType, ns, event string, args RawArgs, id uint64, hasID bool) packet {
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
	return packet{engine.Seal(b, false), attachmentMessages(args.attachments)}
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

// rawJSON is JSON that needs no further encoding or checking.
type rawJSON []byte

var errMarshal = errors.New("unsupported value")

// appendJSON appends one argument.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case rawJSON:
		return append(dst, v...), nil
	case string:
		return socketio.AppendString(dst, v), nil
	case nil:
		return append(dst, "null"...), nil
	case bool:
		if v {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	}
	mark := len(dst)
	if err := encodeInto(&dst, v); err != nil {
		return dst[:mark], err
	}
	return dst, nil
}

// encodeInto lets sonic append to the packet's own buffer. A marshaller of the
// program's that panics must not take a loop or a room's lock with it.
func encodeInto(dst *[]byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %T: %v", errMarshal, v, p)
		}
	}()
	return encoder.EncodeInto(dst, v, encoder.CompactMarshaler|encoder.ValidateString)
}
