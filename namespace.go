package sio

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

// Namespace is a part of the server with sockets, rooms and handlers of its
// own. A client may be in several over one connection.
type Namespace struct {
	name   string
	server *Server
	hub    *broadcast.Hub[*Socket]

	mu         sync.Mutex // guards changes; reads take what is published below
	connection atomic.Pointer[connectionHandler]
	middleware atomic.Pointer[[]func(*Socket) error]
	events     handlerTable

	socketsMu sync.RWMutex
	sockets   map[string]*Socket
}

type connectionHandler struct {
	fns    []func(*Socket)
	inline bool
}

func newNamespace(s *Server, name string) *Namespace {
	return &Namespace{
		name:    name,
		server:  s,
		hub:     broadcast.NewHub[*Socket](len(s.reactor.Loops())),
		sockets: make(map[string]*Socket),
	}
}

// Name returns the namespace's name, with its leading slash.
func (ns *Namespace) Name() string { return ns.name }

// OnConnection adds a handler that gets each new socket before any of its
// events. Handlers run in the order they were added in. With [Inline], all of
// the namespace's connection handlers run on the event loop.
func (ns *Namespace) OnConnection(fn func(s *Socket), opts ...HandlerOption) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	next := &connectionHandler{inline: makeHandlerOptions(opts).inline}
	if old := ns.connection.Load(); old != nil {
		next.fns = slices.Clone(old.fns)
		next.inline = next.inline || old.inline
	}
	next.fns = append(next.fns, fn)
	ns.connection.Store(next)
}

// OnEvent sets the handler of an event for every socket of the namespace. It
// costs nothing per socket. A socket's own handler (see [Socket.On]) goes
// before it. What a handler may be is said there, too, and what errors there
// are.
func (ns *Namespace) OnEvent(event string, handler any, opts ...HandlerOption) error {
	h, err := newHandler(event, handler, opts)
	if err != nil {
		ns.server.report(nil, err)
		return err
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.events.set(event, h)
	return nil
}

// Use adds a middleware: it is asked before a socket is connected, may block,
// and refuses the socket by an error, which the client gets as "connect_error".
// Middlewares run in the order they were added in.
func (ns *Namespace) Use(middleware func(s *Socket) error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	var all []func(*Socket) error
	if old := ns.middleware.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = append(all, middleware)
	ns.middleware.Store(&all)
}

// Sockets returns the connected sockets, in no order.
func (ns *Namespace) Sockets() []*Socket {
	ns.socketsMu.RLock()
	defer ns.socketsMu.RUnlock()
	all := make([]*Socket, 0, len(ns.sockets))
	for _, s := range ns.sockets {
		all = append(all, s)
	}
	return all
}

// SocketCount returns how many sockets are connected.
func (ns *Namespace) SocketCount() int {
	ns.socketsMu.RLock()
	defer ns.socketsMu.RUnlock()
	return len(ns.sockets)
}

// Socket returns the connected socket with that id, or nil.
func (ns *Namespace) Socket(id string) *Socket {
	ns.socketsMu.RLock()
	defer ns.socketsMu.RUnlock()
	return ns.sockets[id]
}

// RoomSize returns how many sockets are in a room.
func (ns *Namespace) RoomSize(room string) int { return ns.hub.Size(room) }

func (ns *Namespace) add(s *Socket) {
	ns.socketsMu.Lock()
	ns.sockets[s.id] = s
	ns.socketsMu.Unlock()
}

func (ns *Namespace) remove(s *Socket) {
	ns.socketsMu.Lock()
	if ns.sockets[s.id] == s {
		delete(ns.sockets, s.id)
	}
	ns.socketsMu.Unlock()
}

// Emit sends an event to every socket of the namespace.
func (ns *Namespace) Emit(event string, args ...any) error {
	return Broadcast{ns: ns}.Emit(event, args...)
}

// EmitRaw is Emit with arguments that are encoded already.
func (ns *Namespace) EmitRaw(event string, args RawArgs) error {
	return Broadcast{ns: ns}.EmitRaw(event, args)
}

// To starts a broadcast to the sockets in any of the rooms. A socket's id is a
// room that it alone is in.
func (ns *Namespace) To(rooms ...string) Broadcast { return Broadcast{ns: ns}.To(rooms...) }

// In is another name for To.
func (ns *Namespace) In(rooms ...string) Broadcast { return ns.To(rooms...) }

// Except starts a broadcast to the sockets that are in none of the rooms.
func (ns *Namespace) Except(rooms ...string) Broadcast { return Broadcast{ns: ns}.Except(rooms...) }
