package client

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// receiveHandshake takes the answer to the opening handshake off b.
func (c *Client) receiveHandshake(b []byte) (n int, err error) {
	r, n, err := wire.ParseHead(b)
	if err != nil || n == 0 {
		return 0, err //nolint:wrapcheck // it says all there is
	}
	if r.Status != 101 {
		if full, size, err := wire.ParseResponse(b, c.s.cfg.MaxMessage); err == nil {
			if size == 0 {
				return 0, nil // its body says why
			}
			r = full
		}
		return 0, refused(&r, "the WebSocket handshake")
	}
	if string(r.Header("Sec-WebSocket-Accept")) != socketAccept {
		return 0, fmt.Errorf("%w: the WebSocket handshake's Sec-WebSocket-Accept is wrong", wire.ErrProtocol)
	}
	if extensions := r.Header("Sec-WebSocket-Extensions"); len(extensions) > 0 {
		if c.s.cfg.Deflate == NoDeflate || !bytes.HasPrefix(extensions, []byte("permessage-deflate")) {
			return 0, fmt.Errorf("%w: the server chose extension %.40q, which was not offered", wire.ErrProtocol, extensions)
		}
		c.deflate = true
		c.takeover = c.s.cfg.Deflate == DeflateTakeover && !bytes.Contains(extensions, []byte("server_no_context_takeover"))
	}
	c.shaken = true
	if c.sid != "" { // this is an upgrade
		c.writeText(engineio.Packet{Type: engineio.Ping, Data: []byte("probe")})
	}
	return n, nil
}

// receiveFrame takes one frame off b.
func (c *Client) receiveFrame(b []byte) (n int, err error) {
	f, n, err := wire.ParseFrame(b, c.s.cfg.MaxMessage)
	if err != nil || n == 0 {
		return 0, err //nolint:wrapcheck // it says all there is
	}
	switch f.Op {
	case ws.OpPing:
		c.writeFrame(ws.OpPong, f.Payload)
	case ws.OpPong:
	case ws.OpClose:
		return 0, closedBy(f.Payload)
	default:
		err = c.onFrame(f)
	}
	return n, err
}

// closedBy describes a close frame.
func closedBy(payload []byte) *Error {
	detail := "the server closed the WebSocket"
	if len(payload) >= 2 {
		detail += fmt.Sprintf(" with code %d", binary.BigEndian.Uint16(payload))
		if len(payload) > 2 {
			detail += fmt.Sprintf(" (%q)", payload[2:])
		}
	}
	return &Error{Kind: KindClosed, Detail: detail}
}

// onFrame puts messages together.
func (c *Client) onFrame(f wire.Frame) error {
	continued := f.Op == ws.OpContinuation
	switch {
	case continued != (c.message != nil), continued && f.Rsv1, f.Rsv1 && !c.deflate:
		return fmt.Errorf("%w: unexpected WebSocket frame", wire.ErrProtocol)
	case f.Fin && !continued:
		return c.onMessage(f.Payload, f.Op == ws.OpBinary, f.Rsv1)
	case !continued:
		c.message = &message{binary: f.Op == ws.OpBinary, compressed: f.Rsv1}
	}
	m := c.message
	if len(m.data)+len(f.Payload) > c.s.cfg.MaxMessage {
		return fmt.Errorf("%w: message of more than %d bytes", wire.ErrProtocol, c.s.cfg.MaxMessage)
	}
	m.data = append(m.data, f.Payload...)
	if !f.Fin {
		return nil
	}
	c.message = nil
	return c.onMessage(m.data, m.binary, m.compressed)
}

// onMessage takes a whole WebSocket message, which is a packet.
func (c *Client) onMessage(b []byte, isBinary, compressed bool) (err error) {
	if compressed {
		if b, err = c.inflate(b); err != nil {
			return err
		}
	}
	var p engineio.Packet
	switch {
	case !isBinary && c.s.cfg.EIO == 3:
		p, err = engineio.DecodeTextV3(b)
	case !isBinary:
		p, err = engineio.DecodeText(b)
	case c.s.cfg.EIO == 3:
		p = engineio.DecodeBinaryV3(b)
	default:
		p = engineio.DecodeBinary(b)
	}
	if err == nil {
		err = c.onPacket(Socket, p)
	}
	if err != nil && c.state == opening {
		return notEngineIO(b)
	}
	return err
}

func (c *Client) writeFrame(op ws.OpCode, payload []byte) {
	c.s.out = wire.AppendFrame(c.s.out[:0], op, uint32(c.s.next()>>32), payload)
	c.io.Write(Socket, c.s.out)
}

// writeText sends a packet that is not binary as a WebSocket message.
func (c *Client) writeText(p engineio.Packet) {
	c.s.out = engineio.AppendPacket(wire.BeginFrame(c.s.out[:0]), p)
	c.s.out = wire.EndFrame(c.s.out, 0, ws.OpText, uint32(c.s.next()>>32))
	c.io.Write(Socket, c.s.out)
}

// writePacket sends a packet as a WebSocket message.
func (c *Client) writePacket(p engineio.Packet) {
	switch {
	case !p.Binary:
		c.writeText(p)
	case c.s.cfg.EIO == 3:
		c.s.out = engineio.AppendBinaryPacketV3(wire.BeginFrame(c.s.out[:0]), p)
		c.s.out = wire.EndFrame(c.s.out, 0, ws.OpBinary, uint32(c.s.next()>>32))
		c.io.Write(Socket, c.s.out)
	default:
		c.writeFrame(ws.OpBinary, p.Data)
	}
}
