package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/bytebufferpool"
)

// frontWindow is how many bytes of a request may wait for its handler, and of a
// response for its peer. A read of the socket may pass it once.
const frontWindow = 64 << 10

// frontConn is the net.Conn that net/http serves one request on. Input is put in
// by the loop, which reads no more of the socket while there is much; output is
// handed to the loop, and Write blocks while there is much. It ends with the
// response, so that an idle connection has none. A handler may hijack it: then it
// lives on, as a net.Conn like any other, for as long as the connection.
//
// As a [Stream] and a [Task] it belongs to the loop, as a [net.Conn] to net/http
// and the handler.
type frontConn struct {
	conn          *Conn
	loop          *Loop
	front         *front
	handler       http.Handler
	local, remote net.Addr

	mu       sync.Mutex
	readable sync.Cond
	writable sync.Cond
	cancel   context.CancelCauseFunc // ends the request's context; nil until there is one
	over     error                   // why the connection has ended
	readErr  error                   // why there is no more input
	input    *bytebufferpool.ByteBuffer
	taken    int     // bytes of input that were read
	readers  int     // calls of Read that wait
	full     bool    // the loop is to stop reading
	output   *Buffer // not handed to the connection yet
	unsent   int     // bytes of that and of what the connection has
	posted   bool    // Run is due
	ended    bool    // no more output comes
	reusable bool    // the connection may serve another request
	hijacked bool
	closed   bool
	released bool

	readDeadline, writeDeadline frontDeadline

	// These belong to the loop.
	queued   int  // bytes that the connection has
	notify   bool // drained is due
	pending  int  // bytes that the connection had when last looked at
	suspect  bool // nothing had moved then
	complete bool // all of the request was put in
}

func (fr *front) newConn(c *Conn, h http.Handler) *frontConn {
	f := &frontConn{
		conn: c, loop: c.loop, front: fr, handler: h,
		local: c.gnet.LocalAddr(), remote: c.RemoteAddr(),
	}
	f.readable.L, f.writable.L = &f.mu, &f.mu
	return f
}

// bind makes the context of the request end with the connection.
func (f *frontConn) bind(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, frontKey{}, f))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel = cancel
	if f.over != nil {
		cancel(f.over)
	}
	return ctx
}

// enter follows the server's view of the connection.
func (f *frontConn) enter(s http.ConnState) {
	switch s {
	case http.StateIdle: // all of the response was written
		f.end(true)
	case http.StateHijacked:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.hijacked = true
		f.post()
	case http.StateClosed:
		f.release()
	case http.StateNew, http.StateActive:
	}
}

// end says that no more output comes. Read returns io.EOF then.
func (f *frontConn) end(reusable bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endLocked(reusable)
}

func (f *frontConn) endLocked(reusable bool) {
	if f.ended {
		return
	}
	f.ended, f.reusable = true, reusable
	f.wake()
	f.post()
}

func (f *frontConn) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.released {
		f.released = true
		f.front.running.Add(-1)
	}
}

// post has Run called. f.mu is held.
func (f *frontConn) post() {
	if !f.posted && f.over == nil {
		f.posted = true
		f.loop.Post(f)
	}
}

// Read reads what the peer sent of the request, or on a hijacked connection at all.
func (f *frontConn) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.closed:
			return 0, f.failure("read", net.ErrClosed)
		case f.readDeadline.passed():
			return 0, f.failure("read", os.ErrDeadlineExceeded)
		case f.input != nil:
			return f.take(p), nil
		case f.readErr != nil:
			return 0, f.readErr
		case f.ended, len(p) == 0:
			return 0, io.EOF
		}
		f.readers++
		f.readable.Wait()
		f.readers--
	}
}

// take reads input that is there. f.mu is held.
func (f *frontConn) take(p []byte) int {
	n := copy(p, f.input.B[f.taken:])
	f.taken += n
	left := len(f.input.B) - f.taken
	if left == 0 {
		inputBytes.Put(f.input)
		f.input, f.taken = nil, 0
	}
	if f.full && left <= f.front.window/2 {
		f.full = false
		f.post()
	}
	return n
}

// Write queues p. It blocks while the peer does not read.
func (f *frontConn) Write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(p) > 0 {
		switch {
		case f.closed, f.ended:
			return n, f.failure("write", net.ErrClosed)
		case f.over != nil:
			return n, f.failure("write", f.broken())
		case f.writeDeadline.passed():
			return n, f.failure("write", os.ErrDeadlineExceeded)
		case f.unsent >= f.front.window:
			f.writable.Wait()
			continue
		}
		if f.output == nil {
			f.output = NewBuffer()
		}
		part := p[:min(len(p), f.front.window-f.unsent)]
		f.output.B = append(f.output.B, part...)
		f.unsent += len(part)
		n += len(part)
		p = p[len(part):]
		f.post()
	}
	return n, nil
}

// broken is what the end of the connection is to one who writes.
func (f *frontConn) broken() error {
	if errors.Is(f.over, io.EOF) {
		return os.NewSyscallError("write", syscall.EPIPE)
	}
	return f.over
}

func (f *frontConn) failure(op string, err error) error {
	e := &net.OpError{Op: op, Net: "tcp", Source: f.local, Addr: f.remote, Err: err}
	if f.local != nil {
		e.Net = f.local.Network()
	}
	return e
}

// Close ends the connection once what was written has left.
func (f *frontConn) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return f.failure("close", net.ErrClosed)
	}
	f.closed = true
	f.endLocked(false)
	f.dropInput()
	f.readDeadline.set(f, time.Time{})
	f.writeDeadline.set(f, time.Time{})
	f.wake()
	hijacked := f.hijacked
	f.mu.Unlock()
	if hijacked {
		f.release()
	}
	return nil
}

// CloseWrite says that no more output comes; the connection ends with it. net/http
// calls it, and would else sleep a while over the connection's end.
func (f *frontConn) CloseWrite() error {
	f.end(false)
	return nil
}

// wake has all who wait look again. f.mu is held.
func (f *frontConn) wake() {
	f.readable.Broadcast()
	f.writable.Broadcast()
}

func (f *frontConn) dropInput() {
	if f.input != nil {
		inputBytes.Put(f.input)
		f.input, f.taken = nil, 0
	}
}

// LocalAddr returns the connection's own address.
func (f *frontConn) LocalAddr() net.Addr { return f.local }

// RemoteAddr returns the client's address, see [Conn.RemoteAddr].
func (f *frontConn) RemoteAddr() net.Addr { return f.remote }

// SetDeadline sets both deadlines.
func (f *frontConn) SetDeadline(t time.Time) error {
	return errors.Join(f.SetReadDeadline(t), f.SetWriteDeadline(t))
}

// SetReadDeadline bounds present and further Reads.
func (f *frontConn) SetReadDeadline(t time.Time) error { return f.setDeadline(&f.readDeadline, t) }

// SetWriteDeadline bounds present and further Writes.
func (f *frontConn) SetWriteDeadline(t time.Time) error { return f.setDeadline(&f.writeDeadline, t) }

func (f *frontConn) setDeadline(d *frontDeadline, t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.failure("set", net.ErrClosed)
	}
	d.set(f, t)
	return nil
}

// frontDeadline is a deadline of a frontConn, whose mu guards it.
type frontDeadline struct {
	at    time.Time
	timer *time.Timer // wakes those who wait
}

func (d *frontDeadline) set(f *frontConn, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	switch {
	case t.IsZero():
	case d.passed():
		f.wake()
	default:
		d.timer = time.AfterFunc(time.Until(t), func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.wake()
		})
	}
}

func (d *frontDeadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
