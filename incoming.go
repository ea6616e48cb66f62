package sio

import "slices"

// Incoming is an event from a client on its way to its handler.
type Incoming struct {
	Event string
	Args  RawArgs
	Ack   Ack // Wanted, if the client asked for an acknowledgement
}

// taps are what a socket has registered beside handlers of single events. They
// are never changed, but replaced, so that reading takes no lock.
type taps struct {
	any        []*tap[func(*Socket, *Incoming)]
	middleware []*tap[func(*Socket, *Incoming) error]
	outgoing   []*tap[func(s *Socket, event string, args RawArgs)]
}

// tap is a function with an identity, so that it can be taken off again.
type tap[F any] struct{ fn F }

// changeTaps replaces the socket's taps by a changed copy.
func (s *Socket) changeTaps(change func(t *taps)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := new(taps)
	if old := s.taps.Load(); old != nil {
		*next = *old
	}
	before := len(next.outgoing)
	change(next)
	if s.state.Load() < socketOver {
		s.ns.observers.Add(int32(min(len(next.outgoing), 1) - min(before, 1)))
	}
	if len(next.any)+len(next.middleware)+len(next.outgoing) == 0 {
		next = nil
	}
	s.taps.Store(next)
}

func addTap[F any](list []*tap[F], t *tap[F]) []*tap[F] { return append(slices.Clip(list), t) }

func removeTap[F any](list []*tap[F], t *tap[F]) []*tap[F] {
	return slices.DeleteFunc(slices.Clone(list), func(o *tap[F]) bool { return o == t })
}

// OnAny adds a function that sees each event of the client before its
// middlewares and its handler, also those that have none. It runs where they do.
// Calling remove takes it off again.
func (s *Socket) OnAny(fn func(s *Socket, e *Incoming)) (remove func()) {
	t := &tap[func(*Socket, *Incoming)]{fn}
	s.changeTaps(func(all *taps) { all.any = addTap(all.any, t) })
	return func() { s.changeTaps(func(all *taps) { all.any = removeTap(all.any, t) }) }
}

// Use adds a middleware for the client's events: it runs before the event's
// handler, in the order of its adding, may change the event, and drops it by an error, which goes to [Options.OnError]; the client is told
// nothing, unless it is by e.Ack. A middleware may block, which holds up this
// socket's events and no others. [Namespace.Use] is for connections.
func (s *Socket) Use(middleware func(s *Socket, e *Incoming) error) {
	t := &tap[func(*Socket, *Incoming) error]{middleware}
	s.changeTaps(func(all *taps) { all.middleware = addTap(all.middleware, t) })
}

// OnAnyOutgoing adds a function that sees each event that is sent to the client,
// by the socket or by a broadcast that selects it, even if it is volatile and
// dropped in the end; acknowledgements are not seen. args are valid until fn
// returns. fn must not block: it runs where Emit was called, or on an event loop.
// Calling remove takes it off again.
func (s *Socket) OnAnyOutgoing(fn func(s *Socket, event string, args RawArgs)) (remove func()) {
	t := &tap[func(*Socket, string, RawArgs)]{fn}
	s.changeTaps(func(all *taps) { all.outgoing = addTap(all.outgoing, t) })
	return func() { s.changeTaps(func(all *taps) { all.outgoing = removeTap(all.outgoing, t) }) }
}

// filter shows an event to what is to see it before its handler; false drops it.
// A panic on the way is one of the handler.
func (t *taps) filter(s *Socket, e *Incoming) bool {
	for _, a := range t.any {
		a.fn(s, e)
	}
	for _, m := range t.middleware {
		if err := m.fn(s, e); err != nil {
			s.ns.server.report(s, err)
			return false
		}
	}
	return true
}

// filters reports whether anything is to see an event before its handler.
func (s *Socket) filters() bool {
	t := s.taps.Load()
	return t != nil && len(t.any)+len(t.middleware) > 0
}

// observe shows an event on its way out.
func (s *Socket) observe(event string, args RawArgs) {
	t := s.taps.Load()
	if t == nil {
		return
	}
	for _, o := range t.outgoing {
		s.protect("OnAnyOutgoing", func() error { o.fn(s, event, args); return nil })
	}
}
