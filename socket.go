package sio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/internal/ids"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Socket is one client in one namespace. All methods may be called from any
// goroutine.
type Socket struct {
	id     string
	ns     *Namespace
	client *client
	auth   json.RawMessage
	member broadcast.Member[*Socket]
	state  atomic.Int32
	events eventQueue
	own    handlerTable // handlers of this socket only

	taps     atomic.Pointer[taps]
	recovery *recoverable // nil if connections are not recovered

	mu    sync.Mutex
	data  any
	life  lifetime
	early []string // rooms joined by middlewares
	acks  map[uint64]awaiting
}

// States of a socket.
const (
	socketPending int32 = iota // its middlewares are being asked
	socketConnected
	socketOver      // events that came before are still handled
	socketDismissed // by the server: they are not
)

func newSocket(c *client, ns *Namespace, auth []byte) *Socket {
	s := &Socket{ns: ns, client: c, auth: auth}
	if c.legacy() {
		s.id = legacyID(c.session, ns)
	} else {
		s.id = ids.New()
	}
	s.events.socket = s
	return s
}

// ID returns the socket's id. It is not the Engine.IO session's, which is
// secret, except for clients of Socket.IO 1 and 2, which make it of that.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Connected reports whether the socket is connected: middlewares have let it
// in, and it has not been disconnected.
func (s *Socket) Connected() bool { return s.state.Load() == socketConnected }

// Transport returns the transport in use, "polling" or "websocket".
func (s *Socket) Transport() string { return s.client.session.Transport() }

// SetData attaches a value of the program's to the socket. [Broadcast.FetchSockets]
// encodes it as JSON, at any time and on any server: where that is used, give it a
// new value instead of changing the old one.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	s.data = v
	s.mu.Unlock()
}

// Data returns what SetData attached, or nil.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// On sets the handler of an event; it takes the place of an earlier one. The
// handler is a function of any subset of: the *Socket, arguments of any types
// that JSON can be decoded into (a []byte, wherever it stands, takes binary
// data; missing arguments are zero values; a variadic last one takes the rest),
// and an [Ack]. It may return an error, which goes to [Options.OnError]; the client
// is told nothing. A panic does that, too, and disconnects the socket.
//
// func(*Socket, RawArgs, Ack) gets the arguments as they came; that and the
// other forms with a string at most are called without reflection.
//
// A function of another shape is refused with a [*HandlerError], and an event
// that the protocol reserves with [ErrReservedEvent]; OnError is told, too.
func (s *Socket) On(event string, handler any, opts ...HandlerOption) error {
	h, err := newHandler(event, handler, opts)
	if err != nil {
		s.ns.server.report(s, err)
		return err
	}
	s.ns.server.warnOfName(event)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.set(event, h)
	return nil
}

// Once is On for one event: the handler is removed before it is called.
func (s *Socket) Once(event string, handler any, opts ...HandlerOption) error {
	return s.On(event, handler, append(slices.Clip(opts), once)...)
}

// Off removes the socket's own handlers of events, or all if none are named.
func (s *Socket) Off(events ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(events) == 0 {
		s.own.entries.Store(nil)
		return
	}
	for _, event := range events {
		s.own.set(event, nil)
	}
}

// spend removes the handler of an event that is for one event only; false if it
// is gone already.
func (s *Socket) spend(event []byte, h *handler) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own.get(event) != h {
		return false
	}
	s.own.set(string(event), nil)
	return true
}

// Join puts the socket into rooms. The ids of sockets are rooms, too: a program
// whose clients name rooms should put a prefix before the names. In a middleware, it takes effect for others
// when the socket is connected; once the socket is disconnected, it has none.
func (s *Socket) Join(rooms ...string) {
	if s.beforehand(func() {
		for _, room := range rooms {
			if !slices.Contains(s.early, room) {
				s.early = append(s.early, room)
			}
		}
	}) {
		return
	}
	s.ns.hub.Join(&s.member, rooms...)
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) {
	if s.beforehand(func() {
		s.early = slices.DeleteFunc(s.early, func(room string) bool { return slices.Contains(rooms, room) })
	}) {
		return
	}
	s.ns.hub.Leave(&s.member, rooms...)
}

// InRoom reports whether the socket is in a room.
func (s *Socket) InRoom(room string) (in bool) {
	if s.beforehand(func() { in = slices.Contains(s.early, room) }) {
		return in
	}
	return s.ns.hub.In(&s.member, room)
}

// beforehand does something with the rooms of a socket that is not connected yet,
// and reports whether it is one.
func (s *Socket) beforehand(do func()) bool {
	if s.state.Load() != socketPending {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != socketPending {
		return false
	}
	do()
	return true
}

// Broadcast starts a broadcast to everyone in the namespace but this socket.
func (s *Socket) Broadcast() Broadcast { return Broadcast{ns: s.ns, skip: s} }

// To starts a broadcast to the sockets in any of the rooms, but not this one.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is another name for To.
func (s *Socket) In(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// Local starts a broadcast to this server's sockets, but not this one.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }

// Except starts a broadcast to the sockets that are in none of the rooms, but
// not this one.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Emit sends an event. It returns an error if the event can't be encoded or the
// socket is not connected; that it returns none does not mean that the client
// got it: for that there are acknowledgements.
func (s *Socket) Emit(event string, args ...any) error {
	if s.recovery != nil {
		return Emitter{socket: s}.Emit(event, args...)
	}
	p, err := s.encodeEvent(event, args, 0, false)
	if err != nil {
		return err
	}
	return s.sendPacket(false, p)
}

// Send emits "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// EmitRaw is Emit with arguments that are encoded already.
func (s *Socket) EmitRaw(event string, args RawArgs) error {
	if s.recovery != nil {
		return Emitter{socket: s}.EmitRaw(event, args)
	}
	p, err := s.encodeRawEvent(event, args)
	if err != nil {
		return err
	}
	return s.sendPacket(false, p)
}

// EmitWithAck emits an event and waits for the client's answer, until ctx ends
// or the socket is disconnected ([ErrDisconnected]). It blocks, so it must not
// be called from an [Inline] handler.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Reply, error) {
	return Emitter{socket: s}.EmitWithAck(ctx, event, args...)
}

// EmitAck emits an event and calls done once, on a goroutine of its own: with the
// client's answer or with [ErrDisconnected]; see [Socket.Timeout] for a limit of
// time. If EmitAck itself returns an error, done is not called.
func (s *Socket) EmitAck(done func(Reply, error), event string, args ...any) error {
	return Emitter{socket: s}.EmitAck(done, event, args...)
}

// encodeEvent encodes an event for this socket, and shows it to OnAnyOutgoing.
func (s *Socket) encodeEvent(event string, args []any, id uint64, hasID bool) (packet, error) {
	if s.taps.Load() == nil {
		return encodeEvent(s.ns, event, args, id, hasID)
	}
	raw, err := s.ns.server.coding.makeRaw(args)
	if err != nil {
		return packet{}, err
	}
	p, err := encodeRawEvent(s.ns, event, raw, id, hasID)
	if err == nil {
		s.observe(event, raw)
	}
	return p, err
}

func (s *Socket) encodeRawEvent(event string, args RawArgs) (packet, error) {
	p, err := encodeRawEvent(s.ns, event, args, 0, false)
	if err == nil && s.taps.Load() != nil {
		s.observe(event, args)
	}
	return p, err
}

// sendPacket hands a packet to the session. A socket whose middlewares are still
// being asked may send, too.
func (s *Socket) sendPacket(volatile bool, p packet) error {
	if s.state.Load() >= socketOver {
		p.release()
		return ErrDisconnected
	}
	if err := s.client.session.Send(volatile, p.first, p.rest...); err != nil {
		return ErrDisconnected
	}
	return nil
}

// Disconnect takes the socket out of its namespace, with
// [ReasonServerDisconnect]. With all, the client's other sockets go, too, and
// its connection is closed; in a middleware, that is all that it can do. What was
// emitted before still arrives. It does nothing to a socket that is disconnected
// already.
func (s *Socket) Disconnect(all bool) {
	s.client.session.Post(&disconnectTask{s, all})
}

type disconnectTask struct {
	socket *Socket
	all    bool
}

// Run is called on the loop that owns the session.
func (t *disconnectTask) Run(l *loop.Loop) {
	c := t.socket.client
	if !c.session.Owned(l, t) {
		return
	}
	switch {
	case t.socket.state.Load() >= socketOver:
		return
	case !t.all:
		t.socket.dismiss()
		return
	}
	for _, s := range append([]*Socket(nil), c.sockets...) {
		s.dismiss()
	}
	c.session.Close()
}

// dismiss sends the client away.
func (s *Socket) dismiss() {
	if !s.Connected() {
		return
	}
	s.client.sendPayload(s.ns.server.coding.encodePayload(socketio.Disconnect, s.ns.name, nil))
	s.end(ReasonServerDisconnect)
}

// end is the one place where a socket ends, on the loop that owns its session.
func (s *Socket) end(reason Reason) {
	next := socketOver
	switch reason {
	case ReasonServerDisconnect, ReasonForcedClose, ReasonParseError:
		next = socketDismissed
	}
	s.client.forget(s)
	was := s.state.Load()
	if was >= socketOver {
		return
	}
	var rooms []string
	// All that others look at together with the state changes together with it.
	s.mu.Lock()
	s.life.reason = reason
	s.life.over = was != socketConnected // none of its functions will be called
	if was == socketConnected {
		rooms = s.ns.hub.Rooms(&s.member)
		s.life.rooms, s.life.saved = rooms, s.mayComeBack(reason)
	}
	s.state.Store(next)
	s.early = nil
	acks := s.acks
	s.acks = nil
	if s.life.cancel != nil {
		s.life.cancel(&DisconnectError{reason})
	}
	if t := s.taps.Load(); t != nil && len(t.outgoing) > 0 {
		s.ns.observers.Add(-1)
	}
	saved := s.life.saved
	s.mu.Unlock()
	s.ns.hub.Remove(&s.member)
	s.ns.remove(s)
	if s.recovery != nil {
		s.ns.log.end(s, rooms, saved)
	}
	for _, w := range acks {
		w.settle(RawArgs{}, ErrDisconnected)
	}
	if was == socketConnected {
		s.events.closeWith(reason)
	}
	s.ns.leave()
}
