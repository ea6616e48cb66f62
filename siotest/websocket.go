package siotest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// webSocket is the transport of that name.
type webSocket struct {
	conn net.Conn
	in   io.Reader  // conn, but for what came behind the handshake's answer
	mu   sync.Mutex // one message at a time is written
}

// maxFrame bounds what a frame may claim to hold.
const maxFrame = 256 << 20

// closedError is the end by a close frame.
type closedError struct{ code int }

func (e *closedError) Error() string { return fmt.Sprintf("closed with code %d", e.code) }

// webSocket opens a WebSocket, for a session that there is or a new one.
func (d *dialing) webSocket(ctx context.Context, sid string) (*webSocket, error) {
	var refused *HandshakeError
	dialer := ws.Dialer{
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx) },
		Header:  ws.HandshakeHeaderHTTP(d.headers()),
		OnStatusError: func(status int, _ []byte, r io.Reader) {
			refused = &HandshakeError{Status: status}
			if res, err := http.ReadResponse(bufio.NewReader(r), nil); err == nil {
				defer res.Body.Close()
				refused.Body = readAnswer(res.Body)
			}
		},
	}
	// TLS, if any, is below dial.
	_, rest, _ := strings.Cut(d.target("websocket", sid), "://")
	conn, in, _, err := dialer.Dial(ctx, "ws://"+rest)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, fmt.Errorf("opening a WebSocket: %w", err)
	}
	w := &webSocket{conn: conn, in: conn}
	if in != nil {
		w.in = io.MultiReader(io.LimitReader(in, int64(in.Buffered())), conn)
	}
	return w, nil
}

func (w *webSocket) read() (message, error) {
	var (
		kind ws.OpCode
		data []byte
	)
	for {
		h, payload, err := w.readFrame()
		if err != nil {
			return message{}, err
		}
		switch h.OpCode {
		case ws.OpPing:
			if err := w.send(ws.NewPongFrame(payload)); err != nil {
				return message{}, err
			}
			continue
		case ws.OpPong:
			continue
		case ws.OpClose:
			code := int(ws.StatusNoStatusRcvd)
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			_ = w.send(ws.NewCloseFrame(payload)) // the server may be gone
			return message{}, &closedError{code}
		case ws.OpText, ws.OpBinary:
			kind, data = h.OpCode, payload
		default:
			data = append(data, payload...)
		}
		if h.Fin {
			return message{data: data, binary: kind == ws.OpBinary}, nil
		}
	}
}

func (w *webSocket) readFrame() (ws.Header, []byte, error) {
	h, err := ws.ReadHeader(w.in)
	if err != nil {
		return h, nil, err //nolint:wrapcheck // io.EOF is told apart
	}
	if h.Masked || h.Rsv != 0 || h.Length > maxFrame {
		return h, nil, fmt.Errorf("a frame that no server sends: %+v", h)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(w.in, payload); err != nil {
		return h, nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return h, payload, nil
}

func (w *webSocket) write(packets ...message) error {
	frames := make([]ws.Frame, len(packets))
	for i, m := range packets {
		op := ws.OpText
		if m.binary {
			op = ws.OpBinary
		}
		frames[i] = ws.NewFrame(op, true, bytes.Clone(m.data)) // it is masked in place
	}
	return w.send(frames...)
}

// send sends frames in one go.
func (w *webSocket) send(frames ...ws.Frame) error {
	var b bytes.Buffer
	for _, f := range frames {
		if err := ws.WriteFrame(&b, ws.MaskFrameInPlace(f)); err != nil {
			return fmt.Errorf("encoding a frame: %w", err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.conn.Write(b.Bytes())
	return err //nolint:wrapcheck // it is a *net.OpError already
}

func (w *webSocket) setReadDeadline(t time.Time) error { return w.conn.SetReadDeadline(t) } //nolint:wrapcheck // as above

func (w *webSocket) attend(on bool) { attend(w.conn, on) }

func (w *webSocket) mute() {} // what comes is read, and goes nowhere

func (w *webSocket) leave() error { return w.send(ws.NewCloseFrame(nil)) }

func (w *webSocket) ready() {}

func (w *webSocket) cut() { w.conn.Close() }

// attend tells a connection in memory whether it is read all the time.
func attend(c net.Conn, on bool) {
	if m, ok := c.(*memoryConn); ok {
		m.attend(on)
	}
}

// maxAnswer bounds what is shown of an answer that refuses something.
const maxAnswer = 4096

func readAnswer(r io.Reader) string {
	body, _ := io.ReadAll(io.LimitReader(r, maxAnswer)) // as far as it came
	return strings.TrimSpace(string(body))
}
