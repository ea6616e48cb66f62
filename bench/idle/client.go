package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// stage is how far a client has come.
type stage uint8

const (
	upgrading stage = iota // waits for the answer to its HTTP request
	opening                // waits for the Engine.IO open packet
	joining                // waits for the Socket.IO CONNECT packet
	echoing                // waits for its compressed message to come back
	joined
)

// client is the state of one client. While idle it holds no buffer.
type client struct {
	fd         int
	heartbeats int
	rest       []byte // received, not complete yet
	stage      stage
	compressed []byte  // the frame to send once joined; nil without compression
	poller     *poller // nil over WebSocket
}

// errProtocol is the error for anything that an idle client does not expect.
var errProtocol = errors.New("unexpected answer")

// upgradeRequest opens a WebSocket Engine.IO connection without polling first.
// The key is the example of RFC 6455: its answer is not checked here. header may
// be further lines.
func upgradeRequest(host, header string) []byte {
	return fmt.Appendf(nil, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", host, header)
}

// receive takes bytes from the server and returns what to send.
func (c *client) receive(b []byte) (reply []byte, err error) {
	if len(c.rest) > 0 {
		b = append(c.rest, b...)
	}
	if c.poller != nil {
		return c.receiveAnswer(b)
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
		if c.compressed != nil && !bytes.Contains(head, []byte("permessage-deflate")) {
			return nil, fmt.Errorf("%w: no compression", errProtocol)
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

// The opcodes of RFC 6455, section 5.2, and the bit of the same byte that says
// that a message is compressed (RFC 7692, section 6).
const (
	opText = 0x1
	opPing = 0x9
	opPong = 0xa

	deflated = 0x40
)

// frame handles one frame and appends the answer to reply.
func (c *client) frame(reply []byte, opcode byte, payload []byte) ([]byte, error) {
	switch {
	case opcode == opPing:
		return appendFrame(reply, opPong, payload), nil
	case opcode == opText|deflated && c.stage == echoing:
		c.stage = joined
		return reply, nil
	case opcode != opText:
		return nil, fmt.Errorf("%w: a frame with opcode %#x", errProtocol, opcode)
	case c.stage == opening && bytes.HasPrefix(payload, []byte("0{")):
		c.stage = joining
		return appendFrame(reply, opText, []byte("40")), nil
	case c.stage == joining && bytes.HasPrefix(payload, []byte("40{")):
		if c.compressed != nil {
			c.stage = echoing
			return append(reply, c.compressed...), nil
		}
		c.stage = joined
		return reply, nil
	case string(payload) == "2":
		c.heartbeats++
		return appendFrame(reply, opText, []byte("3")), nil
	default:
		return nil, fmt.Errorf("%w: packet %.60q", errProtocol, payload)
	}
}

// parseFrame reads an unfragmented, unmasked frame. The opcode may have the bit
// deflated. size is 0 if b does not hold all of it.
func parseFrame(b []byte) (opcode byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xb0 != 0x80 || b[1]&0x80 != 0 {
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
	return b[0] & 0x4f, b[header:size], size, nil
}

// appendFrame appends a masked frame of up to 125 bytes. The mask is zero, which
// RFC 6455 allows to clients that do not care about proxies.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, 0x80|opcode, 0x80|byte(len(payload)), 0, 0, 0, 0)
	return append(dst, payload...)
}

// compressedEcho returns the frame of an event that comes back, long enough to
// be compressed by the server, too. It is the first of its connection, so that it
// is the same for all.
func compressedEcho() []byte {
	var b bytes.Buffer
	// Neither can fail: the level is valid, and the buffer takes everything.
	w, _ := flate.NewWriter(&b, flate.DefaultCompression)
	fmt.Fprintf(w, `42["echo",%q]`, strings.Repeat("compressed ", 200))
	w.Flush() //nolint:errcheck // see above
	// The end of the flush is left out (RFC 7692, section 7.2.1).
	return appendFrame(nil, opText|deflated, bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")))
}
