package sio

import "reflect"

// Event is an event whose name and argument are declared once, so that the
// compiler checks both sides of it:
//
//	var Chat = sio.NewEvent[ChatMessage]("chat")
//
//	Chat.On(s, func(s *sio.Socket, m ChatMessage, ack sio.Ack) error {
//		return Chat.Emit(s.To(m.Room), m)
//	})
//
// The argument is the event's first one. Handlers are called without reflection.
type Event[T any] struct{ name string }

// NewEvent declares an event.
func NewEvent[T any](name string) Event[T] { return Event[T]{name} }

// Name returns the event's name.
func (e Event[T]) Name() string { return e.name }

// On sets the event's handler, for a socket as [Socket.On] does, or for all
// sockets of a namespace as [Namespace.OnEvent] does.
func (e Event[T]) On(to Registrar, fn func(s *Socket, arg T, ack Ack) error, opts ...HandlerOption) error {
	return to.register(e.name, typedHandler[T](fn), opts)
}

// Emit sends the event to a socket or to those that a broadcast selects.
func (e Event[T]) Emit(to EventEmitter, arg T) error {
	return to.Emit(e.name, arg)
}

// Registrar is what events can be registered with: a *Socket, *Namespace,
// *ParentNamespace or *Server.
type Registrar interface {
	register(event string, handler any, opts []HandlerOption) error
}

// EventEmitter is what events can be sent by: a *Socket, an Emitter, a Broadcast,
// and all that offers its methods.
type EventEmitter interface {
	Emit(event string, args ...any) error
}

func (s *Socket) register(event string, handler any, opts []HandlerOption) error {
	return s.On(event, handler, opts...)
}

func (g *registry) register(event string, handler any, opts []HandlerOption) error {
	return g.OnEvent(event, handler, opts...)
}

// typedHandler is a handler that needs no reflection to be called.
type typedHandler[T any] func(s *Socket, arg T, ack Ack) error

func (h typedHandler[T]) isNil() bool { return h == nil }

func (h typedHandler[T]) function() reflect.Type {
	return reflect.TypeFor[func(*Socket, T, Ack) error]()
}

func (h typedHandler[T]) bind(event string) func(*Socket, RawArgs, Ack) error {
	return func(s *Socket, args RawArgs, ack Ack) error {
		var arg T
		if err := args.decodeArgument(event, 0, &arg); err != nil {
			return err
		}
		return h(s, arg, ack)
	}
}

// DataOf returns what [Socket.SetData] attached, if it is a T; else a zero T.
func DataOf[T any](s *Socket) T {
	v, _ := s.Data().(T)
	return v
}
