package sio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// registry is what a program has registered for the sockets of a namespace. What
// is published by its pointers is never changed, so that reading takes no lock
// and a copy is a few pointers.
type registry struct {
	server *Server

	mu         sync.Mutex // guards changes
	connection atomic.Pointer[connectionHandler]
	middleware atomic.Pointer[[]func(*Socket) error]
	events     handlerTable
}

type connectionHandler struct {
	fns    []func(*Socket)
	inline bool
}

// inherit takes over what was registered with r so far.
func (g *registry) inherit(from *registry) {
	from.mu.Lock()
	defer from.mu.Unlock()
	g.connection.Store(from.connection.Load())
	g.middleware.Store(from.middleware.Load())
	g.events.entries.Store(from.events.entries.Load())
}

// OnConnection adds a handler that gets each new socket before any of its
// events. Handlers run in the order they were added in. With [Inline], all of
// the namespace's connection handlers run on the event loop.
func (g *registry) OnConnection(fn func(s *Socket), opts ...HandlerOption) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := &connectionHandler{inline: makeHandlerOptions(opts).inline}
	if old := g.connection.Load(); old != nil {
		next.fns = slices.Clone(old.fns)
		next.inline = next.inline || old.inline
	}
	next.fns = append(next.fns, fn)
	g.connection.Store(next)
}

// OnEvent sets the handler of an event for every socket of the namespace. It
// costs nothing per socket. A socket's own handler (see [Socket.On]) goes
// before it. What a handler may be is said there, too, and what errors there
// are.
func (g *registry) OnEvent(event string, handler any, opts ...HandlerOption) error {
	h, err := newHandler(event, handler, opts)
	if err != nil {
		g.server.report(nil, err)
		return err
	}
	g.server.warnOfName(event)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events.set(event, h)
	return nil
}

// Use adds a middleware: it is asked before a socket is connected, may block,
// and refuses the socket by an error, which the client gets as "connect_error",
// with the error's text, or what a [*ConnectError] says. A client that was refused
// does not try again by itself. Middlewares run in the order they were added in.
//
//	io.Use(func(s *sio.Socket) error {
//		var auth struct{ Token string }
//		if err := s.Handshake().DecodeAuth(&auth); err != nil {
//			return err
//		}
//		user, err := userOf(auth.Token)
//		if err != nil {
//			return &sio.ConnectError{Message: "please log in"}
//		}
//		s.SetData(user)
//		return nil
//	})
func (g *registry) Use(middleware func(s *Socket) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []func(*Socket) error
	if old := g.middleware.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = append(all, middleware)
	g.middleware.Store(&all)
}
