package sio

import (
	"slices"
	"sync"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Broadcast says whom an event goes to. It is an immutable value: each method
// returns a new one, and one may be kept and used many times.
type Broadcast struct {
	ns            *Namespace
	rooms, except []string
	skip          *Socket // the sender, who gets nothing
	volatile      bool
	plain         bool // not to be compressed
}

// To adds rooms whose sockets get the event. A socket in several of them gets
// it once.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = slices.Concat(b.rooms, rooms)
	return b
}

// In is another name for To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except adds rooms whose sockets don't get the event.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.except = slices.Concat(b.except, rooms)
	return b
}

// Volatile makes the event one that is dropped for clients that can't take it
// at once.
func (b Broadcast) Volatile() Broadcast {
	b.volatile = true
	return b
}

// Compress says whether the event may be compressed for clients with which
// compression was agreed on; without it, it may. It has no effect on others.
func (b Broadcast) Compress(on bool) Broadcast {
	b.plain = !on
	return b
}

// Emit sends an event to those selected. It is encoded once, whoever gets it.
// It returns an error if the event can't be encoded, and none for sockets that
// are gone.
func (b Broadcast) Emit(event string, args ...any) error {
	p, err := encodeEvent(b.ns, event, args, 0, false)
	if err != nil {
		return err
	}
	b.send(p)
	return nil
}

// EmitRaw is Emit with arguments that are encoded already.
func (b Broadcast) EmitRaw(event string, args RawArgs) error {
	p, err := encodeRawEvent(b.ns, event, args, 0, false)
	if err != nil {
		return err
	}
	b.send(p)
	return nil
}

// send hands the packet to each loop that has receivers.
func (b Broadcast) send(p packet) {
	defer p.release()
	if b.plain {
		p = p.uncompressed()
	}
	sel := broadcast.Selection[*Socket]{Rooms: b.rooms, Except: b.except}
	if b.skip != nil {
		sel.Skip = &b.skip.member
	}
	loops := b.ns.server.reactor.Loops()
	b.ns.hub.Select(sel, func(lane int, targets []*Socket) {
		t := fanouts.Get().(*fanout)
		t.targets = append(t.targets[:0], targets...)
		t.messages = append(append(t.messages[:0], p.first), p.rest...)
		t.volatile = b.volatile
		p.retain(len(targets))
		loops[lane].Post(t)
	})
}

var fanouts = sync.Pool{New: func() any { return new(fanout) }}

// keepFanout bounds the targets for which a fanout is kept for reuse.
const keepFanout = 1 << 16

// fanout delivers one packet to all of its receivers on one loop. It holds a
// reference to each message for each of them.
type fanout struct {
	targets  []*Socket
	messages []engine.Message
	volatile bool
}

// Run is called on the loop.
func (t *fanout) Run(l *loop.Loop) {
	for _, s := range t.targets {
		s.client.session.Deliver(l, t.volatile, t.messages)
	}
	if cap(t.targets) > keepFanout {
		return
	}
	clear(t.targets)
	clear(t.messages)
	fanouts.Put(t)
}
