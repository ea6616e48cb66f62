package loop

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Output of a connection is a queue of segments, each a part of a shared Buffer
// or of one that the connection appends to. It is written straight to the
// descriptor, not through gnet: gnet would copy what the kernel does not take
// into an unbounded buffer, has no callback for "writable again", and closes
// the connection inside the write when that fails. What the kernel does not
// take stays here, by reference, and the write watcher tells when to go on.

const (
	maxIovecs = 256 // segments that leave in one writev
	// maxAppend is the size up to which small writes share one buffer.
	maxAppend = 16 << 10
	// keepQueue bounds the capacity of an output queue that is kept for reuse.
	keepQueue = 1024
)

type segment struct {
	buf      *Buffer
	off, end int
	own      bool // only this connection holds buf, and may append to it
}

type outQueue struct {
	segs  []segment
	head  int // index of the first unsent segment
	bytes int
}

// Pending returns how many bytes wait to be sent. On the loop.
func (c *Conn) Pending() int {
	n := 0
	if c.out != nil {
		n = c.out.bytes
	}
	if c.blocked {
		if p := c.port(); p != nil {
			n += p.pending()
		}
	}
	return n
}

// Blocked reports whether the kernel takes no more output at present. On the
// loop.
func (c *Conn) Blocked() bool {
	return c.blocked && (c.port() == nil || c.Pending() > socketSlack)
}

// Enqueue queues b.B[off:end] for sending and takes over one reference to b.
// Behind a close frame or the last response, nothing is sent any more. Over the byte
// budget, the connection is closed with [ErrSlowConsumer]. On the loop.
func (c *Conn) Enqueue(b *Buffer, off, end int) {
	if !c.reserve(end - off) {
		b.Release()
		return
	}
	q := c.out
	q.segs = append(q.segs, segment{buf: b, off: off, end: end})
	q.bytes += end - off
}

// tail returns a buffer for up to n more bytes behind all that is queued; the
// caller appends to its B and then calls grew. It returns nil if the connection
// takes no more.
func (c *Conn) tail(n int) *Buffer {
	if !c.reserve(n) {
		return nil
	}
	q := c.out
	if last := len(q.segs) - 1; last >= q.head {
		if s := &q.segs[last]; s.own && len(s.buf.B)+n <= maxAppend {
			return s.buf
		}
	}
	b := NewBuffer()
	q.segs = append(q.segs, segment{buf: b, own: true})
	return b
}

// grew accounts for what was appended to the buffer that tail returned.
func (c *Conn) grew() {
	q := c.out
	s := &q.segs[len(q.segs)-1]
	q.bytes += len(s.buf.B) - s.end
	s.end = len(s.buf.B)
}

// write queues a copy of p.
func (c *Conn) write(p []byte) {
	if b := c.tail(len(p)); b != nil {
		b.B = append(b.B, p...)
		c.grew()
	}
}

// reserve prepares the queue for n more bytes, and reports whether it may have
// them.
func (c *Conn) reserve(n int) bool {
	if c.Closed() || c.lastWrite {
		return false
	}
	l := c.loop
	if c.out == nil {
		c.out = l.takeQueue()
	}
	limit := l.reactor.opts.MaxPending
	if c.out.bytes > 0 && c.out.bytes+n > limit {
		// Much can come in one turn: what counts is what the kernel won't take.
		had := c.out.bytes
		c.flush()
		if c.closed || c.aborted {
			return false
		}
		if c.out == nil {
			c.out = l.takeQueue()
		}
		if c.waiting(had) > 0 && c.out.bytes+n > limit {
			l.log.Debug("loop: slow consumer closed", "remote", c.RemoteAddr(), "pending", c.out.bytes)
			l.reactor.counts.slowConsumers.Add(1)
			c.Abort(ErrSlowConsumer)
			return false
		}
	}
	c.markDirty()
	return true
}

func (c *Conn) markDirty() {
	if !c.dirty {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// flush writes what is queued, as far as the kernel takes it.
func (c *Conn) flush() {
	if c.closed || c.aborted || c.blocked {
		return
	}
	if p := c.port(); p != nil {
		p.flush(c)
		return
	}
	for c.out != nil && c.out.bytes > 0 {
		n, more, err := c.writeOnce()
		switch {
		case err == nil:
			c.out.sent(n)
			if !more {
				continue
			}
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EAGAIN):
			c.Abort(&WriteError{Errno: err})
			return
		}
		c.blocked, c.watched = true, true
		if werr := c.loop.reactor.watcher.watch(c); werr != nil {
			c.Abort(werr)
		}
		return
	}
	c.flushed()
}

// NotifyDrained calls f once all that is queued now has been taken by the kernel,
// or at once if nothing is queued; never if the connection is closed first. On
// the loop.
func (c *Conn) NotifyDrained(f func()) {
	if c.Pending() == 0 {
		f()
		return
	}
	if before := c.drained; before != nil {
		c.drained = func() { before(); f() }
		return
	}
	c.drained = f
}

// flushed is called when nothing is left to send.
func (c *Conn) flushed() {
	if c.out != nil {
		c.loop.giveQueue(c.out)
		c.out = nil
	}
	if c.drained != nil {
		f := c.drained
		c.drained = nil
		f()
	}
	if c.lastWrite {
		c.linger()
	}
}

// writeOnce makes one system call. more says that the kernel took only a part.
func (c *Conn) writeOnce() (n int, more bool, err error) {
	q := c.out
	segs := q.segs[q.head:]
	if len(segs) == 1 {
		p := segs[0].buf.B[segs[0].off:segs[0].end]
		n, err = unix.Write(c.fd, p)
		return n, n < len(p), err
	}
	iov := c.loop.iovecs[:0]
	total := 0
	for i := range segs {
		s := &segs[i]
		if s.off == s.end {
			continue
		}
		if len(iov) == maxIovecs {
			break
		}
		iov = append(iov, unix.Iovec{Base: &s.buf.B[s.off]})
		iov[len(iov)-1].SetLen(s.end - s.off)
		total += s.end - s.off
	}
	n, err = writev(c.fd, iov)
	return n, n < total, err
}

// writev is unix.Writev without its copy of the vector to the heap.
func writev(fd int, iov []unix.Iovec) (int, error) {
	//nolint:gosec // the vector is read by the kernel during the call only
	n, _, errno := unix.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// sent takes n sent bytes off the queue.
func (q *outQueue) sent(n int) {
	q.bytes -= n
	for q.head < len(q.segs) {
		s := &q.segs[q.head]
		if left := s.end - s.off; n < left {
			s.off += n
			if s.off > 0 {
				s.own = false // its start is gone: appending further would never end
			}
			return
		}
		n -= s.end - s.off
		s.buf.Release()
		*s = segment{}
		q.head++
	}
	q.segs, q.head = q.segs[:0], 0
}

func (q *outQueue) drop() {
	for i := q.head; i < len(q.segs); i++ {
		q.segs[i].buf.Release()
		q.segs[i] = segment{}
	}
	q.segs, q.head, q.bytes = q.segs[:0], 0, 0
}

func (l *Loop) takeQueue() *outQueue {
	if n := len(l.queues); n > 0 {
		q := l.queues[n-1]
		l.queues = l.queues[:n-1]
		return q
	}
	return new(outQueue)
}

func (l *Loop) giveQueue(q *outQueue) {
	q.drop()
	if cap(q.segs) <= keepQueue && len(l.queues) < keepQueue {
		l.queues = append(l.queues, q)
	}
}

// WriteError closes a connection whose socket refused output.
type WriteError struct{ Errno error }

func (e *WriteError) Error() string { return "loop: write error: " + e.Errno.Error() }

// Unwrap returns the errno.
func (e *WriteError) Unwrap() error { return e.Errno }
