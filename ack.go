package sio

import (
	"errors"
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
	remote *remoteAck // in place of a socket: another server wants it
}

// remoteAck is an acknowledgement that another server wants.
type remoteAck struct {
	ns   *Namespace
	send func(RawArgs)
}

func newRemoteAck(ns *Namespace, send func(RawArgs)) Ack {
	a := pendingAcks.Get().(*pendingAck)
	a.remote = &remoteAck{ns, send}
	return Ack{a, a.ticket.Load()}
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
	return a.finish(func(p *pendingAck) error {
		if r := p.remote; r != nil {
			raw, err := r.ns.server.coding.makeRaw(args)
			if err == nil {
				r.send(raw)
			}
			return err
		}
		packet, err := encodeAck(p.socket.ns, p.id, args)
		return p.socket.answer(packet, err)
	})
}

// SendRaw is Send with arguments that are encoded already.
func (a Ack) SendRaw(args RawArgs) error {
	return a.finish(func(p *pendingAck) error {
		if r := p.remote; r != nil {
			raw, err := r.ns.server.coding.convert(args)
			if err == nil {
				r.send(raw)
			}
			return err
		}
		packet, err := encodeRawAck(p.socket.ns, p.id, args)
		return p.socket.answer(packet, err)
	})
}

// finish has the acknowledgement sent, if it was not before.
func (a Ack) finish(send func(*pendingAck) error) error {
	p := a.pending
	if p == nil {
		return nil
	}
	if !p.ticket.CompareAndSwap(a.ticket, a.ticket+1) {
		return ErrAckSent
	}
	err := send(p)
	if err != nil && !errors.Is(err, ErrDisconnected) {
		p.ticket.Store(a.ticket) // the caller may answer something else
		return err
	}
	p.socket, p.remote = nil, nil
	p.ticket.Store(a.ticket + 2)
	pendingAcks.Put(p)
	return err
}

// answer sends an acknowledgement that was encoded.
func (s *Socket) answer(p packet, err error) error {
	switch {
	case err != nil:
		return err
	case s.state.Load() != socketConnected:
		p.release()
		return ErrDisconnected
	}
	return s.sendPacket(false, p)
}

// Reply is a client's acknowledgement.
type Reply struct{ args RawArgs }

// Len returns the number of arguments.
func (r Reply) Len() int { return r.args.Len() }

// Decode stores the arguments in what dst point to; see [RawArgs.Decode].
func (r Reply) Decode(dst ...any) error { return r.args.Decode(dst...) }

// Raw returns the arguments as they came.
func (r Reply) Raw() RawArgs { return r.args }

// awaiting is who waits for an acknowledgement. settle is called once, without
// locks: with a client's answer, which is valid until it returns, or with the
// reason why there will be none.
type awaiting interface {
	settle(args RawArgs, err error)
}

// expectAck makes w wait for the answer with that id; false if the socket is over.
func (s *Socket) expectAck(id uint64, w awaiting) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() >= socketOver {
		return false
	}
	if s.acks == nil {
		s.acks = make(map[uint64]awaiting)
	}
	s.acks[id] = w
	return true
}

// takeAck returns who waits for an answer, and forgets it.
func (s *Socket) takeAck(id uint64) awaiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.acks[id]
	if w == nil {
		return nil
	}
	delete(s.acks, id)
	if len(s.acks) == 0 {
		s.acks = nil // an idle socket holds no memory for it
	}
	return w
}

// onAck takes a client's answer, on the loop. One that nobody waits for is
// ignored, as a late or repeated one.
func (s *Socket) onAck(p socketio.Packet, attachments [][]byte) {
	if w := s.takeAck(p.ID); w != nil {
		w.settle(s.rawArgs(p.Args, attachments), nil)
	}
}

// ackWait is one socket's acknowledgement that is waited for.
type ackWait struct {
	socket *Socket
	id     uint64
	done   func(Reply, error)
	direct bool // done does not block: it needs no goroutine
	timer  loop.Timer
	clock  *loop.Loop // on whose wheel the timer is; nil without timeout
}

func (w *ackWait) startTimer(timeout time.Duration) {
	if w.clock != nil {
		w.clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Schedule(&w.timer, timeout, w) }))
	}
}

// OnTimer is called when the answer is late.
func (w *ackWait) OnTimer(*loop.Loop, *loop.Timer) {
	if w.socket.takeAck(w.id) != nil {
		w.settle(RawArgs{}, ErrAckTimeout)
	}
}

func (w *ackWait) stopTimer() {
	if w.clock != nil {
		w.clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Cancel(&w.timer) }))
	}
}

func (w *ackWait) settle(args RawArgs, err error) {
	w.stopTimer()
	reply := Reply{args.Clone()}
	if w.direct {
		w.done(reply, err)
		return
	}
	s := w.socket
	s.ns.server.handlers.Add(1)
	go func() {
		defer s.ns.server.handlers.Add(-1)
		s.protect("EmitAck", func() error { w.done(reply, err); return nil })
	}()
}
