package sio_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

type message struct {
	Text string `json:"text"`
	Data []byte `json:"data,omitempty"`
}

// An event that is declared once is registered and sent everywhere with its type.
func TestTypedEvents(t *testing.T) {
	chat := sio.NewEvent[message]("chat")
	if chat.Name() != "chat" {
		t.Errorf("name %q", chat.Name())
	}
	f := serve(t)
	p := f.OfPattern(numbered)
	for name, to := range map[string]sio.Registrar{"server": f, "namespace": f.Of("/x"), "parent": p} {
		if err := chat.On(to, func(_ *sio.Socket, m message, ack sio.Ack) error {
			return ack.Send(name, m)
		}); err != nil {
			t.Fatal(err)
		}
	}
	c, s := f.connect(t)
	for ns, name := range map[string]string{"/": "server", "/x": "namespace", "/dyn-1": "parent"} {
		prefix := ns + ","
		if ns == "/" {
			prefix = ""
		} else {
			c.Join(ns, "")
		}
		c.Send(fmt.Sprintf(`42%s1["chat",{"text":"hi"},"more"]`, prefix))
		c.Want(fmt.Sprintf(`43%s1[%q,{"text":"hi"}]`, prefix, name))
	}
	if err := chat.On(s, func(_ *sio.Socket, m message, ack sio.Ack) error { return ack.Send(len(m.Data)) }, sio.Inline); err != nil {
		t.Fatal(err)
	}
	c.Send(holes(`451-2["chat",{"text":"x","data":#}]`))
	c.SendBinary([]byte("abc"))
	c.Want("432[3]")
	c.Send(`423["chat"]`) // no argument: a zero value
	c.Want("433[0]")
	c.Send(`424["chat",7]`)
	ae, _ := errors.AsType[*sio.ArgumentError](f.takeError(t, asError[*sio.ArgumentError]))
	if ae.Event != "chat" || ae.Index != 0 || ae.Type.Name() != "message" {
		t.Errorf("error %v", ae)
	}
	for name, to := range map[string]sio.EventEmitter{
		"a server": f, "a namespace": f.Of("/"), "a socket": s, "an emitter": s.Compress(false), "a broadcast": f.To(s.ID()),
		"the namespace of a socket": s.Namespace(),
	} {
		if err := chat.Emit(to, message{Text: name}); err != nil {
			t.Error(err)
		}
		c.Want(fmt.Sprintf(`42["chat",{"text":%q}]`, name))
	}
	if err := chat.Emit(p, message{Text: "child"}); err != nil {
		t.Error(err)
	}
	c.Want(`42/dyn-1,["chat",{"text":"child"}]`)
	if err := sio.NewEvent[int]("disconnect").Emit(s, 1); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
	if err := sio.NewEvent[func()]("e").Emit(s, func() {}); err == nil {
		t.Error("a function was sent")
	}
}

// Events of all kinds of types.
func TestTypesOfEvents(t *testing.T) {
	f := serve(t)
	reply := func(v any, ack sio.Ack) error { return ack.Send(fmt.Sprintf("%v", v)) }
	err := errors.Join(
		sio.NewEvent[string]("string").On(f, func(_ *sio.Socket, v string, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[int]("int").On(f, func(_ *sio.Socket, v int, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[*int]("pointer").On(f, func(_ *sio.Socket, v *int, ack sio.Ack) error { return reply(v == nil, ack) }),
		sio.NewEvent[[]string]("list").On(f, func(_ *sio.Socket, v []string, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[map[string]int]("map").On(f, func(_ *sio.Socket, v map[string]int, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[any]("any").On(f, func(_ *sio.Socket, v any, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[struct{}]("none").On(f, func(_ *sio.Socket, v struct{}, ack sio.Ack) error { return reply(v, ack) }),
		sio.NewEvent[[]byte]("bytes").On(f, func(_ *sio.Socket, v []byte, ack sio.Ack) error { return reply(string(v), ack) }),
		sio.NewEvent[time.Time]("time").On(f, func(_ *sio.Socket, v time.Time, ack sio.Ack) error { return reply(v.Year(), ack) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := f.connect(t)
	for _, tc := range []struct{ send, want string }{
		{`"string","x"`, "x"},
		{`"int",7`, "7"},
		{`"pointer",null`, "true"},
		{`"list",["a","b"]`, "[a b]"},
		{`"map",{"k":1}`, "map[k:1]"},
		{`"any",{"k":[1]}`, "map[k:[1]]"},
		{`"none"`, "{}"},
		{`"bytes","YWJj"`, "abc"},
		{`"time","2026-01-02T03:04:05Z"`, "2026"},
	} {
		c.Send("421[" + tc.send + "]")
		c.Want("431[" + quote(t, tc.want) + "]")
	}
}

// A handler that can never be called is refused when it is registered: the error names
// the event, the type, what is wrong and what is allowed.
func TestTypedHandlersThatAreRefused(t *testing.T) {
	f := serve(t)
	_, s := f.connect(t)
	for _, tc := range []struct {
		name   string
		on     func(sio.Registrar) error
		typ    string
		reason string
	}{
		{"a channel", on[chan int], "func(*sio.Socket, chan int, sio.Ack) error", "chan int, which no JSON fits"},
		{"a function", on[func()], "func(*sio.Socket, func(), sio.Ack) error", "func(), which no JSON fits"},
		{"a complex number", on[complex128], "func(*sio.Socket, complex128, sio.Ack) error", "complex128, which no JSON fits"},
		{"an interface", on[io.Reader], "func(*sio.Socket, io.Reader, sio.Ack) error", "io.Reader, which no JSON fits"},
		{"a socket", on[*sio.Socket], "func(*sio.Socket, *sio.Socket, sio.Ack) error", "*sio.Socket, which no JSON fits"},
		{"nil", func(to sio.Registrar) error { return sio.NewEvent[int]("e").On(to, nil) }, "func(*sio.Socket, int, sio.Ack) error", "it is nil"},
		{"not typed, a complex number", func(to sio.Registrar) error {
			return to.(interface {
				OnEvent(string, any, ...sio.HandlerOption) error
			}).OnEvent("e", func(complex64) {})
		}, "func(complex64)", "parameter 0 is a complex64, which no JSON fits"},
		{"not typed, an interface", func(to sio.Registrar) error {
			return to.(interface {
				OnEvent(string, any, ...sio.HandlerOption) error
			}).OnEvent("e", func(error) {})
		}, "func(error)", "parameter 0 is a error, which no JSON fits"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.on(f)
			he, ok := errors.AsType[*sio.HandlerError](err)
			if !ok || he.Event != "e" || he.Type.String() != tc.typ || !strings.Contains(he.Reason, tc.reason) {
				t.Fatalf("got %v", err)
			}
			for _, part := range []string{`"e"`, tc.typ, tc.reason, "want func("} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
	if err := sio.NewEvent[int]("connect").On(s, func(*sio.Socket, int, sio.Ack) error { return nil }); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
}

func on[T any](to sio.Registrar) error {
	return sio.NewEvent[T]("e").On(to, func(*sio.Socket, T, sio.Ack) error { return nil })
}

func TestDataOf(t *testing.T) {
	f := serve(t)
	_, s := f.connect(t)
	if sio.DataOf[string](s) != "" || sio.DataOf[*message](s) != nil {
		t.Error("data of nothing")
	}
	s.SetData(message{Text: "x"})
	if sio.DataOf[message](s).Text != "x" || sio.DataOf[string](s) != "" || sio.DataOf[any](s) == nil {
		t.Errorf("data %v", s.Data())
	}
}
