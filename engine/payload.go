package engine

import (
	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Content types of the answer to a poll.
const (
	textType   = "text/plain; charset=UTF-8"
	binaryType = "application/octet-stream"
	scriptType = "text/javascript; charset=UTF-8"
)

// appendPayload encodes what answers a poll, and returns its content type.
func (s *Session) appendPayload(b *loop.Buffer, packets []Message) (contentType string) {
	p := s.polling
	if p.jsonp == nil {
		return s.appendPackets(b, packets, s.base64)
	}
	// A script can't hold bytes, so they are always sent as base64.
	plain := loop.NewBuffer()
	defer plain.Release()
	s.appendPackets(plain, packets, true)
	b.B = engineio.AppendJSONP(b.B, p.jsonp, plain.B)
	return scriptType
}

func (s *Session) appendPackets(b *loop.Buffer, packets []Message, base64 bool) (contentType string) {
	if s.protocol == protocol4 {
		for i, m := range packets {
			if i > 0 {
				b.B = append(b.B, engineio.Separator)
			}
			b.B = engineio.AppendPacket(b.B, m.packet())
		}
		return textType
	}
	if !base64 && anyBinary(packets) {
		for _, m := range packets {
			b.B = engineio.AppendBinaryPayloadV3(b.B, m.packet())
		}
		return binaryType
	}
	for _, m := range packets {
		b.B = engineio.AppendPayloadV3(b.B, m.packet())
	}
	return textType
}

func anyBinary(packets []Message) bool {
	for _, m := range packets {
		if m.binary {
			return true
		}
	}
	return false
}

// writeFrame queues m on the session's WebSocket, in the form that its peer
// understands. It takes over one reference.
func (s *Session) writeFrame(m Message) {
	switch {
	case !m.binary, s.protocol == protocol4 && !s.base64:
		m.writeTo(s.conn)
		return
	case s.base64 && s.protocol == protocol4:
		s.conn.WriteFrame(ws.OpText, engineio.AppendPacket(nil, m.packet()))
	case s.base64:
		s.conn.WriteFrame(ws.OpText, engineio.AppendPacketV3(nil, m.packet()))
	default:
		s.conn.WriteFrame(ws.OpBinary, engineio.AppendBinaryPacketV3(nil, m.packet()))
	}
	m.Release()
}

// decodeFrame decodes a message of the session's WebSocket.
func (s *Session) decodeFrame(binary bool, payload []byte) (engineio.Packet, error) {
	switch {
	case s.protocol == protocol4 && binary:
		return engineio.DecodeBinary(payload), nil
	case s.protocol == protocol4:
		return engineio.DecodeText(payload) //nolint:wrapcheck // it is the session's error
	case binary:
		return engineio.DecodeBinaryV3(payload), nil
	}
	return engineio.DecodeTextV3(payload) //nolint:wrapcheck // it is the session's error
}
