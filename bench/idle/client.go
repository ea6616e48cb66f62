package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// stage is how far a client has come.
type stage uint8

const (
	upgrading stage = iota // waits for the answer to its HTTP request
	opening                // waits for the Engine.IO open packet
	joining                // waits for the Socket.IO CONNECT packet
	joined
)

// client is the state of one client. While idle it holds no buffer.
type client struct {
	fd         int
	heartbeats int
	rest       []byte // received, not complete yet
	stage      stage
}

// errProtocol is the error for anything that an idle client does not expect.
var errProtocol = errors.New("unexpected answer")

// upgradeRequest opens a WebSocket Engine.IO connection without polling first.
// The key is the example of RFC 6455: its answer is not checked here.
func upgradeRequest(host string) []byte {
	return fmt.Appendf(nil, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host)
}

// receive takes bytes from the server and returns what to send.
func (c *client) receive(b []byte) (reply []byte, err error) {
	if len(c.rest) > 0 {
		b = append(c.rest, b...)
	}
	if c.stage == upgrading {
		head, rest, complete := bytes.Cut(b, []byte("\r\n\r\n"))
		if !complete {
			c.rest = slices.Clone(b)
			return nil, nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
			status, _, _ := bytes.Cut(head, []byte("\r\n"))
			return nil, fmt.Errorf("%w: %q", errProtocol, status)
		}
		c.stage, b = opening, rest
	}
	for len(b) > 0 {
		opcode, payload, size, err := parseFrame(b)
		if err != nil {
			return nil, err
		}
		if size == 0 {
			break
		}
		if reply, err = c.frame(reply, opcode, payload); err != nil {
			return nil, err
		}
		b = b[size:]
	}
	c.rest = nil
	if len(b) > 0 {
		c.rest = slices.Clone(b)
	}
	return reply, nil
}

// The opcodes of RFC 6455, section 5.2.
const (
	opText = 0x1
	opPing = 0x9
	opPong = 0xa
)

// frame handles one frame and appends the answer to reply.
func (c *client) frame(reply []byte, opcode byte, payload []byte) ([]byte, error) {
	switch {
	case opcode == opPing:
		return appendFrame(reply, opPong, payload), nil
	case opcode != opText:
		return nil, fmt.Errorf("%w: a frame with opcode %#x", errProtocol, opcode)
	case c.stage == opening && bytes.HasPrefix(payload, []byte("0{")):
		c.stage = joining
		return appendFrame(reply, opText, []byte("40")), nil
	case c.stage == joining && bytes.HasPrefix(payload, []byte("40{")):
		c.stage = joined
		return reply, nil
	case string(payload) == "2":
		c.heartbeats++
		return appendFrame(reply, opText, []byte("3")), nil
	default:
		return nil, fmt.Errorf("%w: packet %.60q", errProtocol, payload)
	}
}

// parseFrame reads an unfragmented, unmasked frame. size is 0 if b does not hold
// all of it.
func parseFrame(b []byte) (opcode byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("%w: frame header % x", errProtocol, b[:2])
	}
	header, length := 2, int(b[1])
	switch length {
	case 126:
		header = 4
		if len(b) < header {
			return 0, nil, 0, nil
		}
		length = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		return 0, nil, 0, fmt.Errorf("%w: a frame of more than 64 KiB", errProtocol)
	}
	size = header + length
	if len(b) < size {
		return 0, nil, 0, nil
	}
	return b[0] & 0x0f, b[header:size], size, nil
}

// appendFrame appends a masked frame of up to 125 bytes. The mask is zero, which
// RFC 6455 allows to clients that do not care about proxies.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, 0x80|opcode, 0x80|byte(len(payload)), 0, 0, 0, 0)
	return append(dst, payload...)
}
