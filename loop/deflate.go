package loop

import (
	"fmt"

	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

// Deflate configures permessage-deflate (RFC 7692), the compression of WebSocket
// messages. A zero field means its default.
//
// Compressors and decompressors belong to the loops, not to connections: with
// the defaults, a connection that compresses holds no more memory than one that
// does not, and a message for many is compressed once for all of them. Context
// takeover makes small, similar messages smaller and gives up either. What it
// keeps for a connection is the window, the plain text of the last messages, not
// a compressor: that is set up from the window for each message.
type Deflate struct {
	// Threshold is the size in bytes from which messages are compressed; default
	// 1024. What gets no smaller by it is sent as it is.
	Threshold int
	// Level is from 1, the fastest, to 9, the smallest; default 1. It counts for
	// windows of the full size; smaller ones have a compressor with no choice of
	// levels, about as good as level 5.
	Level int

	// ServerContextTakeover lets messages to a client refer to those before,
	// unless the client forbids it. Each message to such a client is compressed
	// for it alone, at a cost that grows with the window: for a full one it is
	// that of compressing 32 KiB.
	ServerContextTakeover bool
	// ClientContextTakeover lets the messages of a client refer to those before.
	ClientContextTakeover bool
	// ServerMaxWindowBits and ClientMaxWindowBits bound the windows for messages
	// to and from clients: 8 to 15 for 256 bytes to 32 KiB; default 15. A client
	// that can't bound its window gets no context takeover instead.
	ServerMaxWindowBits, ClientMaxWindowBits int
	// MaxWindows is how many bytes the windows of all connections may take
	// together; default 64 MiB. Each connection with context takeover counts with
	// the full size of its windows, though it takes only as much as was sent.
	// Once they are used up, new connections get no context takeover.
	MaxWindows int
}

func (d Deflate) withDefaults() Deflate {
	setDefault(&d.Threshold, 1024)
	if d.Level == 0 {
		d.Level = 1
	}
	if d.ServerMaxWindowBits == 0 {
		d.ServerMaxWindowBits = wsproto.MaxWindowBits
	}
	if d.ClientMaxWindowBits == 0 {
		d.ClientMaxWindowBits = wsproto.MaxWindowBits
	}
	setDefault(&d.MaxWindows, 64<<20)
	return d
}

// validate returns an [ErrOptions] for what is out of range. A nil Deflate is
// valid.
func (d *Deflate) validate() error {
	if d == nil {
		return nil
	}
	if d.Level < 1 || d.Level > 9 {
		return fmt.Errorf("%w: Deflate.Level is %d, not from 1 to 9", ErrOptions, d.Level)
	}
	for _, bits := range []int{d.ServerMaxWindowBits, d.ClientMaxWindowBits} {
		if bits < wsproto.MinWindowBits || bits > wsproto.MaxWindowBits {
			return fmt.Errorf("%w: a window of Deflate has %d bits, not from %d to %d",
				ErrOptions, bits, wsproto.MinWindowBits, wsproto.MaxWindowBits)
		}
	}
	return nil
}

// negotiate settles what becomes of a client's offers, and returns header with a
// line for the answer.
func (c *Conn) negotiate(offers, header []byte) ([]byte, error) {
	o := c.loop.reactor.opts.Deflate
	if o == nil || len(offers) == 0 {
		return header, nil
	}
	limits := wsproto.DeflateLimits{
		ServerTakeover: o.ServerContextTakeover,
		ClientTakeover: o.ClientContextTakeover,
		ServerBits:     o.ServerMaxWindowBits,
		ClientBits:     o.ClientMaxWindowBits,
	}
	for {
		agreed, ok, err := wsproto.NegotiateDeflate(offers, limits)
		if err != nil {
			return nil, ErrExtensions
		}
		if !ok {
			return header, nil
		}
		// The window of the client's messages goes last: without it, each of them
		// is larger, and that is all.
		if !c.takeWindows(agreed) {
			limits.ClientTakeover = limits.ClientTakeover && agreed.ServerTakeover
			limits.ServerTakeover = false
			continue
		}
		c.windowBits = uint8(agreed.ServerBits)
		c.frames.Extended = true
		line := append(append(make([]byte, 0, len(header)+192), header...), "Sec-WebSocket-Extensions: "...)
		return append(agreed.AppendAnswer(line), "\r\n"...), nil
	}
}

// windows are what a connection with context takeover remembers.
type windows struct {
	sent, received window
	reserved       int64
}

// window is the end of what was said in one direction.
type window struct {
	text []byte
	size int // the longest that text may be; 0 without context takeover
}

// takeWindows reserves the memory of the windows that were agreed on, and
// reports whether there was enough.
func (c *Conn) takeWindows(agreed wsproto.Deflate) bool {
	if !agreed.ServerTakeover && !agreed.ClientTakeover {
		return true
	}
	var w windows
	if agreed.ServerTakeover {
		w.sent.size = 1 << agreed.ServerBits
	}
	if agreed.ClientTakeover {
		w.received.size = 1 << agreed.ClientBits
	}
	w.reserved = int64(w.sent.size + w.received.size)
	r := c.loop.reactor
	if r.windows.Add(w.reserved) > int64(r.opts.Deflate.MaxWindows) {
		r.windows.Add(-w.reserved)
		return false
	}
	c.windows = &w
	return true
}

func (c *Conn) dropWindows() {
	if c.windows != nil {
		c.loop.reactor.windows.Add(-c.windows.reserved)
		c.windows = nil
	}
}

// sentWindow and receivedWindow return nil without context takeover in that
// direction. w may be nil.
func (w *windows) sentWindow() *window {
	if w == nil || w.sent.size == 0 {
		return nil
	}
	return &w.sent
}

func (w *windows) receivedWindow() *window {
	if w == nil || w.received.size == 0 {
		return nil
	}
	return &w.received
}

// add appends what was said, and forgets what is out of the window then. The
// memory grows with what was said, to the size at most.
func (w *window) add(p []byte) {
	if len(p) > w.size {
		p = p[len(p)-w.size:]
	}
	keep := min(len(w.text), w.size-len(p))
	old := w.text[len(w.text)-keep:]
	if keep+len(p) > cap(w.text) {
		w.text = make([]byte, keep, min(w.size, max(2*cap(w.text), keep+len(p))))
	}
	w.text = append(w.text[:copy(w.text[:keep], old)], p...)
}
