package loop

import (
	"errors"
	"io"
	"math"
	"net/http"
	"os"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// This file is the loop's side of a request that an http.Handler answers.

// handOver gives a request to an http.Handler. head is what was judged of it; what
// came of its body is in rest.
func (c *Conn) handOver(handler http.Handler, r *Request, head, rest []byte) (n int, more bool) {
	h, fr := c.http, c.loop.reactor.front
	h.left = max(r.ContentLength, 0)
	whole := !r.Chunked && h.left == 0
	if !fr.acquire() {
		c.loop.Cancel(&c.timer)
		h.phase = phaseServing
		_ = c.Respond(Response{
			Status: http.StatusServiceUnavailable, ContentType: "text/plain; charset=utf-8",
			Header: []byte("Retry-After: 5\r\n"), Body: []byte("too many requests\n"),
			Close: !whole,
		})
		return 0, true
	}
	f := fr.newConn(c, handler)
	f.put(http1.WithoutEmptyLines(head))
	h.front = f
	c.Attach(f)
	c.startTimer(timerBody)
	switch {
	case whole:
		f.complete, h.phase = true, phaseServing
	case r.Chunked:
		h.phase = phaseFrontChunked
		n, more = c.passOn(rest)
	default:
		h.phase = phaseFrontBody
		n, more = c.passOn(rest)
	}
	if !fr.listener.push(f) {
		f.release()
		c.Abort(ErrServerClosed)
	}
	return n, more || whole
}

// passOn puts in what has come of a request's body, or for a hijacked connection.
func (c *Conn) passOn(buf []byte) (n int, more bool) {
	h := c.http
	f := h.front
	var err error
	switch h.phase {
	case phaseFrontBody:
		n = int(min(int64(len(buf)), h.left))
		h.left -= int64(n)
		f.complete = h.left == 0
	case phaseFrontChunked:
		n, f.complete, err = h.chunk.Skip(buf, math.MaxInt64)
	default:
		n = len(buf)
	}
	var held int
	if n > 0 {
		held = f.put(buf[:n])
	}
	switch {
	case held >= f.front.window && !c.pauseInput() && held > c.loop.reactor.opts.MaxPending:
		c.loop.log.Warn("loop: input over the limit", "remote", c.RemoteAddr())
		c.Abort(ErrPipelineOverflow)
		return len(buf), false
	case err != nil:
		c.loop.log.Debug("loop: request body refused", "reason", err, "remote", c.RemoteAddr())
		c.failBody(err)
		return len(buf), false
	case f.complete && h.phase != phaseTunnel:
		h.phase = phaseServing
		return n, true
	}
	return n, false
}

// failBody tells the handler that the rest of the body will not come. Its response
// is the last one: where the next request starts is not known.
func (c *Conn) failBody(err error) {
	c.http.phase, c.http.keepAlive = phaseFrontBroken, false
	c.resumeInput()
	f := c.http.front
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readErr = f.failure("read", err)
	f.readable.Broadcast()
}

// put adds input, and returns how much of it waits.
func (f *frontConn) put(p []byte) (held int) {
	f.suspect = false
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.ended {
		return 0 // nobody reads on
	}
	if f.input == nil {
		f.input = inputBytes.Get()
		f.input.B = f.input.B[:0]
	}
	if f.taken > 0 && len(f.input.B)+len(p) > cap(f.input.B) { // what was read makes room
		f.input.B = f.input.B[:copy(f.input.B, f.input.B[f.taken:])]
		f.taken = 0
	}
	f.input.B = append(f.input.B, p...)
	held = len(f.input.B) - f.taken
	f.full = held >= f.front.window
	f.readable.Broadcast()
	return held
}

// Run is posted when there is output, room for input, or an end.
func (f *frontConn) Run(*Loop) {
	c := f.conn
	f.mu.Lock()
	f.posted = false
	if !c.Attached(f) || c.Closed() {
		f.dropOutput()
		f.mu.Unlock()
		return
	}
	out, held := f.output, 0
	if out != nil {
		held = len(out.B)
	}
	// What earlier responses have queued counts, too, lest the peer be taken for one
	// that does not read: it is the handler that waits.
	if before := c.Pending(); before > 0 && before+held > f.front.window {
		out = nil
	} else {
		f.output = nil
	}
	full, hijacked, waits := f.full, f.hijacked, f.output != nil || f.ended
	f.mu.Unlock()

	if out != nil {
		f.queued += held
		c.Enqueue(out, 0, held)
	}
	if (waits || f.queued > 0) && !f.notify && !c.Closed() {
		f.notify = true
		c.NotifyDrained(f.drained)
	}
	switch {
	case !c.Attached(f) || c.Closed():
	case hijacked && c.http.phase != phaseTunnel:
		c.openTunnel()
	case !full && c.http.phase != phaseServing:
		c.resumeInput()
	}
}

// drained is called when the kernel has taken all that the connection had. The
// request ends here at the earliest: the time that a connection has to close, or
// may be idle, is not for sending what a response has left.
func (f *frontConn) drained() {
	f.notify = false
	f.mu.Lock()
	f.unsent -= f.queued
	f.queued = 0
	f.writable.Broadcast()
	if f.output != nil {
		f.post()
	}
	done := f.ended && f.output == nil
	reusable := f.reusable && f.complete
	f.mu.Unlock()
	if c := f.conn; done && c.Attached(f) && !c.Closed() {
		c.handedBack(reusable)
	}
}

func (f *frontConn) dropOutput() {
	if f.output != nil {
		f.output.Release()
		f.output = nil
	}
}

// handedBack ends a request whose response has left.
func (c *Conn) handedBack(reusable bool) {
	c.loop.Cancel(&c.timer)
	c.resumeInput()
	c.responded(reusable && c.http.keepAlive)
}

// openTunnel makes all further input that of a handler that has hijacked the
// connection.
func (c *Conn) openTunnel() {
	if c.loop.draining {
		c.closeTunnel()
		return
	}
	c.loop.Cancel(&c.timer)
	c.http.phase = phaseTunnel
	c.resumeInput()
	c.resumeLater()
}

// closeTunnel ends a hijacked connection.
func (c *Conn) closeTunnel() {
	c.detach(ErrServerClosed)
	c.finish()
}

// checkProgress is called every BodyTimeout. It ends a request that a handler is
// at if its peer has kept it waiting since the last time, and had the time before
// that, too. Deadlines that the handler has set are its own business.
func (c *Conn) checkProgress(f *frontConn) {
	f.mu.Lock()
	starves := f.readers > 0 && !f.complete && f.readErr == nil && f.readDeadline.at.IsZero()
	stuck := c.Pending() > 0 && c.Pending() == f.pending && f.writeDeadline.at.IsZero()
	f.mu.Unlock()
	late := f.suspect
	f.suspect, f.pending = starves || stuck, c.Pending()
	switch {
	case late && stuck:
		c.Abort(ErrTimeout)
		return
	case late && starves:
		c.failBody(os.ErrDeadlineExceeded)
	}
	c.startTimer(timerBody)
}

// OnMessage is not called: the connection is no WebSocket of the reactor's.
func (f *frontConn) OnMessage(*Conn, bool, []byte) {}

// OnClose ends the request's context, and all calls that wait. What came before the
// peer's end can still be read.
func (f *frontConn) OnClose(_ *Conn, err error) {
	f.mu.Lock()
	f.over = err
	if f.cancel != nil {
		f.cancel(err)
	}
	if f.readErr == nil {
		f.readErr = io.EOF
		if !errors.Is(err, io.EOF) {
			f.readErr = f.failure("read", err)
		}
	}
	f.dropOutput()
	f.wake()
	hijacked := f.hijacked
	f.mu.Unlock()
	if hijacked {
		f.release()
	}
}
