package loop

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/valyala/bytebufferpool"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

// Close codes of RFC 6455, section 7.4.1, that users of a connection send.
const (
	CloseNormal   = ws.StatusNormalClosure
	CloseGoing    = ws.StatusGoingAway
	CloseProtocol = ws.StatusProtocolError
	// CloseEmpty sends a close frame without a code; the peer sees 1005.
	CloseEmpty = ws.StatusCode(0)
)

// CloseError says that the peer closed a WebSocket with a close frame. Code is
// 1005 if that had none.
type CloseError struct {
	Code   ws.StatusCode
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("loop: websocket closed by peer: %d %s", e.Code, e.Reason)
}

// wsReader holds a message or frame of which only a part has come.
type wsReader struct {
	header  ws.Header // of the frame whose payload is coming in
	got     int64     // bytes of that payload so far
	inFrame bool

	message    *bytebufferpool.ByteBuffer // data frames' payload so far; nil before any
	binary     bool
	compressed bool
	text       wsproto.UTF8

	control [ws.MaxControlFramePayloadSize]byte
}

// consumeFrame takes the next step in a frame.
func (c *Conn) consumeFrame(buf []byte) (n int, more bool) {
	if len(buf) == 0 {
		return 0, false
	}
	if c.ws != nil && c.ws.inFrame {
		return c.consumePayload(buf)
	}
	h, n, err := wsproto.ParseHeader(buf)
	if err == nil && n == 0 {
		return 0, false
	}
	if err == nil {
		err = c.frames.CheckHeader(h, c.payloadLimit(h), c.messageSize())
	}
	if err != nil {
		c.failWebSocket(err)
		return len(buf), false
	}
	if rest := buf[n:]; int64(len(rest)) >= h.Length {
		payload := rest[:h.Length:h.Length]
		ws.Cipher(payload, h.Mask, 0)
		if err := c.frame(h, payload); err != nil {
			c.failWebSocket(err)
		}
		return n + int(h.Length), true
	}
	if c.ws == nil {
		c.ws = c.loop.takeReader()
	}
	c.ws.header, c.ws.got, c.ws.inFrame = h, 0, true
	return n, true
}

// consumePayload takes what has come of a frame that came in parts.
func (c *Conn) consumePayload(buf []byte) (n int, more bool) {
	r := c.ws
	n = int(min(int64(len(buf)), r.header.Length-r.got))
	part := buf[:n]
	ws.Cipher(part, r.header.Mask, int(r.got&3))
	if r.header.OpCode.IsControl() {
		copy(r.control[r.got:], part)
	} else if err := r.add(r.header, part); err != nil {
		c.failWebSocket(err)
		return len(buf), false
	}
	r.got += int64(n)
	if r.got < r.header.Length {
		return n, false
	}
	r.inFrame = false
	var err error
	switch {
	case r.header.OpCode.IsControl():
		err = c.controlFrame(r.header.OpCode, r.control[:r.header.Length])
	case r.header.Fin:
		err = c.deliver()
	}
	if err != nil {
		c.failWebSocket(err)
	}
	c.dropIdleReader()
	return n, true
}

// frame handles a frame that came whole.
func (c *Conn) frame(h ws.Header, payload []byte) error {
	if h.OpCode.IsControl() {
		return c.controlFrame(h.OpCode, payload)
	}
	if h.Fin && h.OpCode != ws.OpContinuation {
		// The common case: a whole message, handed on where it lies.
		if h.Rsv1() {
			return c.deliverDeflated(h.OpCode == ws.OpBinary, payload)
		}
		if h.OpCode == ws.OpText && !utf8.Valid(payload) {
			return errInvalidUTF8
		}
		if s := c.stream; s != nil {
			s.OnMessage(c, h.OpCode == ws.OpBinary, payload)
		}
		return nil
	}
	if c.ws == nil {
		c.ws = c.loop.takeReader()
	}
	if err := c.ws.add(h, payload); err != nil {
		return err
	}
	if h.Fin {
		return c.deliver()
	}
	return nil
}

var errInvalidUTF8 = &wsproto.Error{Code: ws.StatusInvalidFramePayloadData, Reason: "invalid UTF-8"}

// add appends a part of a data frame's payload to the message.
func (r *wsReader) add(h ws.Header, part []byte) error {
	if r.message == nil {
		r.message = inputBytes.Get()
		r.message.B = r.message.B[:0]
		r.binary, r.compressed = h.OpCode == ws.OpBinary, h.Rsv1()
	}
	if !r.binary && !r.compressed && !r.text.Write(part) {
		return errInvalidUTF8
	}
	r.message.B = append(r.message.B, part...)
	return nil
}

// deliver hands over a message that came in parts.
func (c *Conn) deliver() error {
	r := c.ws
	if !r.binary && !r.text.Complete() {
		return errInvalidUTF8
	}
	message, binary, compressed := r.message, r.binary, r.compressed
	r.message = nil
	r.text.Reset()
	c.dropIdleReader()
	defer inputBytes.Put(message)
	if compressed {
		return c.deliverDeflated(binary, message.B)
	}
	if s := c.stream; s != nil {
		s.OnMessage(c, binary, message.B)
	}
	return nil
}

// payloadLimit is how long the payload of a message may be whose next frame has
// the header h. Data that does not compress grows a little when it is deflated.
func (c *Conn) payloadLimit(h ws.Header) int64 {
	limit := int64(c.loop.reactor.opts.MaxMessage)
	if h.Rsv1() || h.OpCode == ws.OpContinuation && c.ws != nil && c.ws.compressed {
		limit += limit>>10 + 64
	}
	return limit
}

func (c *Conn) messageSize() int64 {
	if c.ws == nil || c.ws.message == nil {
		return 0
	}
	return int64(len(c.ws.message.B))
}

func (c *Conn) controlFrame(op ws.OpCode, payload []byte) error {
	switch op {
	case ws.OpPing:
		c.WriteFrame(ws.OpPong, payload)
	case ws.OpClose:
		code, reason, err := wsproto.ParseClose(payload)
		if err != nil {
			return err
		}
		answer := code
		if code == ws.StatusNoStatusRcvd {
			answer = CloseEmpty
		}
		closed := &CloseError{Code: code, Reason: string(reason)}
		c.sendClose(answer, "")
		c.detach(closed)
	}
	return nil
}

// failWebSocket ends a WebSocket whose peer broke the protocol, with the close
// code that says how.
func (c *Conn) failWebSocket(err error) {
	bad := &wsproto.Error{Code: ws.StatusProtocolError, Reason: err.Error()}
	errors.As(err, &bad)
	c.loop.reactor.counts.fail(bad.Code)
	c.loop.log.Debug("loop: websocket failed", "code", bad.Code, "reason", bad.Reason, "remote", c.RemoteAddr())
	c.sendClose(bad.Code, bad.Reason)
	c.detach(bad)
}

// WriteFrame queues a frame with a copy of payload. For payloads that go to
// many, or that are large, [Conn.Enqueue] saves the copy.
func (c *Conn) WriteFrame(op ws.OpCode, payload []byte) {
	if c.mode != modeWebSocket || c.lastWrite {
		return
	}
	if b := c.tail(len(payload) + wsproto.HeaderSize(len(payload))); b != nil {
		b.B = append(wsproto.AppendHeader(b.B, op, true, false, len(payload)), payload...)
		c.grew()
	}
}

// CloseWebSocket sends what is queued and a close frame, and closes when the
// peer has answered, or after CloseTimeout. The Stream is not told.
func (c *Conn) CloseWebSocket(code ws.StatusCode, reason string) {
	c.stream = nil
	c.sendClose(code, reason)
}

func (c *Conn) sendClose(code ws.StatusCode, reason string) {
	if c.mode != modeWebSocket || c.lastWrite {
		return
	}
	if b := c.tail(ws.MaxControlFramePayloadSize + ws.MaxHeaderSize); b != nil {
		b.B = wsproto.AppendClose(b.B, code, reason)
		c.grew()
	}
	c.finish()
}

// Handshake is a request's valid wish to become a WebSocket. It outlives the
// request.
type Handshake struct {
	hs         wsproto.Handshake
	extensions []byte // that the client offers
}

// CheckHandshake judges an upgrade request (RFC 6455, section 4.2.1). If it is
// bad, refusal is the answer to give.
func CheckHandshake(r *Request) (hs Handshake, refusal *Response) {
	checked, bad := wsproto.CheckHandshake(r.Get, r.Method, r.Minor)
	if bad != nil {
		return hs, &Response{
			Status: bad.Status, ContentType: bad.ContentType, Header: bad.Header, Body: []byte(bad.Body), Close: true,
		}
	}
	return Handshake{hs: checked.Clone(), extensions: r.AppendValues(nil, "Sec-WebSocket-Extensions")}, nil
}

// AcceptWebSocket answers the request that is being served with 101, header
// lines added (each ended by CRLF), and makes s the Stream of the WebSocket.
// It negotiates compression as [Options.Deflate] says. It returns [ErrState] if
// no request is being served, and [ErrExtensions] if it answered 400 instead.
func (c *Conn) AcceptWebSocket(hs Handshake, header []byte, s Stream) error {
	if c.Closed() || c.mode != modeHTTP || c.http == nil || c.http.phase != phaseServing || c.lastWrite || c.call() != nil {
		return ErrState
	}
	header, err := c.negotiate(hs.extensions, header)
	if err != nil {
		c.refuse(&http1.Error{Status: http.StatusBadRequest, Reason: "Invalid or unacceptable Sec-WebSocket-Extensions header"})
		return err
	}
	b := c.tail(len(header) + 512)
	if b == nil {
		return ErrSlowConsumer
	}
	b.B = wsproto.Append101(b.B, hs.hs, header)
	c.grew()
	c.loop.Cancel(&c.timer)
	c.dropHTTP()
	c.mode = modeWebSocket
	c.stream = s
	if g := c.guest(); g != nil {
		g.becomeWebSocket(c)
	}
	c.resumeLater() // frames may have come with the request, if it was answered late
	return nil
}

func (c *Conn) dropMessage() {
	if c.ws == nil {
		return
	}
	if c.ws.message != nil {
		inputBytes.Put(c.ws.message)
		c.ws.message = nil
	}
	c.ws.inFrame = false
	c.dropIdleReader()
}

// dropIdleReader gives the reader back once nothing partial is in it.
func (c *Conn) dropIdleReader() {
	if r := c.ws; r != nil && !r.inFrame && r.message == nil {
		c.ws = nil
		r.text.Reset()
		c.loop.giveReader(r)
	}
}

func (l *Loop) takeReader() *wsReader {
	if n := len(l.readers); n > 0 {
		r := l.readers[n-1]
		l.readers = l.readers[:n-1]
		return r
	}
	return new(wsReader)
}

func (l *Loop) giveReader(r *wsReader) {
	if len(l.readers) < keepQueue {
		l.readers = append(l.readers, r)
	}
}

// FrameHeadroom is the room that [PutFrameHeader] may need in front of a payload.
const FrameHeadroom = 10

// PutFrameHeader writes the header of an unmasked, final frame so that it ends
// at headroom's end, directly in front of a payload of that length, and returns
// the index in headroom at which it starts.
func PutFrameHeader(headroom []byte, binary bool, length int) int {
	op := ws.OpText
	if binary {
		op = ws.OpBinary
	}
	return wsproto.PutHeader(headroom, op, true, false, length)
}
