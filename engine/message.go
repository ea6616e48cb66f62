package engine

import (
	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Message is one encoded Engine.IO message, ready for each transport: its
// buffer holds room for a WebSocket header, the header, and the payload. It is
// a small value around a shared buffer; each holder of a copy that it may use
// independently needs a reference of its own.
type Message struct {
	buf     *loop.Buffer
	frame   int32 // where the WebSocket frame starts
	payload int32 // where its payload starts
	binary  bool
	plain   bool                // not to be compressed
	control engineio.PacketType // set on a packet that is no message and has no data
}

// Begin returns a buffer to which the data of a message is to be appended, and
// which [Seal] then makes a Message of.
func Begin(binary bool) *loop.Buffer {
	b := loop.NewBuffer()
	var room [loop.FrameHeadroom]byte
	b.B = append(b.B, room[:]...)
	if !binary {
		b.B = append(b.B, byte(engineio.Message))
	}
	return b
}

// Seal makes a Message of a buffer from [Begin] to which the data was appended.
// The Message takes over the buffer's reference.
func Seal(b *loop.Buffer, binary bool) Message {
	m := Message{buf: b, payload: loop.FrameHeadroom, binary: binary}
	m.frame = int32(loop.PutFrameHeader(b.B[:loop.FrameHeadroom], binary, len(b.B)-loop.FrameHeadroom))
	return m
}

// NewMessage makes a Message of a copy of data.
func NewMessage(data []byte, binary bool) Message {
	b := Begin(binary)
	b.B = append(b.B, data...)
	return Seal(b, binary)
}

// Uncompressed returns m as a message that is sent as it is, even to a peer with
// which compression was agreed on. It shares m's reference.
func (m Message) Uncompressed() Message {
	m.plain = true
	return m
}

// controlPacket makes a packet such as a ping, which needs no buffer.
func controlPacket(t engineio.PacketType) Message { return Message{control: t} }

// Retain adds n references to the shared buffer.
func (m Message) Retain(n int) { m.buf.Retain(n) }

// Release gives one reference back.
func (m Message) Release() {
	if m.buf != nil {
		m.buf.Release()
	}
}

// ReleaseN gives n references back.
func (m Message) ReleaseN(n int) { m.buf.ReleaseN(n) }

// Size returns the bytes that m takes on a WebSocket.
func (m Message) Size() int {
	if m.buf == nil {
		return 1
	}
	return len(m.buf.B) - int(m.frame)
}

// writeTo queues m as a frame. It takes over one reference.
func (m Message) writeTo(c *loop.Conn) {
	if m.buf == nil {
		packet := [1]byte{byte(m.control)}
		c.WriteFrame(ws.OpText, packet[:])
		return
	}
	c.EnqueueMessage(m.buf, int(m.frame), int(m.payload), !m.plain)
}

// packet returns m as a packet, whose data is a view of the shared buffer.
func (m Message) packet() engineio.Packet {
	if m.buf == nil {
		return engineio.Packet{Type: m.control}
	}
	payload := m.buf.B[m.payload:]
	if m.binary {
		return engineio.Packet{Type: engineio.Message, Binary: true, Data: payload}
	}
	return engineio.Packet{Type: engineio.PacketType(payload[0]), Data: payload[1:]}
}

// compressible reports whether m makes it worth to compress what it is sent with.
func (m Message) compressible() bool { return m.buf != nil && !m.plain }
