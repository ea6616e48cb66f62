package loop

import (
	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"

	"github.com/sio-gnet/sio-gnet/loop/internal/wsproto"
)

// deflateTail is the end of a flush, which compressed messages leave out (RFC
// 7692, section 7.2.1).
const deflateTail = "\x00\x00\xff\xff"

// deflater compresses the messages for all of a loop's connections, one after
// the other. Each size of the window has a compressor of its own, made when it
// is first needed: about 1 MB.
type deflater struct {
	writers [wsproto.MaxWindowBits + 1]*flate.Writer
	out     sink
}

// sink collects output.
type sink struct{ b []byte }

// Write appends p.
func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// deflate appends the compressed form of message, which refers back by no more
// than 1<<bits bytes, in itself or in what was said before. ok is false if it
// could not be made.
func (d *deflater) deflate(dst, message, said []byte, bits, level int) (out []byte, ok bool) {
	w := d.writers[bits]
	if w == nil {
		var err error
		if bits == wsproto.MaxWindowBits {
			w, err = flate.NewWriter(&d.out, level)
		} else {
			w, err = flate.NewWriterWindow(&d.out, 1<<bits)
		}
		if err != nil {
			return dst, false
		}
		d.writers[bits] = w
	}
	d.out.b = dst
	w.ResetDict(&d.out, said)
	_, err := w.Write(message)
	if err == nil {
		err = w.Flush()
	}
	out, d.out.b = d.out.b, nil
	if err != nil || len(out) < len(dst)+len(deflateTail) {
		return dst, false
	}
	return out[:len(out)-len(deflateTail)], true
}

// deflatedForm is the compressed form of a Buffer's message for one size of the
// window.
type deflatedForm struct {
	bits  int
	frame *Buffer // nil if it is no smaller than the plain one
	start int     // where the frame starts
	next  *deflatedForm
}

// EnqueueMessage queues the message in b and takes over one reference to b. Its
// frame, from [PutFrameHeader], starts at b.B[frame], its payload at
// b.B[payload], and b holds nothing else behind it. If compress is set, the
// connection compresses and the message is long enough, a compressed frame is
// sent; that is made once for all connections with the same window, unless there
// is context takeover. Otherwise it is the same as [Conn.Enqueue]. On the loop.
func (c *Conn) EnqueueMessage(b *Buffer, frame, payload int, compress bool) {
	size := len(b.B) - payload
	if compress && c.windowBits > 0 && size >= c.loop.reactor.opts.Deflate.Threshold && !c.Closed() && !c.lastWrite {
		if f, start := c.deflated(b, frame, payload); f != nil {
			b.Release()
			c.Enqueue(f, start, len(f.B))
			return
		}
	}
	c.Enqueue(b, frame, len(b.B))
}

// deflated returns a compressed frame, with a reference for the caller, and
// where it starts; nil if the plain one is as good.
func (c *Conn) deflated(b *Buffer, frame, payload int) (f *Buffer, start int) {
	bits := int(c.windowBits)
	if said := c.windows.sentWindow(); said != nil {
		if f, start = c.loop.deflateFrame(b.B, frame, payload, said.text, bits); f != nil {
			said.add(b.B[payload:]) // what is sent as it is does not count
		}
		return f, start
	}
	if len(b.B)-payload <= 1<<bits {
		bits = wsproto.MaxWindowBits // no reference can go too far back: all share one form
	}
	form := b.deflatedForm(bits)
	if form == nil {
		form = b.makeDeflated(c.loop, frame, payload, bits)
	}
	if form.frame != nil {
		form.frame.Retain(1)
	}
	return form.frame, form.start
}

func (b *Buffer) deflatedForm(bits int) *deflatedForm {
	for form := b.deflated.Load(); form != nil; form = form.next {
		if form.bits == bits {
			return form
		}
	}
	return nil
}

// makeDeflated compresses on the first loop that comes. Others wait: it takes
// them no longer than to do it themselves.
func (b *Buffer) makeDeflated(l *Loop, frame, payload, bits int) *deflatedForm {
	b.making.Lock()
	defer b.making.Unlock()
	if form := b.deflatedForm(bits); form != nil {
		return form
	}
	form := &deflatedForm{bits: bits, next: b.deflated.Load()}
	form.frame, form.start = l.deflateFrame(b.B, frame, payload, nil, bits)
	b.deflated.Store(form)
	return form
}

// dropDeflated gives the compressed forms back with the Buffer.
func (b *Buffer) dropDeflated() {
	for form := b.deflated.Load(); form != nil; form = form.next {
		if form.frame != nil {
			form.frame.Release()
		}
	}
	b.deflated.Store(nil)
}

// deflateFrame returns the compressed form of the frame at plain[frame], and
// where that starts; nil if it is no smaller.
func (l *Loop) deflateFrame(plain []byte, frame, payload int, said []byte, bits int) (f *Buffer, start int) {
	f = NewBuffer()
	var room [FrameHeadroom]byte
	out, ok := l.deflater.deflate(append(f.B, room[:]...), plain[payload:], said, bits, l.reactor.opts.Deflate.Level)
	f.B = out
	size := len(out) - FrameHeadroom
	if !ok || wsproto.HeaderSize(size)+size >= len(plain)-frame {
		f.Release()
		return nil, 0
	}
	op := ws.OpCode(plain[frame] & 0x0f)
	return f, wsproto.PutHeader(out[:FrameHeadroom], op, true, true, size)
}
