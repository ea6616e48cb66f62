package sio

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Broadcast says whom an event, or what else is to be done, is for. It is an
// immutable value: each method returns a new one, and one may be kept and used
// many times. Without To and In, it is for all sockets of the namespace; with an
// adapter, for those of all servers.
type Broadcast struct {
	ns            *Namespace
	parent        *ParentNamespace // in place of ns: all of its children
	rooms, except []string
	skip          *Socket // the sender, who gets nothing
	timeout       time.Duration
	volatile      bool
	plain         bool // not to be compressed
	local         bool // this server only
}

// To adds rooms whose sockets are meant. A socket in several of them counts
// once, and one's id is a room that it alone is in.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = slices.Concat(b.rooms, rooms)
	return b
}

// In is another name for To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except adds rooms whose sockets are not meant.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.except = slices.Concat(b.except, rooms)
	return b
}

// Local means this server's sockets only. Without an adapter there are no others.
func (b Broadcast) Local() Broadcast {
	b.local = true
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

// Timeout bounds how long acknowledgements are waited for; see
// [Broadcast.EmitWithAck].
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.timeout = d
	return b
}

// Emit sends an event to those selected. It is encoded once, whoever gets it.
// It returns an error if the event can't be encoded or handed to the adapter,
// and none for sockets that are gone.
func (b Broadcast) Emit(event string, args ...any) error {
	if b.parent != nil || b.ns.observers.Load() > 0 || b.ns.log != nil || b.cluster() != nil {
		raw, err := b.home().coding.makeRaw(args)
		if err != nil {
			return err
		}
		return b.EmitRaw(event, raw)
	}
	p, err := encodeEvent(b.ns, event, args, 0, false)
	if err != nil {
		return err
	}
	b.send(p, nil, nil)
	return nil
}

// EmitRaw is Emit with arguments that are encoded already.
func (b Broadcast) EmitRaw(event string, args RawArgs) error {
	if err := checkEvent(event); err != nil {
		return err
	}
	var errs []error // an adapter that fails must not keep the event from other namespaces
	for _, ns := range b.namespaces() {
		if err := b.about(ns).emitRaw(event, args); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (b Broadcast) home() *Server {
	if b.parent != nil {
		return b.parent.server
	}
	return b.ns.server
}

func (b Broadcast) emitRaw(event string, args RawArgs) error {
	args, err := b.ns.server.coding.convert(args)
	if err != nil {
		return err
	}
	publishing := b.publish(func() *broadcast.Request {
		return &broadcast.Request{Kind: broadcast.KindEmit, Volatile: b.volatile, Plain: b.plain, Packet: eventPacket(event, args)}
	})
	return errors.Join(publishing, b.emitHere(event, args))
}

// emitHere emits an event to this server's sockets.
func (b Broadcast) emitHere(event string, args RawArgs) error {
	if b.ns.log != nil && !b.volatile {
		return b.emitRecorded(event, args)
	}
	p, err := encodeRawEvent(b.ns, event, args, 0, false)
	if err == nil {
		b.send(p, nil, b.observation(event, args))
	}
	return err
}

// emitRecorded is emitHere for an event that clients can recover.
func (b Broadcast) emitRecorded(event string, args RawArgs) error {
	return b.ns.log.emit(b.ns, event, args, b.audience(), func(p packet) error {
		b.send(p, nil, b.observation(event, args))
		return nil
	})
}

// namespaces returns those that b is about: one, or a parent's children.
func (b Broadcast) namespaces() []*Namespace {
	if b.parent != nil {
		return b.parent.Children()
	}
	return b.ns.alone[:]
}

// about makes b about one namespace.
func (b Broadcast) about(ns *Namespace) Broadcast {
	b.ns, b.parent = ns, nil
	return b
}

// selection is whom b is for on this server.
func (b Broadcast) selection() broadcast.Selection[*Socket] {
	sel := broadcast.Selection[*Socket]{Rooms: b.rooms, Except: b.except}
	if b.skip != nil {
		sel.Skip = &b.skip.member
	}
	return sel
}

// publish hands a request to the other servers if it concerns them.
func (b Broadcast) publish(request func() *broadcast.Request) error {
	adapter := b.cluster()
	if adapter == nil {
		return nil
	}
	req := request()
	req.Rooms, req.Except = b.rooms, b.except
	if err := adapter.Publish(req); err != nil {
		return adapterError(err)
	}
	return nil
}

// send hands the packet to each loop that has receivers on this server. With a
// survey, they are asked to answer it.
func (b Broadcast) send(p packet, v *survey, o *observation) {
	defer p.release()
	if b.plain {
		p = p.uncompressed()
	}
	loops := b.ns.server.reactor.Loops()
	b.ns.hub.Select(b.selection(), func(lane int, targets []*Socket) {
		t := fanouts.Get().(*fanout)
		t.targets = append(t.targets[:0], targets...)
		t.messages = append(append(t.messages[:0], p.first), p.rest...)
		t.volatile, t.survey, t.observation = b.volatile, v, o
		p.retain(len(targets))
		if v != nil {
			v.ask(len(targets))
		}
		loops[lane].Post(t)
	})
}

var fanouts = sync.Pool{New: func() any { return new(fanout) }}

// keepFanout bounds the targets for which a fanout is kept for reuse.
const keepFanout = 1 << 16

// fanout delivers one packet to all of its receivers on one loop. It holds a
// reference to each message for each of them.
type fanout struct {
	targets     []*Socket
	messages    []engine.Message
	survey      *survey
	observation *observation
	volatile    bool
}

// Run is called on the loop.
func (t *fanout) Run(l *loop.Loop) {
	for _, s := range t.targets {
		if t.survey != nil {
			t.survey.expect(s)
		}
		if t.observation != nil {
			s.observe(t.observation.event, t.observation.args)
		}
		s.client.session.Deliver(l, t.volatile, t.messages)
	}
	t.survey, t.observation = nil, nil
	if cap(t.targets) > keepFanout {
		return
	}
	clear(t.targets)
	clear(t.messages)
	fanouts.Put(t)
}

// Sockets returns the selected sockets of this server, in no order.
func (b Broadcast) Sockets() []*Socket {
	all := []*Socket{}
	for _, ns := range b.namespaces() {
		all = append(all, ns.hub.Collect(b.selection())...)
	}
	return all
}

// SocketsJoin puts the selected sockets into rooms.
func (b Broadcast) SocketsJoin(rooms ...string) error {
	return b.each(
		broadcast.Request{Kind: broadcast.KindJoin, Names: slices.Clone(rooms)},
		func(s *Socket) { s.Join(rooms...) })
}

// SocketsLeave takes the selected sockets out of rooms.
func (b Broadcast) SocketsLeave(rooms ...string) error {
	return b.each(
		broadcast.Request{Kind: broadcast.KindLeave, Names: slices.Clone(rooms)},
		func(s *Socket) { s.Leave(rooms...) })
}

// DisconnectSockets disconnects the selected sockets as [Socket.Disconnect] does.
func (b Broadcast) DisconnectSockets(all bool) error {
	return b.each(
		broadcast.Request{Kind: broadcast.KindDisconnect, Close: all},
		func(s *Socket) { s.Disconnect(all) })
}

// each does something with each selected socket, here and on the other servers.
func (b Broadcast) each(req broadcast.Request, do func(*Socket)) error {
	var errs []error
	for _, ns := range b.namespaces() {
		b := b.about(ns)
		errs = append(errs, b.publish(func() *broadcast.Request { r := req; return &r }))
		for _, s := range ns.hub.Collect(b.selection()) {
			do(s)
		}
	}
	return errors.Join(errs...)
}
