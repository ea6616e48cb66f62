package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/sio-gnet/sio-gnet/codec/engineio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// receiveResponse takes one HTTP response off b.
func (c *Client) receiveResponse(line Line, b []byte) (n int, err error) {
	r, n, err := wire.ParseResponse(b, c.s.cfg.MaxMessage)
	if err != nil || n == 0 {
		return 0, err //nolint:wrapcheck // it says all there is
	}
	posted := c.posting && line == c.postLine
	if !posted && (line != Poll || !c.getting) {
		return 0, fmt.Errorf("%w: a response without a request", wire.ErrProtocol)
	}
	if r.Status != 200 {
		return 0, refused(&r, "polling")
	}
	if r.Close {
		c.lines[line] = closed
		c.io.Close(line, false)
	}
	if posted {
		c.posting = false
	} else {
		c.getting = false
		if c.sid == "" {
			c.cookies = r.Cookies()
		}
		if err := c.payload(&r); err != nil {
			return 0, err
		}
	}
	if c.state != gone {
		c.pump()
	}
	return n, nil
}

// refused describes an HTTP error.
func refused(r *wire.Response, what string) *Error {
	text := strings.TrimSpace(string(r.Body[:min(len(r.Body), 200)]))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	detail := fmt.Sprintf("the server answered %d to %s", r.Status, what)
	if text != "" {
		detail += fmt.Sprintf(" (%q)", text)
	}
	return &Error{Kind: KindRefused, Status: r.Status, Detail: detail}
}

// maxPackets bounds the packets of one payload.
const maxPackets = math.MaxInt32

// payload takes the packets of an answer to a GET.
func (c *Client) payload(r *wire.Response) error {
	var packets engineio.PayloadReader
	switch {
	case c.s.cfg.EIO == 4:
		packets = engineio.NewPayloadReader(r.Body, maxPackets)
	case bytes.HasPrefix(r.Header("Content-Type"), []byte("application/octet-stream")):
		packets = engineio.NewBinaryPayloadReaderV3(r.Body, maxPackets)
	default:
		packets = engineio.NewPayloadReaderV3(r.Body, maxPackets)
	}
	for c.state != gone {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.onPacket(Poll, p)
		}
		if err != nil {
			if c.state == opening {
				return notEngineIO(r.Body)
			}
			return err
		}
	}
	return nil
}

// notEngineIO is the error for a server whose first answer makes no sense.
func notEngineIO(body []byte) *Error {
	return &Error{Kind: KindProtocol, Detail: fmt.Sprintf("the answer %.40q is no Engine.IO handshake: this is no Socket.IO server, or its path or protocol version is another", body)}
}

// pump starts the requests over polling that can be.
func (c *Client) pump() {
	if c.active != Poll || c.sid == "" {
		return
	}
	if c.probing {
		c.finishUpgrade()
		return
	}
	if len(c.queue) > 0 && !c.posting {
		line := Post
		if !c.getting && c.lines[Post] != open {
			line = Poll
		}
		c.request(line, func() {
			body := c.queue[0]
			if c.queue = c.queue[1:]; len(c.queue) == 0 {
				c.queue = nil
			}
			c.posting, c.postLine = true, line
			c.io.Write(line, c.post(body))
		})
	}
	if !c.getting && !c.busy(Poll) {
		c.request(Poll, func() {
			c.getting = true
			c.io.Write(Poll, c.get())
		})
	}
}

// busy reports whether a POST is under way on a line.
func (c *Client) busy(line Line) bool { return c.posting && c.postLine == line }

// request calls do if the line is there; else it opens it, and pump comes again.
func (c *Client) request(line Line, do func()) {
	switch c.lines[line] {
	case open:
		do()
	case closed:
		c.open(line)
	}
}

// enqueue adds a packet to the payload that is sent next.
func (c *Client) enqueue(p engineio.Packet) {
	limit := int(c.maxPayload)
	if limit <= 0 {
		limit = math.MaxInt32
	}
	if n := len(c.queue); n > 0 && len(c.queue[n-1])+len(p.Data)*4/3+16 <= limit {
		c.queue[n-1] = c.appendPayload(c.queue[n-1], p)
	} else {
		c.queue = append(c.queue, c.appendPayload(nil, p))
	}
}

func (c *Client) appendPayload(dst []byte, p engineio.Packet) []byte {
	if c.s.cfg.EIO == 3 {
		return engineio.AppendPayloadV3(dst, p)
	}
	if len(dst) > 0 {
		dst = append(dst, engineio.Separator)
	}
	return engineio.AppendPacket(dst, p)
}
