package sio

import (
	"context"
	"errors"
	"slices"
)

// DisconnectError says why a socket is no longer connected. It is an
// [ErrDisconnected].
type DisconnectError struct{ Reason Reason }

func (e *DisconnectError) Error() string { return ErrDisconnected.Error() + ": " + string(e.Reason) }

// Is reports that e is an ErrDisconnected.
func (e *DisconnectError) Is(target error) bool { return errors.Is(ErrDisconnected, target) }

// lifetime is what a socket has for its end. It is guarded by the socket's mu.
type lifetime struct {
	reason       Reason
	ctx          context.Context //nolint:containedctx // it is the socket's own
	cancel       context.CancelCauseFunc
	onDisconnect []func(*Socket, Reason)
	onLeaving    []func(*Socket, Reason)
	rooms        []string // as they were, until the functions of OnDisconnecting have run
	over         bool     // all functions have been called
	saved        bool     // its client may come back
}

// Context returns a context that ends with the socket; its cause is a
// [*DisconnectError] then.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.ctx == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		s.life.ctx, s.life.cancel = ctx, cancel //nolint:fatcontext // once
		if s.state.Load() >= socketOver {
			s.life.cancel(&DisconnectError{s.life.reason})
		}
	}
	return s.life.ctx
}

// OnDisconnecting adds a function that is called once when the socket is being
// disconnected, before those of OnDisconnect: [Socket.Rooms] still has the rooms
// that it was in, while nobody else counts it any more. It gets no more broadcasts,
// and nothing can be sent to it.
func (s *Socket) OnDisconnecting(fn func(s *Socket, reason Reason)) {
	s.mu.Lock()
	over := s.state.Load() >= socketOver && s.life.rooms == nil
	reason := s.life.reason
	if !over {
		s.life.onLeaving = append(s.life.onLeaving, fn)
	}
	s.mu.Unlock()
	if over {
		fn(s, reason)
	}
}

// OnDisconnect adds a function that is called once after the socket was
// disconnected, as the last of its handlers. Events that came before the client
// left or was lost are handled first; those of a client that was sent away
// ([Socket.Disconnect], or a breach of the protocol) and still waited are not.
// If the socket is disconnected already, fn is called at once.
func (s *Socket) OnDisconnect(fn func(s *Socket, reason Reason)) {
	s.mu.Lock()
	over := s.state.Load() >= socketOver && s.life.over
	reason := s.life.reason
	if !over {
		s.life.onDisconnect = append(s.life.onDisconnect, fn)
	}
	s.mu.Unlock()
	if over {
		fn(s, reason)
	}
}

// notifyDisconnect calls the functions for the socket's end, behind all events.
func (s *Socket) notifyDisconnect(reason Reason) {
	for fns := s.nextDisconnect(); fns != nil; fns = s.nextDisconnect() {
		for _, fn := range fns {
			s.protect("OnDisconnecting or OnDisconnect", func() error { fn(s, reason); return nil })
		}
	}
	if s.recovery != nil {
		s.ns.log.detach(s)
	}
}

// nextDisconnect takes the functions that are to be called next: first those of
// OnDisconnecting, until there are none left, then the others; nil at the end.
func (s *Socket) nextDisconnect() (fns []func(*Socket, Reason)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	life := &s.life
	if fns, life.onLeaving = life.onLeaving, nil; fns != nil {
		return fns
	}
	life.rooms = nil
	if fns, life.onDisconnect = life.onDisconnect, nil; fns == nil {
		life.over = true
	}
	return fns
}

// Rooms returns the rooms that the socket is in, its id first; in a middleware, the
// rooms that it will be in.
func (s *Socket) Rooms() []string {
	s.mu.Lock()
	were := s.life.rooms
	if s.state.Load() == socketPending {
		were = append([]string{}, s.early...)
	}
	s.mu.Unlock()
	if were != nil {
		return slices.Clone(were)
	}
	return s.ns.hub.Rooms(&s.member)
}
