package sio

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// HandlerOption changes how a handler is run.
type HandlerOption func(*handlerOptions)

type handlerOptions struct{ inline, once bool }

func once(o *handlerOptions) { o.once = true }

// Inline is the HandlerOption that runs the handler on the event loop that received
// the event: no switch to another goroutine, but the handler must never block and
// should be quick, since every other client of that loop waits for it. An event that
// comes while earlier ones of its socket are being handled elsewhere waits its turn
// there, and sockets with OnAny or Use have all of theirs handled there.
func Inline(o *handlerOptions) { o.inline = true }

func makeHandlerOptions(opts []HandlerOption) handlerOptions {
	var o handlerOptions
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// handler is a registered handler, ready to be called.
type handler struct {
	call   func(s *Socket, args RawArgs, ack Ack) error
	event  string
	inline bool
	once   bool // for one event only
}

// handlerTable maps events to handlers. Reading takes no lock; changes are
// guarded by its owner. There is one per socket, mostly small: a few entries
// are searched faster, and take less memory, than a map.
type handlerTable struct {
	entries atomic.Pointer[handlerEntries]
}

type handlerEntries struct {
	list  []handlerEntry
	index map[string]*handler // once there are many
}

type handlerEntry struct {
	event   string
	handler *handler
}

// indexFrom is the number of handlers from which on a table has an index.
const indexFrom = 32

func (t *handlerTable) get(event []byte) *handler {
	e := t.entries.Load()
	switch {
	case e == nil:
		return nil
	case e.index != nil:
		return e.index[string(event)]
	}
	for i := range e.list {
		if e.list[i].event == string(event) {
			return e.list[i].handler
		}
	}
	return nil
}

// set adds a handler, or takes one out if h is nil.
func (t *handlerTable) set(event string, h *handler) {
	next := new(handlerEntries)
	if old := t.entries.Load(); old != nil {
		next.list = slices.DeleteFunc(slices.Clone(old.list), func(e handlerEntry) bool { return e.event == event })
	}
	if h != nil {
		next.list = append(next.list, handlerEntry{event, h})
	}
	if len(next.list) >= indexFrom {
		next.index = make(map[string]*handler, len(next.list))
		for _, e := range next.list {
			next.index[e.event] = e.handler
		}
	}
	t.entries.Store(next)
}

var (
	socketType  = reflect.TypeFor[*Socket]()
	ackType     = reflect.TypeFor[Ack]()
	rawArgsType = reflect.TypeFor[RawArgs]()
	errorType   = reflect.TypeFor[error]()
)

// newHandler checks a handler and prepares calls to it. The forms that need no
// reflection when an event comes are taken as they are.
func newHandler(event string, fn any, opts []HandlerOption) (*handler, error) {
	if socketio.Reserved(event) {
		return nil, reservedEvent(event)
	}
	return makeHandler(event, fn, opts)
}

// newServerHandler checks the handler of an event of another server.
func newServerHandler(event string, fn any) (*handler, error) {
	if reservedServerSide(event) {
		return nil, fmt.Errorf("%w: %q", ErrReservedEvent, event)
	}
	if t := reflect.TypeOf(fn); t != nil && t.Kind() == reflect.Func && t.NumIn() > 0 && t.In(0) == socketType {
		return nil, &HandlerError{event, t, "servers' events have no socket"}
	}
	return makeHandler(event, fn, nil)
}

func makeHandler(event string, fn any, opts []HandlerOption) (*handler, error) {
	o := makeHandlerOptions(opts)
	h := &handler{event: event, inline: o.inline, once: o.once}
	switch f := fn.(type) {
	case binder:
		if f.isNil() {
			return nil, &HandlerError{event, f.function(), "it is nil"}
		}
		if t := f.function().In(1); !isArgument(t) || t == socketType || t == ackType || t == rawArgsType {
			return nil, &HandlerError{event, f.function(), fmt.Sprintf("its argument is a %v, which no JSON fits", t)}
		}
		h.call = f.bind(event)
		return h, nil
	case func(*Socket, RawArgs, Ack):
		h.call = func(s *Socket, args RawArgs, ack Ack) error { f(s, args, ack); return nil }
	case func(*Socket, RawArgs, Ack) error:
		h.call = f
	case func(*Socket, RawArgs):
		h.call = func(s *Socket, args RawArgs, _ Ack) error { f(s, args); return nil }
	case func(*Socket):
		h.call = func(s *Socket, _ RawArgs, _ Ack) error { f(s); return nil }
	case func(*Socket, string):
		h.call = func(s *Socket, args RawArgs, _ Ack) error {
			text, err := stringArgument(event, args)
			if err == nil {
				f(s, text)
			}
			return err
		}
	case func(*Socket, string, Ack):
		h.call = func(s *Socket, args RawArgs, ack Ack) error {
			text, err := stringArgument(event, args)
			if err == nil {
				f(s, text, ack)
			}
			return err
		}
	default:
		call, err := reflectHandler(event, fn)
		if err != nil {
			return nil, err
		}
		h.call = call
	}
	if reflect.ValueOf(fn).IsNil() {
		return nil, &HandlerError{event, reflect.TypeOf(fn), "it is nil"}
	}
	return h, nil
}

// binder is a handler that is not known by its type here.
type binder interface {
	isNil() bool
	function() reflect.Type
	bind(event string) func(*Socket, RawArgs, Ack) error
}

func stringArgument(event string, args RawArgs) (text string, err error) {
	err = args.decodeArgument(event, 0, &text)
	return text, err
}

// decodeArgument stores argument i of an event in what dst points to.
func (r RawArgs) decodeArgument(event string, i int, dst any) error {
	v := reflect.ValueOf(dst).Elem()
	if err := r.decode(i, v); err != nil {
		return &ArgumentError{event, i, v.Type(), err}
	}
	return nil
}

// signature is what a handler's parameters ask for.
type signature struct {
	event    string
	fn       reflect.Value
	types    []reflect.Type // of the event's arguments
	socket   bool
	variadic bool // the last of types repeats
	ack      bool
}

func reflectHandler(event string, fn any) (func(*Socket, RawArgs, Ack) error, error) {
	t := reflect.TypeOf(fn)
	if t == nil || t.Kind() != reflect.Func {
		return nil, &HandlerError{event, t, "it is no function"}
	}
	sig := &signature{event: event, fn: reflect.ValueOf(fn)}
	for i := range t.NumIn() {
		in, last := t.In(i), i == t.NumIn()-1
		switch {
		case in == socketType && i == 0:
			sig.socket = true
		case in == ackType && (last || t.IsVariadic() && i == t.NumIn()-2):
			sig.ack = true
		case in == socketType, in == ackType:
			return nil, &HandlerError{event, t, fmt.Sprintf("parameter %d is a %v: the socket comes first, the ack last or before a variadic rest", i, in)}
		case in == socketType.Elem(), in == reflect.PointerTo(socketType), in == reflect.PointerTo(ackType), in == reflect.PointerTo(rawArgsType):
			return nil, &HandlerError{event, t, fmt.Sprintf("parameter %d is a %v: write *sio.Socket, sio.Ack or sio.RawArgs", i, in)}
		case in == rawArgsType:
			return nil, &HandlerError{event, t, "RawArgs stand for all arguments: func(*sio.Socket, sio.RawArgs, sio.Ack)"}
		case t.IsVariadic() && last:
			sig.variadic = true
			sig.types = append(sig.types, in.Elem())
		case !isArgument(in):
			return nil, &HandlerError{event, t, fmt.Sprintf("parameter %d is a %v, which no JSON fits", i, in)}
		default:
			sig.types = append(sig.types, in)
		}
	}
	if t.NumOut() > 1 || t.NumOut() == 1 && t.Out(0) != errorType {
		return nil, &HandlerError{event, t, "it returns something else than an error"}
	}
	return sig.call, nil
}

// isArgument reports whether there is JSON that fits a type.
func isArgument(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(jsonUnmarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler) {
		return true
	}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Interface:
		return t.NumMethod() == 0
	}
	return true
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (sig *signature) call(s *Socket, args RawArgs, ack Ack) error {
	in := make([]reflect.Value, 0, len(sig.types)+2)
	if sig.socket {
		in = append(in, reflect.ValueOf(s))
	}
	n := len(sig.types)
	if sig.variadic {
		n = max(args.Len(), len(sig.types)-1)
	}
	for i := range n {
		if sig.ack && sig.variadic && i == len(sig.types)-1 {
			in = append(in, reflect.ValueOf(ack))
		}
		t := sig.types[min(i, len(sig.types)-1)]
		v := reflect.New(t).Elem()
		if err := args.decode(i, v); err != nil {
			return &ArgumentError{sig.event, i, t, err}
		}
		in = append(in, v)
	}
	if sig.ack && len(in) < sig.fn.Type().NumIn() && (!sig.variadic || n < len(sig.types)) {
		in = append(in, reflect.ValueOf(ack))
	}
	if out := sig.fn.Call(in); len(out) == 1 && !out[0].IsNil() {
		return out[0].Interface().(error)
	}
	return nil
}

// instead names what a program should use for what is no event here.
var instead = map[string]string{
	"connect":       "Namespace.OnConnection",
	"connection":    "Namespace.OnConnection",
	"disconnect":    "Socket.OnDisconnect",
	"disconnecting": "Socket.OnDisconnecting",
	"new_namespace": "Server.OnNewNamespace",
}

func reservedEvent(event string) error {
	if use, ok := instead[event]; ok {
		return fmt.Errorf("%w: %q; use %s", ErrReservedEvent, event, use)
	}
	return fmt.Errorf("%w: %q", ErrReservedEvent, event)
}

// warnOfName warns of an event that clients may send, but that is hardly meant.
func (s *Server) warnOfName(event string) {
	if use, ok := instead[event]; ok {
		s.opts.Logger.Warn("sio: a handler that only an event of a client calls", "event", event, "perhaps meant", use)
	}
}
