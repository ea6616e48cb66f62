package sio

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

// EmitWithAck emits an event and waits until all those selected have
// acknowledged it. The answers come in the order of their arrival; if some are
// missing in the end, those that came are returned with an [*AckError] that says
// why: because Timeout or ctx ended, or because clients were disconnected. With
// neither Timeout nor a deadline of ctx, [Options].AckTimeout bounds the wait. It
// blocks, so it must not be called from an [Inline] handler.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) ([]Reply, error) {
	var replies []Reply
	err := b.ask(ctx, event, args, func(r Reply) { replies = append(replies, r) })
	return replies, err
}

// Answers is [Broadcast.EmitWithAck] with the answers as they come. An error, if
// there is one, is the last pair and has no Reply. The event is emitted when the
// loop over it begins; ending the loop early ends the wait.
//
//	for reply, err := range io.To("room").Answers(ctx, "question") { … }
func (b Broadcast) Answers(ctx context.Context, event string, args ...any) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		in := inbox{news: make(chan struct{}, 1)}
		result := make(chan error, 1)
		go func() { result <- b.ask(ctx, event, args, in.put) }()
		for over := false; !over; {
			var err error
			select {
			case <-in.news:
			case err = <-result:
				over = true
			}
			for _, r := range in.take() {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(Reply{}, err)
			}
		}
	}
}

// inbox holds answers until they are looked at: who brings them must not wait.
type inbox struct {
	news chan struct{}

	mu      sync.Mutex
	replies []Reply
}

func (in *inbox) put(r Reply) {
	in.mu.Lock()
	in.replies = append(in.replies, r)
	in.mu.Unlock()
	select {
	case in.news <- struct{}{}:
	default:
	}
}

func (in *inbox) take() []Reply {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.replies
	in.replies = nil
	return all
}

// ask emits an event and calls each with every answer, one at a time.
func (b Broadcast) ask(ctx context.Context, event string, args []any, each func(Reply)) error {
	ctx, cancel, timeout := b.bound(ctx)
	defer cancel()
	t := &tally{each: each}
	for _, ns := range b.namespaces() {
		if err := b.about(ns).askOne(ctx, t, timeout, event, args); err != nil {
			cancel()
			t.wait()
			return err
		}
	}
	t.wait()
	return t.result()
}

// bound gives ctx an end, and says when it is.
func (b Broadcast) bound(ctx context.Context) (context.Context, context.CancelFunc, time.Duration) {
	d := b.timeout
	server := b.home()
	deadline, ok := ctx.Deadline()
	switch {
	case d > 0:
	case ok: // which is in the program's time, not the server's
		d = time.Until(deadline)
		ctx, cancel := context.WithTimeoutCause(ctx, d, ErrAckTimeout)
		return ctx, cancel, d
	default:
		d = server.opts.AckTimeout
	}
	ctx, cancel := server.withTimeout(ctx, d, ErrAckTimeout)
	return ctx, cancel, d
}

// askOne asks the sockets of one namespace, on this server and the others.
func (b Broadcast) askOne(ctx context.Context, t *tally, timeout time.Duration, event string, args []any) error {
	v := newSurvey(b.ns, t.add)
	adapter := b.cluster()
	observed := b.ns.observers.Load() > 0
	var (
		p   packet
		raw RawArgs
		err error
	)
	if adapter != nil || observed {
		if raw, err = b.ns.server.coding.makeRaw(args); err == nil {
			p, err = encodeRawEvent(b.ns, event, raw, v.id, true)
		}
	} else {
		p, err = encodeEvent(b.ns, event, args, v.id, true)
	}
	if err != nil {
		return err
	}
	if adapter != nil {
		req := &broadcast.Request{
			Kind: broadcast.KindEmit, Rooms: b.rooms, Except: b.except, Volatile: b.volatile, Plain: b.plain,
			Packet: eventPacket(event, raw), Timeout: timeout,
		}
		t.running.Go(func() { t.askNodes(ctx, b.ns, adapter, req) })
	}
	var o *observation
	if observed {
		o = &observation{event, raw.Clone()}
	}
	b.send(p, v, o)
	v.sent()
	t.running.Go(func() {
		select {
		case <-v.done:
		case <-ctx.Done():
		}
		asked, answered := v.stop()
		t.count(asked, answered, context.Cause(ctx))
	})
	return nil
}

// tally collects the answers of several surveys, of this server and of others.
type tally struct {
	running sync.WaitGroup
	each    func(Reply)

	mu              sync.Mutex
	asked, answered int
	err             error
}

func (t *tally) wait() { t.running.Wait() }

func (t *tally) add(args RawArgs) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each(Reply{args})
}

// count takes the result of one survey; why is what has ended it early.
func (t *tally) count(asked, answered int, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked += asked
	t.answered += answered
	if why != nil && asked > answered {
		t.err = why
	}
}

// askNodes asks the other servers.
func (t *tally) askNodes(ctx context.Context, ns *Namespace, adapter broadcast.Adapter, req *broadcast.Request) {
	asked, answered := 0, 0
	err := adapter.Ask(ctx, req, func(a broadcast.Answer) {
		asked += a.Clients
		if a.Packet.Args != nil {
			answered++
			t.add(ns.server.rawArgs(a.Packet))
		}
	})
	if err != nil {
		t.mu.Lock()
		t.err = askError(ctx, err)
		t.mu.Unlock()
	}
	t.count(asked, answered, nil)
}

func (t *tally) result() error {
	switch {
	case t.err != nil:
		return &AckError{Asked: t.asked, Answered: t.answered, Err: t.err}
	case t.answered < t.asked:
		return &AckError{Asked: t.asked, Answered: t.answered, Err: ErrDisconnected}
	}
	return nil
}

// survey is one event that this server's sockets of one namespace are asked to
// acknowledge.
type survey struct {
	ns     *Namespace
	id     uint64
	answer func(RawArgs) // called one at a time
	done   chan struct{} // closed once nobody is waited for

	mu       sync.Mutex
	pending  int // answers that may still come, and one while the event is being sent
	asked    int
	answered int
	over     bool
	sockets  []*Socket // that were asked
}

func newSurvey(ns *Namespace, answer func(RawArgs)) *survey {
	return &survey{ns: ns, id: ns.nextAckID(), answer: answer, done: make(chan struct{}), pending: 1}
}

// ask counts sockets that the event goes to.
func (v *survey) ask(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked += n
	v.pending += n
}

// sent says that all were counted, and returns how many they are.
func (v *survey) sent() (asked int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop()
	return v.asked
}

func (v *survey) drop() {
	if v.pending--; v.pending == 0 && !v.over {
		close(v.done)
	}
}

// expect makes the socket's answer count, right before it is asked.
func (v *survey) expect(s *Socket) {
	v.mu.Lock()
	over := v.over
	if !over {
		v.sockets = append(v.sockets, s)
	}
	v.mu.Unlock()
	if !over && !s.expectAck(v.id, v) {
		v.settle(RawArgs{}, ErrDisconnected)
	}
}

// settle takes a socket's answer, or that there will be none.
func (v *survey) settle(args RawArgs, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return
	}
	if err == nil {
		v.answered++
		v.answer(args.Clone())
	}
	v.drop()
}

// stop ends the survey: no more answers are taken, and no socket remembers it.
func (v *survey) stop() (asked, answered int) {
	v.mu.Lock()
	v.over = true
	sockets := v.sockets
	v.sockets = nil
	asked, answered = v.asked, v.answered
	v.mu.Unlock()
	for _, s := range sockets {
		s.takeAck(v.id)
	}
	return asked, answered
}

// nextAckID returns an id for an acknowledgement. It is unique in the namespace.
func (ns *Namespace) nextAckID() uint64 { return ns.ackIDs.Add(1) - 1 }

// observation is an event on its way out, for sockets with OnAnyOutgoing.
type observation struct {
	event string
	args  RawArgs
}

// observation returns what sockets are to see of an event, nil if none does.
func (b Broadcast) observation(event string, args RawArgs) *observation {
	if b.ns.observers.Load() == 0 {
		return nil
	}
	return &observation{event, args.Clone()}
}
