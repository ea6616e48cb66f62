package loop

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/valyala/bytebufferpool"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// call is a request of a net/http server on its way through a loop: the port of a
// Conn that lives for this one response. The goroutine that calls ServeHTTP waits
// for done meanwhile.
type call struct {
	visit *visit
	conn  *Conn
	body  *bytebufferpool.ByteBuffer
	done  chan struct{} // has room for the one signal, which the loop sends last of all
	cut   error         // why the goroutine gives up
	gone  bool          // the client is gone

	// Of the loop, until it is done.
	answer   Response // without a status, there is none yet
	out      *Buffer  // has the answer's header and body
	answered bool     // the answer is to be sent
	err      error    // why the Conn ended

	mu        sync.Mutex
	reading   bool // the body is being read
	announced bool // the loop knows of the request
}

// grace is how long a body may take to come without being announced. A body that is
// there with the head is not, as on the reactor's own connections, and nobody says
// whether it is.
const grace = time.Millisecond

var errClientGone = &net.OpError{Op: "read", Net: "http", Err: io.EOF}

// exchange has the request served on a loop, and writes the answer.
func (v *visit) exchange() {
	k := &call{visit: v, done: make(chan struct{}, 1)}
	k.conn = newGuest(v.place(), v, k)
	control := http.NewResponseController(v.w)
	if v.request.ProtoMajor != 1 && v.writeTimeout() {
		_ = control.SetWriteDeadline(time.Time{}) // it may take long until there is an answer
	}
	loop := k.conn.loop
	if v.parsed.Chunked || v.parsed.ContentLength > 0 {
		k.cut = k.readBody(control)
	}
	if k.cut != nil {
		loop.Post((*callCut)(k))
	} else {
		loop.Post((*callComplete)(k))
	}
	k.await()
}

// await waits for the answer and writes it.
func (k *call) await() {
	v, over := k.visit, k.conn.loop.over
	select {
	case <-k.done:
		k.finish()
		return
	case <-over:
	case <-v.request.Context().Done():
		k.gone = k.cut == nil
		if k.gone {
			k.cut = errClientGone
		}
		k.conn.loop.Post((*callCut)(k))
		select {
		case <-k.done:
			k.finish()
			return
		case <-over:
		}
	}
	select {
	case <-k.done:
		k.finish()
	default: // the loop has ended before it saw the request
		v.dismiss()
		v.refuse(errClosed)
	}
}

// finish ends the call once the loop is done with it.
func (k *call) finish() {
	v := k.visit
	switch {
	case k.answered:
		v.respond(&k.answer)
		k.out.Release()
	case errors.Is(k.err, ErrServerClosed), errors.Is(k.err, ErrReactorStopped):
		v.refuse(errClosed)
	default:
		v.abort(k.gone)
	}
	if k.body != nil {
		inputBytes.Put(k.body)
	}
	v.giveBack()
}

// readBody reads the body, within the limits that the reactor has for any. It
// returns an [*http1.Error] if the client is to be told.
func (k *call) readBody(control *http.ResponseController) error {
	v, o := k.visit, &k.visit.reactor.opts
	k.body = inputBytes.Get()
	k.body.B = k.body.B[:0]
	// Before an interrupt can come, which it would undo. What can't have a deadline has
	// the server's.
	_ = control.SetReadDeadline(time.Now().Add(o.BodyTimeout))
	k.reading = true
	late := time.AfterFunc(grace, k.announce)
	defer func() {
		late.Stop()
		k.mu.Lock()
		k.reading = false
		k.mu.Unlock()
	}()
	for {
		if len(k.body.B) == cap(k.body.B) {
			k.body.B = append(k.body.B, 0)[:len(k.body.B)]
		}
		n, err := v.request.Body.Read(k.body.B[len(k.body.B):cap(k.body.B)])
		k.body.B = k.body.B[:len(k.body.B)+n]
		switch {
		case int64(len(k.body.B)) > int64(o.MaxBody):
			return &http1.Error{Status: http.StatusRequestEntityTooLarge, Reason: "body too large"}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return k.bodyError(err)
		}
		k.announce()
	}
}

// bodyError says what became of a body that did not come whole.
func (k *call) bodyError(err error) error {
	var (
		large  *http.MaxBytesError // of a handler around
		broken net.Error
	)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTooLong
	case errors.As(err, &large):
		return &http1.Error{Status: http.StatusRequestEntityTooLarge, Reason: "body too large"}
	case k.visit.request.ProtoMajor != 1, k.visit.request.Context().Err() != nil,
		errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &broken):
		return errClientGone
	}
	return &http1.Error{Status: http.StatusBadRequest, Reason: "malformed body"}
}

// announce lets the loop know of the request, once, unless its body has come.
func (k *call) announce() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reading && !k.announced {
		k.announced = true
		k.conn.loop.Post((*callAnnounced)(k))
	}
}

// interrupt ends a wait for the body.
func (k *call) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reading {
		_ = http.NewResponseController(k.visit.w).SetReadDeadline(time.Unix(1, 0)) // what can't have one has the server's
	}
}

// callAnnounced makes a request known whose body is still to come.
type callAnnounced call

// Run is called on the loop.
func (t *callAnnounced) Run(l *Loop) {
	(*call)(t).makeKnown(l)
}

func (k *call) makeKnown(l *Loop) {
	k.open(l, phaseBody)
	if announced := l.reactor.announced; announced != nil {
		l.protect(k.conn, func() { announced.AnnounceRequest(k.conn, k.visit.parsed) })
	}
}

// callComplete serves a request.
type callComplete call

// Run is called on the loop.
func (t *callComplete) Run(l *Loop) {
	k := (*call)(t)
	c, r := k.conn, k.visit.parsed
	if !k.announced {
		k.open(l, phaseServing)
	}
	if c.Closed() {
		return
	}
	c.http.phase = phaseServing
	if k.body != nil {
		r.Body = k.body.B
	}
	defer l.recoverPanic(c)
	l.reactor.handler.ServeRequest(c, r)
}

// open makes the Conn one of the loop's.
func (k *call) open(l *Loop, phase httpPhase) {
	c, r := k.conn, k.visit.parsed
	l.link(c)
	c.http = l.takeHTTP()
	c.http.phase, c.http.isHead = phase, string(r.Method) == http.MethodHead
	c.http.http10 = r.Minor == 0
}

// callCut ends a request whose client is gone, or answers one whose body is bad.
type callCut call

// Run is called on the loop.
func (t *callCut) Run(l *Loop) {
	k := (*call)(t)
	c := k.conn
	if c.http == nil && !c.closed && !c.lastWrite {
		k.makeKnown(l) // it went faster than the announcement
	}
	if c.Closed() {
		return
	}
	var bad *http1.Error
	if errors.As(k.cut, &bad) {
		c.refuse(bad)
		return
	}
	c.end(k.cut)
}

// respond takes the answer for the goroutine that waits. It leaves with the turn's
// other output, which ends the Conn.
func (k *call) respond(res Response) {
	k.out = NewBuffer()
	n := len(res.Header)
	k.out.B = append(append(k.out.B, res.Header...), res.Body...)
	res.Header, res.Body = k.out.B[:n:n], k.out.B[n:]
	c := k.conn
	res.Close = res.Close || c.loop.draining
	k.answer = res
	c.stream = nil
	c.dropHTTP()
	c.lastWrite = true
	c.markDirty()
}

// flush lets the answer leave. Without one, something was written past
// [Conn.Respond].
func (k *call) flush(c *Conn) {
	if k.answer.Status == 0 {
		c.Abort(ErrState)
		return
	}
	k.answered = true
	c.end(nil)
}

func (k *call) linger(c *Conn) { c.Abort(ErrState) }

func (k *call) pending() int { return 0 }

// shut lets the goroutine go on.
func (k *call) shut() {
	k.err = k.conn.err
	if k.err == nil {
		k.err = k.conn.loop.reactor.ending()
	}
	k.mu.Lock()
	if k.reading {
		go k.interrupt()
	}
	k.mu.Unlock()
	k.done <- struct{}{}
}
