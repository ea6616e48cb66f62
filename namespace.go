package sio

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

// Namespace is a part of the server with sockets, rooms and handlers of its
// own. A client may be in several over one connection.
//
// All that [Broadcast] offers acts on all sockets of the namespace: ns.Emit,
// ns.To("room").Emit, ns.FetchSockets and so on.
type Namespace struct {
	Broadcast
	registry

	name   string
	alone  [1]*Namespace // itself
	hub    *broadcast.Hub[*Socket]
	parent *ParentNamespace // nil unless it is a child
	users  atomic.Int64     // clients that are in it or about to be, of a child
	ready  chan struct{}    // closed once clients may connect

	log          *recoveryLog  // nil: connections are not recovered
	attached     chan struct{} // closed once adapter is set
	adapter      atomic.Pointer[attachment]
	serverEvents handlerTable
	serverJobs   jobQueue
	roomEvents   roomWatch
	ackIDs       atomic.Uint64
	observers    atomic.Int32 // sockets with OnAnyOutgoing

	socketsMu sync.RWMutex
	sockets   map[string]*Socket
}

func newNamespace(s *Server, name string) *Namespace {
	ns := &Namespace{
		name:     name,
		hub:      broadcast.NewHub[*Socket](len(s.reactor.Loops())),
		ready:    make(chan struct{}),
		attached: make(chan struct{}),
		sockets:  make(map[string]*Socket),
	}
	ns.server = s
	ns.Broadcast = Broadcast{ns: ns}
	ns.alone[0] = ns
	if r := s.opts.ConnectionStateRecovery; r != nil {
		ns.log = newRecoveryLog(*r, s.reactor.Loops()[0])
	}
	ns.serverJobs.running = &s.handlers
	ns.roomEvents.jobs.running = &s.handlers
	return ns
}

// open lets clients in, after the program was told of the namespace.
func (ns *Namespace) open() {
	ns.attach()
	if ns.name != "/" {
		ns.server.announce(ns)
	}
	close(ns.ready)
}

func (ns *Namespace) isOpen() bool {
	select {
	case <-ns.ready:
		return true
	default:
		return false
	}
}

// Of returns the namespace of that name, and makes it if there is none. The
// leading slash may be left out. A new namespace whose name matches the pattern
// of a parent (see [Server.OfPattern]) is a child of it.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	s.mu.Lock()
	ns := s.namespaces[name]
	if ns != nil {
		s.mu.Unlock()
		return ns
	}
	var parent *ParentNamespace
	for _, p := range s.parents {
		if p.pattern != nil && p.pattern.MatchString(name) {
			parent = p
			break
		}
	}
	ns = s.addNamespace(name, parent)
	s.mu.Unlock()
	ns.open()
	return ns
}

// addNamespace makes a namespace, which is a parent's child if that is not nil. With
// the lock held; without it, the namespace is to be opened.
func (s *Server) addNamespace(name string, parent *ParentNamespace) *Namespace {
	ns := newNamespace(s, name)
	if parent != nil {
		parent.adopt(ns)
	}
	s.namespaces[name] = ns
	return ns
}

// OnNewNamespace adds a function that is told of each namespace that is made
// from now on, before any client connects to it; those of [Server.OfPattern]
// and [Server.OfFunc] are made when a client asks for them. It must not block.
func (s *Server) OnNewNamespace(fn func(ns *Namespace)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onNamespace = append(slices.Clip(s.onNamespace), fn)
}

func (s *Server) announce(ns *Namespace) {
	s.mu.RLock()
	fns := s.onNamespace
	s.mu.RUnlock()
	for _, fn := range fns {
		s.protect("OnNewNamespace", func() { fn(ns) })
	}
}

// Name returns the namespace's name, with its leading slash.
func (ns *Namespace) Name() string { return ns.name }

// SocketCount returns how many sockets are connected to this server.
func (ns *Namespace) SocketCount() int {
	ns.socketsMu.RLock()
	defer ns.socketsMu.RUnlock()
	return len(ns.sockets)
}

// Socket returns this server's connected socket with that id, or nil.
func (ns *Namespace) Socket(id string) *Socket {
	ns.socketsMu.RLock()
	defer ns.socketsMu.RUnlock()
	return ns.sockets[id]
}

// RoomSize returns how many of this server's sockets are in a room.
func (ns *Namespace) RoomSize(room string) int { return ns.hub.Size(room) }

// Rooms returns the rooms that this server's sockets are in, in no order. Every
// socket's id is one of them.
func (ns *Namespace) Rooms() []string { return ns.hub.RoomNames() }

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
