package sio

import (
	"errors"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/valyala/bytebufferpool"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// eventQueue keeps what a socket's handlers have still to do, in order. While
// it holds anything, one goroutine works through it; there is none otherwise.
type eventQueue struct {
	socket *Socket

	mu      sync.Mutex
	jobs    []job
	bytes   int
	running bool // a goroutine works on the queue, or a handler runs inline
	closed  bool
}

type jobKind uint8

const (
	jobEvent jobKind = iota
	jobMiddleware
	jobConnection
	jobDisconnect
)

// job is one thing to do. An event's job owns a copy of what came.
type job struct {
	kind   jobKind
	args   [][]byte // of an event: the name first
	text   *bytebufferpool.ByteBuffer
	binary [][]byte
	ack    Ack
	reason Reason
	size   int
}

// tryInline claims the queue for a handler on the loop, if it is idle.
func (q *eventQueue) tryInline() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running || len(q.jobs) > 0 || q.closed {
		return false
	}
	q.running = true
	return true
}

// release gives the queue back after an inline handler. What came meanwhile, by
// the handler's own doing, gets its goroutine.
func (q *eventQueue) release() {
	q.mu.Lock()
	more := len(q.jobs) > 0
	q.running = more
	q.mu.Unlock()
	if more {
		q.start()
	}
}

// push queues a job; false says that too much is waiting already.
func (q *eventQueue) push(j job) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return true // its socket is over: nobody is to see it
	}
	if q.bytes > 0 && q.bytes+j.size > q.socket.ns.server.opts.MaxBacklog {
		q.mu.Unlock()
		return false
	}
	q.jobs = append(q.jobs, j)
	q.bytes += j.size
	start := !q.running
	q.running = true
	q.mu.Unlock()
	if start {
		q.start()
	}
	return true
}

// closeWith queues the socket's end behind all that came before.
func (q *eventQueue) closeWith(reason Reason) {
	q.mu.Lock()
	q.jobs = append(q.jobs, job{kind: jobDisconnect, reason: reason})
	q.closed = true
	start := !q.running
	q.running = true
	q.mu.Unlock()
	if start {
		q.start()
	}
}

func (q *eventQueue) start() {
	q.socket.ns.server.handlers.Add(1)
	go q.work()
}

// work does jobs until there are none.
func (q *eventQueue) work() {
	defer q.socket.ns.server.handlers.Add(-1)
	var batch []job
	for {
		q.mu.Lock()
		if len(q.jobs) == 0 {
			q.jobs = nil // an idle socket holds no memory for it
			q.running = false
			q.mu.Unlock()
			return
		}
		batch, q.jobs = q.jobs, batch[:0]
		q.bytes = 0
		q.mu.Unlock()
		for i := range batch {
			q.socket.do(&batch[i])
			batch[i] = job{}
		}
	}
}

func (j *job) free() {
	if j.text != nil {
		eventBytes.Put(j.text)
		j.text = nil
	}
}

var eventBytes bytebufferpool.Pool

// onEvent takes an event from the client, on the loop.
func (s *Socket) onEvent(p socketio.Packet, attachments [][]byte) {
	name, err := socketio.EventName(p.Args[0])
	if err != nil {
		s.client.violation(err)
		return
	}
	// Without a handler, the event is lost, unless what the socket is doing now
	// may register one. So the look that counts is the one after the claim: until
	// then, a job may have registered a handler and ended.
	if h := s.handler(name); (h == nil || h.inline) && !s.filters() && s.events.tryInline() {
		h = s.handler(name)
		now := !s.filters() && (h == nil || h.inline)
		if now && h != nil {
			s.call(name, h, s.rawArgs(p.Args[1:], attachments), s.newAck(p))
		}
		s.events.release()
		if now {
			return
		}
	}
	if !s.events.push(s.eventJob(p, attachments)) {
		s.ns.server.report(s, ErrBacklog)
		s.client.session.Discard()
	}
}

// eventJob copies an event out of the turn's input.
func (s *Socket) eventJob(p socketio.Packet, attachments [][]byte) job {
	j := job{kind: jobEvent, binary: attachments, ack: s.newAck(p), text: eventBytes.Get()}
	b := j.text.B[:0]
	j.args = make([][]byte, len(p.Args))
	for _, a := range p.Args {
		b = append(b, a...)
	}
	rest := b
	for i, a := range p.Args {
		j.args[i], rest = rest[:len(a):len(a)], rest[len(a):]
	}
	j.text.B = b
	j.size = len(b) + jobOverhead
	for _, a := range attachments {
		j.size += len(a)
	}
	return j
}

// jobOverhead is what an event costs beside its bytes.
const jobOverhead = 128

// handler returns the handler of an event: the socket's own, else the
// namespace's.
func (s *Socket) handler(event []byte) *handler {
	if h := s.own.get(event); h != nil {
		return h
	}
	return s.ns.events.get(event)
}

// do does one job, on the queue's goroutine.
func (s *Socket) do(j *job) {
	switch j.kind {
	case jobEvent:
		defer j.free()
		if s.state.Load() == socketDismissed {
			return // the program sent the client away: it has no say any more
		}
		name, err := socketio.EventName(j.args[0])
		if err != nil {
			return // it was valid on the loop
		}
		s.dispatch(name, s.rawArgs(j.args[1:], j.binary), j.ack)
	case jobMiddleware:
		s.askMiddleware()
	case jobConnection:
		s.runConnection()
	case jobDisconnect:
		s.notifyDisconnect(j.reason)
	}
}

// dispatch takes an event past all that is registered for it.
func (s *Socket) dispatch(name []byte, args RawArgs, ack Ack) {
	if t := s.taps.Load(); t != nil {
		e := &Incoming{Event: string(name), Args: args, Ack: ack}
		passed := false
		s.protect("OnAny or Use", func() error { passed = t.filter(s, e); return nil })
		if !passed {
			return
		}
		if args, ack = e.Args, e.Ack; e.Event != string(name) {
			name = []byte(e.Event)
		}
	}
	if h := s.handler(name); h != nil {
		s.call(name, h, args, ack)
	}
}

// call runs a handler. A panic costs its socket the connection to the
// namespace; an error is reported.
func (s *Socket) call(name []byte, h *handler, args RawArgs, ack Ack) {
	if h.once && !s.spend(name, h) {
		return
	}
	defer s.recoverHandler(h)
	if err := h.call(s, args, ack); err != nil {
		s.ns.server.report(s, err)
	}
}

// protect runs a function of the program's, which is named for a panic.
func (s *Socket) protect(in string, f func() error) {
	defer s.recoverPanic(in)
	if err := f(); err != nil {
		s.ns.server.report(s, err)
	}
}

func (s *Socket) recoverPanic(in string) {
	if v := recover(); v != nil {
		s.panicked(in, v)
	}
}

func (s *Socket) recoverHandler(h *handler) {
	if v := recover(); v != nil {
		s.panicked("the handler of "+strconv.Quote(h.event), v)
	}
}

func (s *Socket) panicked(in string, v any) {
	s.ns.server.report(s, &PanicError{in, v, debug.Stack()})
	s.Disconnect(false)
}

// join asks the namespace's middlewares, or connects the socket if there are
// none. On the loop.
func (s *Socket) join() {
	if s.ns.middleware.Load() == nil || s.skipsMiddlewares() {
		s.connected()
		return
	}
	s.events.push(job{kind: jobMiddleware})
}

// askMiddleware runs the middlewares and tells the loop what they said.
func (s *Socket) askMiddleware() {
	var err error
	for _, mw := range *s.ns.middleware.Load() {
		if err = s.askOne(mw); err != nil {
			break
		}
	}
	s.client.session.Post(&admitTask{s, err})
}

func (s *Socket) askOne(mw func(*Socket) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.ns.server.report(s, &PanicError{"Namespace.Use", v, debug.Stack()})
			err = &ConnectError{Message: "Internal server error"}
		}
	}()
	return mw(s)
}

type admitTask struct {
	socket *Socket
	err    error
}

// Run is called on the loop that owns the session.
func (t *admitTask) Run(l *loop.Loop) {
	s := t.socket
	if !s.client.session.Owned(l, t) || s.state.Load() != socketPending {
		return
	}
	if t.err != nil {
		s.client.sendRefusal(s, t.err)
		s.end("")
		return
	}
	s.connected()
}

// connected lets the socket in, on the loop.
func (s *Socket) connected() {
	c := s.client
	c.joined = true
	c.stopTimer()
	switch err := s.admit(); {
	case errors.Is(err, ErrDisconnected):
		s.end("")
		return
	case err != nil:
		c.violation(err)
		return
	}
	ch := s.ns.connection.Load()
	switch {
	case ch == nil:
	case ch.inline && s.events.tryInline():
		s.runConnection()
		s.events.release()
	default:
		s.events.push(job{kind: jobConnection})
	}
}

func (s *Socket) runConnection() {
	for _, fn := range s.ns.connection.Load().fns {
		s.protect("OnConnection", func() error { fn(s); return nil })
	}
}
