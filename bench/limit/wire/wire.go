// Package wire is what the limit servers do with bytes: as little as makes a
// Socket.IO client over WebSocket believe that it has a server with the bench
// application. It checks nothing, and knows no limits, polling, heartbeats, rooms or
// namespaces; so nothing real can be cheaper.
package wire

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
)

// Conn is one client.
type Conn struct {
	open bool
	rest []byte // of an incomplete frame
}

// Output is what a read led to.
type Output struct {
	Reply     []byte // to the client
	Broadcast []byte // to all clients, itself included
}

// Feed takes what was read. The output is appended to out's slices.
func (c *Conn) Feed(in []byte, out *Output) {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, in...)
		in = c.rest
	}
	used := 0
	for used < len(in) {
		n := c.step(in[used:], out)
		if n == 0 {
			break
		}
		used += n
	}
	if used == len(in) {
		c.rest = c.rest[:0]
		return
	}
	c.rest = append([]byte(nil), in[used:]...)
}

const (
	handshake = "0{\"sid\":\"limit\",\"upgrades\":[],\"pingInterval\":600000,\"pingTimeout\":600000,\"maxPayload\":1000000}"
	connected = "40{\"sid\":\"limit\"}"
)

func (c *Conn) step(in []byte, out *Output) int {
	if !c.open {
		return c.upgrade(in, out)
	}
	head, size := frame(in)
	if head == 0 || len(in) < head+size {
		return 0
	}
	payload := in[head : head+size]
	mask := in[head-4 : head]
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	answer(payload, out)
	return head + size
}

func (c *Conn) upgrade(in []byte, out *Output) int {
	end := bytes.Index(in, []byte("\r\n\r\n"))
	if end < 0 {
		return 0
	}
	_, key, _ := bytes.Cut(in[:end+2], []byte("Sec-WebSocket-Key: "))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	sum := sha1.Sum(append(slices.Clone(key), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) //nolint:gosec // see above
	b := out.Reply
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = base64.StdEncoding.AppendEncode(b, sum[:])
	out.Reply = Append(append(b, "\r\n\r\n"...), []byte(handshake))
	c.open = true
	return end + 4
}

// frame returns the sizes of a client's frame: head, mask included, and payload. A
// head of 0 says that it is not there yet.
func frame(in []byte) (head, size int) {
	if len(in) < 6 {
		return 0, 0
	}
	switch size = int(in[1] & 0x7f); size {
	case 126:
		if len(in) < 8 {
			return 0, 0
		}
		return 8, int(binary.BigEndian.Uint16(in[2:]))
	case 127:
		if len(in) < 14 {
			return 0, 0
		}
		return 14, int(binary.BigEndian.Uint64(in[2:]))
	}
	return 6, size
}

// answer does what the bench application does.
func answer(p []byte, out *Output) {
	switch {
	case len(p) < 2:
	case p[0] == '4' && p[1] == '0':
		out.Reply = Append(out.Reply, []byte(connected))
	case p[0] == '4' && p[1] == '2':
		i := 2
		for i < len(p) && p[i] != '[' {
			i++
		}
		id, args := p[2:i], p[i:]
		switch {
		case bytes.HasPrefix(args, []byte(`["bcast"`)):
			out.Broadcast = Append(out.Broadcast, p)
		case len(id) == 0:
			out.Reply = Append(out.Reply, p)
		default:
			out.Reply = AppendAck(out.Reply, id, args)
		}
	}
}

// Append appends a text frame.
func Append(dst, payload []byte) []byte {
	dst = appendHead(dst, len(payload))
	return append(dst, payload...)
}

func appendHead(dst []byte, n int) []byte {
	switch {
	case n < 126:
		return append(dst, 0x81, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 0x81, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0x81, 127), uint64(n))
}

// AppendAck appends the acknowledgement of an event with its own arguments.
func AppendAck(dst, id, event []byte) []byte {
	args := event[len(event)-1:] // without arguments, the end of the array
	if i := bytes.IndexByte(event, ','); i >= 0 {
		args = event[i+1:]
	}
	dst = appendHead(dst, 2+len(id)+1+len(args))
	dst = append(append(append(dst, "43"...), id...), '[')
	return append(dst, args...)
}

// Listening is the line that says where a server is.
func Listening(port int) string { return "listening on http://127.0.0.1:" + strconv.Itoa(port) }
