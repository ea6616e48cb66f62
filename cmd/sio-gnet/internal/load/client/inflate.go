package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// windowSize is what a compressed message may refer back to (RFC 7692, section 7.2.1).
const windowSize = 32 << 10

// tail ends a message: what the sender leaves out of it, and a block that is the last.
var tail = []byte{0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff}

// inflater decompresses the messages of all clients of a loop.
type inflater struct {
	in  bytes.Reader
	end bytes.Reader
	r   io.ReadCloser // made when it is first used
	out bytes.Buffer
}

// inflate decompresses a message. The result is valid until the next call.
func (c *Client) inflate(b []byte) ([]byte, error) {
	f := &c.s.inflater
	f.in.Reset(b)
	f.end.Reset(tail)
	source := io.MultiReader(&f.in, &f.end)
	if f.r == nil {
		f.r = flate.NewReaderDict(source, c.window)
	} else if err := f.r.(flate.Resetter).Reset(source, c.window); err != nil {
		return nil, fmt.Errorf("inflating: %w", err)
	}
	f.out.Reset()
	n, err := f.out.ReadFrom(io.LimitReader(f.r, int64(c.s.cfg.MaxMessage)+1))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: compressed message: %w", wire.ErrProtocol, err)
	case n > int64(c.s.cfg.MaxMessage):
		return nil, fmt.Errorf("%w: message of more than %d bytes", wire.ErrProtocol, c.s.cfg.MaxMessage)
	}
	out := f.out.Bytes()
	if c.takeover {
		c.window = append(c.window, out...)
		if extra := len(c.window) - windowSize; extra > 0 {
			c.window = append(c.window[:0], c.window[extra:]...)
		}
	}
	return out, nil
}
