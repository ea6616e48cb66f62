package sio

import (
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
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

	mu           sync.Mutex
	data         any
	reason       Reason
	onDisconnect []func(*Socket, Reason)
	early        []string // rooms joined by middlewares
	acks         ackTable
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

// SetData attaches a value of the program's to the socket.
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
// and an [Ack]. It may return an error, which goes to [Options.OnError].
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.set(event, h)
	return nil
}

// Off removes the socket's own handler of an event.
func (s *Socket) Off(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.set(event, nil)
}

// OnDisconnect adds a function that is called once after the socket was
// disconnected, as the last of its handlers. Events that came before the client
// left or was lost are handled first; those of a client that was sent away
// ([Socket.Disconnect], or a breach of the protocol) and still waited are not.
// If the socket is disconnected already, fn is called at once.
func (s *Socket) OnDisconnect(fn func(s *Socket, reason Reason)) {
	s.mu.Lock()
	over := s.state.Load() >= socketOver
	reason := s.reason
	if !over {
		s.onDisconnect = append(s.onDisconnect, fn)
	}
	s.mu.Unlock()
	if over {
		fn(s, reason)
	}
}

// Join puts the socket into rooms. In a middleware, it takes effect when the
// socket is connected; once the socket is disconnected, it has none.
func (s *Socket) Join(rooms ...string) {
	if s.state.Load() == socketPending {
		s.mu.Lock()
		if s.state.Load() == socketPending {
			s.early = append(s.early, rooms...)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
	s.ns.hub.Join(&s.member, rooms...)
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) { s.ns.hub.Leave(&s.member, rooms...) }

// Rooms returns the rooms that the socket is in, its id first.
func (s *Socket) Rooms() []string { return s.ns.hub.Rooms(&s.member) }

// InRoom reports whether the socket is in a room.
func (s *Socket) InRoom(room string) bool { return s.ns.hub.In(&s.member, room) }

// Broadcast starts a broadcast to everyone in the namespace but this socket.
func (s *Socket) Broadcast() Broadcast { return Broadcast{ns: s.ns, skip: s} }

// To starts a broadcast to the sockets in any of the rooms, but not this one.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is another name for To.
func (s *Socket) In(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// Except starts a broadcast to the sockets that are in none of the rooms, but
// not this one.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Emit sends an event. It returns an error if the event can't be encoded or the
// socket is not connected; that it returns none does not mean that the client
// got it: for that there are acknowledgements.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := encodeEvent(s.ns.name, event, args, 0, false)
	if err != nil {
		return err
	}
	return s.send(p)
}

// Send emits "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// EmitRaw is Emit with arguments that are encoded already.
func (s *Socket) EmitRaw(event string, args RawArgs) error {
	p, err := encodeRawEvent(s.ns.name, event, args, 0, false)
	if err != nil {
		return err
	}
	return s.send(p)
}

// send hands a packet to the session. A socket whose middlewares are still
// being asked may send, too.
func (s *Socket) send(p packet) error {
	if s.state.Load() >= socketOver {
		p.release()
		return ErrDisconnected
	}
	if err := s.client.session.Send(false, p.first, p.rest...); err != nil {
		return ErrDisconnected
	}
	return nil
}

// Disconnect takes the socket out of its namespace, with
// [ReasonServerDisconnect]. With all, the client's other sockets go, too, and
// its connection is closed. What was emitted before still arrives.
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
	if !t.all {
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
	b := engine.Begin(false)
	b.B = socketio.AppendDisconnect(b.B, s.ns.name)
	_ = s.client.session.Send(false, engine.Seal(b, false)) // a closed session needs none
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
	s.mu.Lock()
	s.reason = reason // whoever sees that it is over sees why
	s.state.Store(next)
	s.mu.Unlock()
	s.ns.hub.Remove(&s.member)
	s.ns.remove(s)
	s.mu.Lock()
	acks := s.acks.takeAll()
	s.mu.Unlock()
	for _, a := range acks {
		a.finish(RawArgs{}, ErrDisconnected)
	}
	if was == socketConnected {
		s.events.closeWith(reason)
	}
}

// notifyDisconnect calls the disconnect functions, behind all events.
func (s *Socket) notifyDisconnect(reason Reason) {
	s.mu.Lock()
	fns := s.onDisconnect
	s.onDisconnect = nil
	s.mu.Unlock()
	for _, fn := range fns {
		s.protect(func() error { fn(s, reason); return nil })
	}
}
