package sio

import (
	"context"
	"time"
)

// Emitter sends to one socket, in a way that its methods say. It is an immutable
// value; [Socket.Volatile], [Socket.Compress] and [Socket.Timeout] begin one.
type Emitter struct {
	socket   *Socket
	timeout  time.Duration
	volatile bool
	plain    bool
}

// Volatile begins an emit that is dropped if the client can't take it at once.
func (s *Socket) Volatile() Emitter { return Emitter{socket: s, volatile: true} }

// Compress begins an emit that may be compressed or not, if that was agreed on.
func (s *Socket) Compress(on bool) Emitter { return Emitter{socket: s, plain: !on} }

// Timeout begins an emit whose acknowledgement is waited for no longer than d.
func (s *Socket) Timeout(d time.Duration) Emitter { return Emitter{socket: s, timeout: d} }

// Volatile has the event dropped if the client can't take it at once: while an
// earlier one still waits to be sent or, over polling, while no poll is open.
func (e Emitter) Volatile() Emitter {
	e.volatile = true
	return e
}

// Compress says whether the event may be compressed, if that was agreed on.
func (e Emitter) Compress(on bool) Emitter {
	e.plain = !on
	return e
}

// Timeout bounds the wait for an acknowledgement.
func (e Emitter) Timeout(d time.Duration) Emitter {
	e.timeout = d
	return e
}

// Broadcast starts a broadcast to everyone in the namespace but this socket,
// sent in the same way.
func (e Emitter) Broadcast() Broadcast {
	return Broadcast{ns: e.socket.ns, skip: e.socket, timeout: e.timeout, volatile: e.volatile, plain: e.plain}
}

// To is [Socket.To], sent in the same way.
func (e Emitter) To(rooms ...string) Broadcast { return e.Broadcast().To(rooms...) }

// In is another name for To.
func (e Emitter) In(rooms ...string) Broadcast { return e.Broadcast().To(rooms...) }

// Except is [Socket.Except], sent in the same way.
func (e Emitter) Except(rooms ...string) Broadcast { return e.Broadcast().Except(rooms...) }

// Emit is [Socket.Emit].
func (e Emitter) Emit(event string, args ...any) error {
	if e.recorded() {
		raw, err := e.socket.ns.server.coding.makeRaw(args)
		if err != nil {
			return err
		}
		return e.emitRecorded(event, raw)
	}
	p, err := e.socket.encodeEvent(event, args, 0, false)
	if err != nil {
		return err
	}
	return e.send(p)
}

// EmitRaw is [Socket.EmitRaw].
func (e Emitter) EmitRaw(event string, args RawArgs) error {
	if e.recorded() {
		return e.emitRecorded(event, args)
	}
	p, err := e.socket.encodeRawEvent(event, args)
	if err != nil {
		return err
	}
	return e.send(p)
}

func (e Emitter) send(p packet) error {
	if e.plain {
		p = p.uncompressed()
	}
	return e.socket.sendPacket(e.volatile, p)
}

// EmitWithAck emits an event and waits for the client's answer, until ctx ends,
// the Timeout is over ([ErrAckTimeout]) or the socket is disconnected
// ([ErrDisconnected]). It blocks, so it must not be called from an [Inline]
// handler.
func (e Emitter) EmitWithAck(ctx context.Context, event string, args ...any) (Reply, error) {
	type result struct {
		reply Reply
		err   error
	}
	answer := make(chan result, 1)
	w := &ackWait{socket: e.socket, done: func(r Reply, err error) { answer <- result{r, err} }, direct: true}
	if e.timeout > 0 {
		w.clock = e.socket.client.session.Home()
	}
	if err := e.emitFor(w, event, args); err != nil {
		return Reply{}, err
	}
	w.startTimer(e.timeout)
	select {
	case r := <-answer:
		return r.reply, r.err
	case <-ctx.Done():
	}
	if e.socket.takeAck(w.id) == nil { // it came just now
		r := <-answer
		return r.reply, r.err
	}
	w.stopTimer()
	return Reply{}, ctx.Err()
}

// EmitAck emits an event and calls done once: with the client's answer, with
// [ErrAckTimeout] after the Timeout, or with [ErrDisconnected]. It runs done on a
// goroutine of its own. If EmitAck itself returns an error, done is not called.
func (e Emitter) EmitAck(done func(Reply, error), event string, args ...any) error {
	w := &ackWait{socket: e.socket, done: done}
	if e.timeout > 0 {
		w.clock = e.socket.client.session.Home()
	}
	if err := e.emitFor(w, event, args); err != nil {
		return err
	}
	w.startTimer(e.timeout)
	return nil
}

// emitFor emits an event whose acknowledgement w waits for. With an error, w is
// not told.
func (e Emitter) emitFor(w *ackWait, event string, args []any) error {
	s := e.socket
	w.id = s.ns.nextAckID()
	p, err := s.encodeEvent(event, args, w.id, true)
	if err != nil {
		return err
	}
	if !s.expectAck(w.id, w) {
		p.release()
		return ErrDisconnected
	}
	if err := e.send(p); err != nil && s.takeAck(w.id) != nil {
		return err
	}
	return nil // or the socket has ended meanwhile, and w was told
}
