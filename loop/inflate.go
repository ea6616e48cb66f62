package loop

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"

	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

const (
	// inflateTail is what a compressed message is followed by: the end of the
	// empty block that its sender left out (RFC 7692, section 7.2.2), and an empty
	// last block, whose arrival shows that the message was complete.
	inflateTail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff"
	// maxFinalBlocks bounds the blocks of a message that say that they are the
	// last. Each costs a reset, and needs no more than two bytes.
	maxFinalBlocks = 64
	// keepInflate bounds the memory that is kept for compressed input.
	keepInflate = 64 << 10
	// maxWindow is the largest window.
	maxWindow = 1 << wsproto.MaxWindowBits
)

var (
	errInflate       = &wsproto.Error{Code: ws.StatusInvalidFramePayloadData, Reason: "invalid compressed data"}
	errInflateTooBig = &wsproto.Error{Code: ws.StatusMessageTooBig, Reason: "message too big"}
)

// inflater decompresses the messages of all of a loop's connections, one after
// the other. It takes memory, about 50 KiB, from the first on.
type inflater struct {
	flate io.ReadCloser
	input bytes.Reader
	bytes []byte // what input reads
	dict  window // for a block behind one that said it was the last
}

// inflate appends the message that payload is the compressed form of. Before it,
// said was said. It returns an error with code 1009 at more than limit bytes,
// which are all that it takes memory for, and one with code 1007 if payload is
// malformed.
func (f *inflater) inflate(dst, payload, said []byte, limit int) ([]byte, error) {
	f.bytes = append(append(f.bytes[:0], payload...), inflateTail...)
	f.input.Reset(f.bytes)
	defer f.trim()
	f.reset(said)
	start := len(dst)
	for finals := 0; ; {
		if len(dst) == cap(dst) {
			// One byte more than the limit shows that it was passed.
			size := len(dst) - start
			dst = slices.Grow(dst, min(max(size, 4*len(payload), 512), limit+1-size))
		}
		n, err := f.flate.Read(dst[len(dst):min(cap(dst), start+limit+1)])
		if dst = dst[:len(dst)+n]; len(dst)-start > limit {
			return dst, errInflateTooBig
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return dst, errInflate
		case f.input.Len() == 0, f.input.Len() == len(inflateTail):
			// The latter is a last block of the peer's own, without the empty one that
			// should follow.
			return dst, nil
		case finals == maxFinalBlocks:
			return dst, errInflate
		default: // the next block follows at the next byte (RFC 7692, section 7.2.1)
			finals++
			f.reset(f.said(said, dst[start:]))
		}
	}
}

func (f *inflater) reset(said []byte) {
	if f.flate == nil {
		f.flate = flate.NewReaderDict(&f.input, said)
		return
	}
	// It only fails where a zlib header would be read.
	_ = f.flate.(flate.Resetter).Reset(&f.input, said)
}

// said is the window behind a part of a message.
func (f *inflater) said(before, part []byte) []byte {
	if len(before) == 0 || len(part) >= maxWindow {
		return part
	}
	f.dict.size = maxWindow
	f.dict.text = f.dict.text[:0]
	f.dict.add(before)
	f.dict.add(part)
	return f.dict.text
}

func (f *inflater) trim() {
	if cap(f.bytes) > keepInflate {
		f.bytes = nil
	}
	f.input.Reset(nil)
}

// deliverDeflated hands over a message that came compressed.
func (c *Conn) deliverDeflated(binary bool, payload []byte) error {
	l := c.loop
	message := inputBytes.Get()
	defer inputBytes.Put(message)
	said := c.windows.receivedWindow()
	var before []byte
	if said != nil {
		before = said.text
	}
	var err error
	message.B, err = l.inflater.inflate(message.B[:0], payload, before, l.reactor.opts.MaxMessage)
	if err != nil {
		return err
	}
	if !binary && !utf8.Valid(message.B) {
		return errInvalidUTF8
	}
	if said != nil {
		said.add(message.B)
	}
	if s := c.stream; s != nil {
		s.OnMessage(c, binary, message.B)
	}
	return nil
}
