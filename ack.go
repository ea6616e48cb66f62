package sio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Ack answers one event of a client that asked for an acknowledgement. It may
// be kept and used after the handler has returned, from any goroutine. Its zero
// value is an acknowledgement that nobody wants.
type Ack struct {
	pending *pendingAck
	ticket  uint64
}

// pendingAck is the state behind the copies of one Ack. It goes back to its
// pool when it was used: an Ack of an earlier use then has an old ticket.
type pendingAck struct {
	ticket atomic.Uint64 // odd while being sent
	socket *Socket
	id     uint64
}

var pendingAcks = sync.Pool{New: func() any { return new(pendingAck) }}

func (s *Socket) newAck(p socketio.Packet) Ack {
	if !p.HasID {
		return Ack{}
	}
	a := pendingAcks.Get().(*pendingAck)
	a.socket, a.id = s, p.ID
	return Ack{a, a.ticket.Load()}
}

// Wanted reports whether the client asked for the acknowledgement.
func (a Ack) Wanted() bool { return a.pending != nil }

// Send acknowledges the event. Only the first call counts; further ones return
// [ErrAckSent]. It does nothing if the acknowledgement is not wanted.
func (a Ack) Send(args ...any) error {
	return a.send(func(p *pendingAck) (packet, error) { return encodeAck(p.socket.ns, p.id, args) })
}

// SendRaw is Send with arguments that are encoded already.
func (a Ack) SendRaw(args RawArgs) error {
	return a.send(func(p *pendingAck) (packet, error) { return encodeRawAck(p.socket.ns, p.id, args) })
}

func (a Ack) send(encode func(*pendingAck) (packet, error)) error {
	p := a.pending
	if p == nil {
		return nil
	}
	if !p.ticket.CompareAndSwap(a.ticket, a.ticket+1) {
		return ErrAckSent
	}
	packet, err := encode(p)
	if err != nil {
		p.ticket.Store(a.ticket) // the caller may answer something else
		return err
	}
	s := p.socket
	if s.state.Load() != socketConnected {
		packet.release()
		err = ErrDisconnected
	} else {
		err = s.send(packet)
	}
	p.socket = nil
	p.ticket.Store(a.ticket + 2)
	pendingAcks.Put(p)
	return err
}

// Reply is a client's acknowledgement.
type Reply struct{ args RawArgs }

// Len returns the number of arguments.
func (r Reply) Len() int { return r.args.Len() }

// Decode stores the arguments in what dst point to; see [RawArgs.Decode].
func (r Reply) Decode(dst ...any) error { return r.args.Decode(dst...) }

// Raw returns the arguments as they came.
func (r Reply) Raw() RawArgs { return r.args }

// ackTable holds the acknowledgements that a socket waits for. Its zero value
// is empty and holds nothing.
type ackTable struct {
	next    uint64
	waiting map[uint64]*ackWait
}

func (t *ackTable) add(w *ackWait) {
	if t.waiting == nil {
		t.waiting = make(map[uint64]*ackWait)
	}
	w.id = t.next
	t.next++
	t.waiting[w.id] = w
}

func (t *ackTable) take(id uint64) *ackWait {
	w := t.waiting[id]
	if w == nil {
		return nil
	}
	delete(t.waiting, id)
	if len(t.waiting) == 0 {
		t.waiting = nil
	}
	return w
}

func (t *ackTable) takeAll() []*ackWait {
	all := make([]*ackWait, 0, len(t.waiting))
	for _, w := range t.waiting {
		all = append(all, w)
	}
	t.waiting = nil
	return all
}

// ackWait is one acknowledgement that is waited for.
type ackWait struct {
	socket *Socket
	id     uint64
	done   func(Reply, error)
	timer  loop.Timer
	clock  *loop.Loop // on whose wheel the timer is; nil without timeout
}

// EmitAck emits an event and calls done once: with the client's answer, with
// [ErrAckTimeout] after timeout (0: none), or with [ErrDisconnected]. It runs
// done on a goroutine of its own. If EmitAck itself returns an error, done is
// not called.
func (s *Socket) EmitAck(timeout time.Duration, done func(Reply, error), event string, args ...any) error {
	w := &ackWait{socket: s, done: done}
	if timeout > 0 {
		w.clock = s.client.session.Home()
	}
	s.mu.Lock()
	s.acks.add(w)
	s.mu.Unlock()
	p, err := encodeEvent(s.ns, event, args, w.id, true)
	if err == nil {
		err = s.send(p)
	}
	if err != nil {
		if s.takeAck(w.id) == nil {
			return nil // the socket has ended meanwhile, and done was told
		}
		return err
	}
	if w.clock != nil {
		w.clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Schedule(&w.timer, timeout, w) }))
	}
	return nil
}

// EmitWithAck emits an event and waits for the client's answer, until ctx ends
// or the socket is disconnected ([ErrDisconnected]). It blocks, so it must not
// be called from an [Inline] handler.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Reply, error) {
	type result struct {
		reply Reply
		err   error
	}
	answer := make(chan result, 1)
	w := &ackWait{socket: s, done: func(r Reply, err error) { answer <- result{r, err} }}
	s.mu.Lock()
	s.acks.add(w)
	s.mu.Unlock()
	p, err := encodeEvent(s.ns, event, args, w.id, true)
	if err == nil {
		err = s.send(p)
	}
	if err != nil {
		s.takeAck(w.id)
		return Reply{}, err
	}
	select {
	case r := <-answer:
		return r.reply, r.err
	case <-ctx.Done():
		s.takeAck(w.id)
		return Reply{}, ctx.Err()
	}
}

func (s *Socket) takeAck(id uint64) *ackWait {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks.take(id)
}

// onAck takes a client's answer, on the loop. One that nobody waits for is
// ignored, as a late or repeated one.
func (s *Socket) onAck(p socketio.Packet, attachments [][]byte) {
	if w := s.takeAck(p.ID); w != nil {
		w.finish(s.rawArgs(p.Args, attachments).Clone(), nil)
	}
}

// OnTimer is called when the answer is late.
func (w *ackWait) OnTimer(*loop.Loop, *loop.Timer) {
	if w.socket.takeAck(w.id) != nil {
		w.finish(RawArgs{}, ErrAckTimeout)
	}
}

// finish is called once, by whoever took w out of the table.
func (w *ackWait) finish(args RawArgs, err error) {
	if w.clock != nil {
		w.clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Cancel(&w.timer) }))
	}
	s := w.socket
	s.ns.server.handlers.Add(1)
	go func() {
		defer s.ns.server.handlers.Add(-1)
		s.protect(func() error { w.done(Reply{args}, err); return nil })
	}()
}
