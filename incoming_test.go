package sio_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// TestOrderOfTaps shows S8.1 and S8.2: an event is seen by OnAny first, even one that
// has no handler or is dropped, then by Use, then by its handler.
func TestOrderOfTaps(t *testing.T) {
	f := serve(t)
	var got recorder
	f.on(t, "e", func(_ *sio.Socket, a string, ack sio.Ack) error {
		got.add("handler " + a)
		return ack.Send()
	})
	f.on(t, "dropped", func() { t.Error("the handler of a dropped event was called") })
	c, s := f.connect(t)
	stop := errors.New("stop")
	s.Use(func(_ *sio.Socket, e *sio.Incoming) error {
		got.add("first " + e.Event)
		if e.Event == "dropped" {
			return stop
		}
		return nil
	})
	removeFirst := s.OnAny(func(_ *sio.Socket, e *sio.Incoming) {
		got.add(fmt.Sprint("any ", e.Event, " ", e.Args.Len(), " ", e.Ack.Wanted()))
	})
	s.Use(func(_ *sio.Socket, e *sio.Incoming) error { got.add("second " + e.Event); return nil })
	removeSecond := s.OnAny(func(_ *sio.Socket, e *sio.Incoming) { got.add("any too " + e.Event) })

	c.Send(`421["e","x",2]`)
	c.Want("431[]")
	lines := []string{"any e 2 true", "any too e", "first e", "second e", "handler x"}
	got.want(t, lines...)
	c.Send(`42["nobody"]`, `42["dropped"]`)
	lines = append(lines,
		"any nobody 0 false", "any too nobody", "first nobody", "second nobody",
		"any dropped 0 false", "any too dropped", "first dropped")
	got.want(t, lines...)
	f.wantError(t, isError(stop)) // and the client is told nothing (S8.4)
	if !s.Connected() {
		t.Error("the socket is lost")
	}
	removeFirst()
	removeFirst() // once more does nothing
	c.Send(`422["e","y"]`)
	c.Want("432[]")
	lines = append(lines, "any too e", "first e", "second e", "handler y")
	got.want(t, lines...)
	removeSecond()
	c.Send(`423["e","z"]`)
	c.Want("433[]")
	got.want(t, append(lines, "first e", "second e", "handler z")...)
	f.wantNoErrors(t)
}

// TestEventMiddleware shows S8.4: what a middleware of events can do to them.
func TestEventMiddleware(t *testing.T) {
	for _, tc := range []struct {
		name       string
		middleware func(*sio.Socket, *sio.Incoming) error
		send, want string // want: the answer to it
		events     string // that the handler saw
	}{
		{"nothing", func(*sio.Socket, *sio.Incoming) error { return nil }, `421["e","a"]`, `431["a"]`, "e a"},
		{"new arguments", func(_ *sio.Socket, e *sio.Incoming) error {
			var err error
			e.Args, err = sio.MakeRawArgs("changed", 2)
			return err
		}, `421["e","a"]`, `431["changed"]`, "e changed"},
		{"arguments with bytes", func(_ *sio.Socket, e *sio.Incoming) error {
			var err error
			e.Args, err = sio.MakeRawArgs([]byte("x"))
			return err
		}, `421["raw"]`, holes(`461-1[#]`), "raw 1"},
		{"another name", func(_ *sio.Socket, e *sio.Incoming) error { e.Event = "e"; return nil }, `421["other","a"]`, `431["a"]`, "e a"},
		{"an answer in place of the handler", func(_ *sio.Socket, e *sio.Incoming) error {
			return errors.Join(e.Ack.Send("not allowed"), errors.New("refused"))
		}, `421["e","a"]`, `431["not allowed"]`, ""},
		{"no answer for the handler to give", func(_ *sio.Socket, e *sio.Incoming) error {
			ack := e.Ack
			e.Ack = sio.Ack{}
			return ack.Send("early")
		}, `421["e","a"]`, `431["early"]`, "e a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			var got recorder
			f.on(t, "e", func(a string, ack sio.Ack) error { got.add("e " + a); return ack.Send(a) })
			f.on(t, "raw", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
				got.add(fmt.Sprint("raw ", args.Len()))
				return ack.SendRaw(args)
			})
			c, s := f.connect(t)
			s.Use(tc.middleware)
			c.Send(tc.send)
			c.Want(tc.want)
			if tc.events != "" {
				got.want(t, tc.events)
			} else if f.wantError(t, func(error) bool { return true }); got.text() != "" {
				t.Errorf("the handler saw %q", got.text())
			}
		})
	}
}

// A middleware may block: this socket's events wait, in order, and nobody else's.
// That is what we do in place of the weakness in S8.4.
func TestEventMiddlewareThatBlocks(t *testing.T) {
	f := serve(t, oneLoop)
	var got recorder
	f.on(t, "e", func(n int) { got.add(fmt.Sprint(n)) }, sio.Inline)
	f.on(t, "echo", echo)
	c, s := f.connect(t)
	entered, release := make(chan struct{}, 3), make(chan struct{})
	s.Use(func(*sio.Socket, *sio.Incoming) error { entered <- struct{}{}; <-release; return nil })
	c.Send(`42["e",1]`, `42["e",2]`, `42["e",3]`)
	<-entered
	other, _ := f.connect(t)
	other.Send(`421["echo"]`)
	other.Want("431[]")
	if got.text() != "" {
		t.Errorf("handled too early: %q", got.text())
	}
	close(release)
	got.want(t, "1", "2", "3")
}

// Panics of what sees events are those of a handler: the socket is disconnected,
// others are not, and the event goes no further.
func TestTapsThatPanic(t *testing.T) {
	for name, register := range map[string]func(*sio.Socket){
		"OnAny": func(s *sio.Socket) { s.OnAny(func(*sio.Socket, *sio.Incoming) { panic("any") }) },
		"Use":   func(s *sio.Socket) { s.Use(func(*sio.Socket, *sio.Incoming) error { panic("use") }) },
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t)
			f.on(t, "e", func() { t.Error("the handler was called") })
			c, s := f.connect(t)
			register(s)
			c.Send(`42["e"]`)
			c.Want("41")
			f.wantError(t, asError[*sio.PanicError])
		})
	}
	t.Run("OnAnyOutgoing", func(t *testing.T) {
		f := serve(t)
		c, s := f.connect(t)
		s.OnAnyOutgoing(func(*sio.Socket, string, sio.RawArgs) { panic("outgoing") })
		if err := f.Emit("e"); err != nil {
			t.Fatal(err)
		}
		c.Want(`42["e"]`, "41")
		f.wantError(t, asError[*sio.PanicError])
	})
}

// TestOnAnyOutgoing shows S8.3: what is sent to a socket, by whom and however, and
// nothing else.
func TestOnAnyOutgoing(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.AckTimeout = 1 })
	f.on(t, "ack", func(ack sio.Ack) error { return ack.Send("unseen") })
	c, s := f.connect(t)
	other, o := f.connect(t)
	s.Join("room")
	var got recorder
	note := func(who string) func(*sio.Socket, string, sio.RawArgs) {
		return func(at *sio.Socket, event string, args sio.RawArgs) {
			if at != s {
				t.Errorf("the socket is %s", at.ID())
			}
			got.add(fmt.Sprint(who, event, args.Len(), string(args.JSON(0))))
		}
	}
	removeA := s.OnAnyOutgoing(note("A "))
	removeB := s.OnAnyOutgoing(note("B "))
	raw, err := sio.MakeRawArgs("raw")
	if err != nil {
		t.Fatal(err)
	}
	step := func(want string, errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		lines := strings.Split(want, "\n")
		got.want(t, lines...)
		got.mu.Lock()
		got.lines = nil
		got.mu.Unlock()
	}
	step("A one1\"x\"\nB one1\"x\"", s.Emit("one", "x"))
	removeA()
	step(`B one1"raw"`, s.EmitRaw("one", raw))
	step(`B message1"hi"`, s.Send("hi"))
	step(`B v0`, s.Volatile().Emit("v"))
	step(`B bin1`+fmt.Sprintf(hole, 0), s.Emit("bin", []byte("x")))
	step(`B b1"x"`, f.Emit("b", "x"))
	step(`B b1"raw"`, f.To("room").EmitRaw("b", raw))
	step(`B other0`, o.Broadcast().Volatile().Emit("other"))
	step(`B ask1"?"`, s.EmitAck(func(sio.Reply, error) {}, "ask", "?"))
	_, err = f.In("room").EmitWithAck(t.Context(), "ask", "all")
	if !errors.Is(err, sio.ErrAckTimeout) {
		t.Errorf("EmitWithAck: %v", err)
	}
	step(`B ask1"all"`)
	if err := errors.Join(o.Emit("not mine"), f.Except("room").Emit("not mine"), s.Broadcast().Emit("not mine"), s.Emit("connect")); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("got %v", err)
	}
	c.Send(`421["ack"]`)
	for packet := ""; packet != `431["unseen"]`; {
		packet = c.Next()
	}
	removeB()
	if err := errors.Join(s.Emit("end"), f.Emit("end")); err != nil {
		t.Error(err)
	}
	c.Want(`42["end"]`, `42["end"]`)
	if got.text() != "" {
		t.Errorf("seen, too: %s", got.text())
	}
	other.Close()
}

// An observer that is gone costs the namespace's broadcasts nothing, and one that is
// left is still served.
func TestObserversComeAndGo(t *testing.T) {
	f := serve(t)
	stays, s := f.connect(t)
	seen := make(chan string, 10)
	s.OnAnyOutgoing(func(_ *sio.Socket, event string, _ sio.RawArgs) { seen <- event })
	for range 50 {
		c, other := f.connect(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for other.Connected() {
				other.OnAnyOutgoing(func(*sio.Socket, string, sio.RawArgs) {})()
			}
			other.OnAnyOutgoing(func(*sio.Socket, string, sio.RawArgs) {})
		}()
		other.Disconnect(true)
		<-done
		c.WantClosed()
	}
	if err := f.Emit("e"); err != nil {
		t.Fatal(err)
	}
	stays.Want(`42["e"]`)
	if got := <-seen; got != "e" {
		t.Errorf("saw %q", got)
	}
}

// With something to see its events, a socket's inline handlers wait for it, and stay
// in order.
func TestInlineHandlersWithTaps(t *testing.T) {
	f := serve(t, oneLoop)
	var got recorder
	f.on(t, "e", func(n int) { got.add(fmt.Sprint(n)) }, sio.Inline)
	c, s := f.connect(t)
	var want []string
	var remove func()
	for i := range 100 {
		if i%20 == 5 {
			remove = s.OnAny(func(*sio.Socket, *sio.Incoming) {})
		}
		if i%20 == 15 {
			remove()
		}
		c.Send(fmt.Sprintf(`42["e",%d]`, i))
		want = append(want, fmt.Sprint(i))
	}
	got.want(t, want...)
}

// TestNamesOfEvents shows S8.5, S10.2 and the end of S6.1: names that mean something
// elsewhere are plain names here, and events that nobody handles harm nobody (S6.11).
func TestNamesOfEvents(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	names := []string{"error", "connection", "ping", "pong", "new_namespace", "message", "__proto__", "constructor", "toString", "", "é\n\"\\", "🤝"}
	for _, name := range names {
		c.Send("42[" + quote(t, name) + "]") // nobody listens
	}
	f.on(t, "fence", echo)
	c.Send(`421["fence"]`)
	c.Want("431[]")
	for i, name := range names {
		if err := s.On(name, func(v any, ack sio.Ack) error { return errors.Join(ack.Send(name), s.Emit(name, v)) }); err != nil {
			t.Fatal(err)
		}
		c.Send(fmt.Sprintf(`42%d[%s,{"__proto__":{"x":1}}]`, i, quote(t, name)))
		c.Want(fmt.Sprintf(`43%d[%s]`, i, quote(t, name)), fmt.Sprintf(`42[%s,{"__proto__":{"x":1}}]`, quote(t, name)))
	}
	f.wantNoErrors(t)
}

func TestOnceAndOff(t *testing.T) {
	f := serve(t)
	var got recorder
	f.on(t, "e", func() { got.add("namespace") })
	c, s := f.connect(t)
	fence := func(id int) {
		t.Helper()
		c.Send(fmt.Sprintf(`42%d["echo"]`, id))
		c.Want(fmt.Sprintf("43%d[]", id))
	}
	f.on(t, "echo", echo)
	for _, opts := range [][]sio.HandlerOption{nil, {sio.Inline}} {
		if err := s.Once("e", func() { got.add("once") }, opts...); err != nil {
			t.Fatal(err)
		}
		c.Send(`42["e"]`, `42["e"]`)
		fence(1)
	}
	got.want(t, "once", "namespace", "once", "namespace")
	if err := s.Once("again", func(s *sio.Socket) error {
		got.add("first")
		return s.Once("again", func() { got.add("second") })
	}); err != nil {
		t.Fatal(err)
	}
	c.Send(`42["again"]`, `42["again"]`, `42["again"]`)
	fence(2)
	got.want(t, "once", "namespace", "once", "namespace", "first", "second")
	for _, event := range []string{"a", "b", "c"} {
		if err := s.On(event, func() { got.add(event) }); err != nil {
			t.Fatal(err)
		}
	}
	s.Off("a", "never")
	c.Send(`42["a"]`, `42["b"]`)
	fence(3)
	s.Off()
	c.Send(`42["b"]`, `42["c"]`)
	fence(4)
	got.want(t, "once", "namespace", "once", "namespace", "first", "second", "b")
	if err := s.Once("disconnect", func() {}); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("Once(disconnect): %v", err)
	}
}
