package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

type point struct {
	X    int    `json:"x"`
	Name string `json:"name"`
}

// Each form of a handler gets what the client sent, and answers with what it got.
func TestHandlerForms(t *testing.T) {
	say := func(ack sio.Ack, args ...any) {
		if err := ack.Send(fmt.Sprintf(strings.Repeat("%+v|", len(args)), args...)); err != nil {
			t.Error(err)
		}
	}
	for _, tc := range []struct {
		name    string
		handler any
		args    string // JSON behind the event's name
		want    string
	}{
		{"raw", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) { say(ack, args.Len(), string(args.JSON(1))) }, `,1,{"a": 2}`, `2|{"a": 2}|`},
		{"raw with an error", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { say(ack, args.Len()); return nil }, ``, `0|`},
		{"socket, text and ack", func(s *sio.Socket, a string, ack sio.Ack) { say(ack, s.Connected(), a) }, `,"héé\n\ud83d\ude00"`, "true|héé\n😀|"},
		{"a missing text", func(_ *sio.Socket, a string, ack sio.Ack) { say(ack, a == "") }, ``, `true|`},
		{"no socket", func(a int, ack sio.Ack) { say(ack, a) }, `,7`, `7|`},
		{"several types", func(_ *sio.Socket, a int, b float64, c bool, d string, ack sio.Ack) { say(ack, a, b, c, d) }, `,-1,2.5,true,"x"`, `-1|2.5|true|x|`},
		{
			"structs, slices and maps", func(p point, l []point, m map[string]int, ack sio.Ack) { say(ack, p, l, m) },
			`,{"x":1,"name":"n"},[{"x":2}],{"k":3}`, `{X:1 Name:n}|[{X:2 Name:}]|map[k:3]|`,
		},
		{"pointers", func(p *point, q *int, ack sio.Ack) { say(ack, p.X, q == nil) }, `,{"x":5},null`, `5|true|`},
		{"anything", func(v any, ack sio.Ack) { say(ack, v) }, `,{"a":[1,"b",null]}`, `map[a:[1 b <nil>]]|`},
		{"raw JSON", func(m json.RawMessage, ack sio.Ack) { say(ack, string(m)) }, `,{"a": [1]}`, `{"a": [1]}|`},
		{"json.Number", func(n json.Number, ack sio.Ack) { say(ack, n) }, `,12345678901234567890`, `12345678901234567890|`},
		{"a type that decodes itself", func(at time.Time, ack sio.Ack) { say(ack, at.Year()) }, `,"2026-01-02T03:04:05Z"`, `2026|`},
		{"missing arguments are zero", func(a int, p point, l []int, ack sio.Ack) { say(ack, a, p, l == nil) }, `,1`, `1|{X:0 Name:}|true|`},
		{"more arguments are left out", func(a int, ack sio.Ack) { say(ack, a) }, `,1,2,3`, `1|`},
		{"the ack before a variadic rest", func(a int, ack sio.Ack, rest ...string) { say(ack, a, rest) }, `,1,"x","y"`, `1|[x y]|`},
		{"a variadic rest of nothing", func(_ *sio.Socket, ack sio.Ack, rest ...string) { say(ack, len(rest)) }, ``, `0|`},
		{"only an ack", func(ack sio.Ack) { say(ack) }, `,1`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			f.on(t, "e", tc.handler)
			c, _ := f.connect(t)
			c.Send(`420["e"` + tc.args + `]`)
			c.Want("430[" + quote(t, tc.want) + "]")
			f.wantNoErrors(t)
		})
	}
}

// quote returns text as JavaScript would write it in JSON.
func quote(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func TestHandlersWithoutAck(t *testing.T) {
	f := serve(t)
	var got recorder
	f.on(t, "none", func() { got.add("none") })
	f.on(t, "socket", func(*sio.Socket) { got.add("socket") })
	f.on(t, "raw", func(_ *sio.Socket, args sio.RawArgs) { got.add("raw " + string(args.JSON(0))) })
	f.on(t, "text", func(_ *sio.Socket, text string) { got.add("text " + text) })
	f.on(t, "rest", func(rest ...int) { got.add(fmt.Sprint("rest ", rest)) })
	c, _ := f.connect(t)
	c.Send(`42["none"]`, `42["socket",1]`, `42["raw",{}]`, `42["text","x"]`, `42["rest",1,2]`, `42["nobody",1]`)
	got.want(t, "none", "socket", "raw {}", "text x", "rest [1 2]")
}

// TestHandlersThatAreRefused shows S6.1: names that are reserved.
func TestHandlersThatAreRefused(t *testing.T) {
	f := serve(t)
	_, s := f.connect(t)
	for _, tc := range []struct {
		name    string
		handler any
	}{
		{"nil", nil},
		{"a nil function", (func(*sio.Socket))(nil)},
		{"no function", 7},
		{"the ack in the middle", func(sio.Ack, int) {}},
		{"the socket at the end", func(int, *sio.Socket) {}},
		{"two sockets", func(_, _ *sio.Socket) {}},
		{"a channel", func(chan int) {}},
		{"a function", func(func()) {}},
		{"raw arguments among others", func(int, sio.RawArgs) {}},
		{"a result that is no error", func() int { return 0 }},
		{"two results", func() (int, error) { return 0, nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, err := range []error{s.On("e", tc.handler), f.OnEvent("e", tc.handler)} {
				he, ok := errors.AsType[*sio.HandlerError](err)
				if !ok || he.Event != "e" || he.Reason == "" {
					t.Errorf("got %v", err)
				}
				f.wantError(t, asError[*sio.HandlerError]) // one who ignores the result is told, too
			}
		})
	}
	for _, event := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		if err := s.On(event, func() {}); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("On(%q): %v", event, err)
		}
		if err := s.Emit(event); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("Emit(%q): %v", event, err)
		}
		if err := f.To("room").Emit(event); !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("broadcast of %q: %v", event, err)
		}
	}
}

// A wrong argument goes to OnError; the socket, and its later events, are as
// well as before.
func TestWrongArguments(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler any
		args    string
		index   int
	}{
		{"a number for a text", func(*sio.Socket, string) {}, `1`, 0},
		{"a number for a text, with ack", func(*sio.Socket, string, sio.Ack) {}, `1`, 0},
		{"a text for a number", func(int, int) {}, `1,"2"`, 1},
		{"a list for a struct", func(point) {}, `[]`, 0},
		{"a number that is too large", func(int8) {}, `300`, 0},
		{"a wrong one in the rest", func(...int) {}, `1,2,"3"`, 2},
		{"a text for bytes", func([]byte) {}, `"not base64!"`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			f.on(t, "e", tc.handler)
			f.on(t, "echo", echo)
			c, s := f.connect(t)
			c.Send(`42["e",`+tc.args+`]`, `421["echo"]`)
			c.Want("431[]")
			err := f.takeError(t, asError[*sio.ArgumentError])
			ae, _ := errors.AsType[*sio.ArgumentError](err)
			if ae.Event != "e" || ae.Index != tc.index || ae.Unwrap() == nil || ae.Type == nil {
				t.Errorf("error %+v", ae)
			}
			if !s.Connected() {
				t.Error("the socket is lost")
			}
		})
	}
}

func TestHandlerThatReturnsAnError(t *testing.T) {
	f := serve(t)
	sentinel := errors.New("no such room")
	f.on(t, "a", func(*sio.Socket, int) error { return sentinel })
	f.on(t, "b", func(*sio.Socket, sio.RawArgs, sio.Ack) error { return sentinel }, sio.Inline)
	c, s := f.connect(t)
	c.Send(`42["a",1]`)
	f.wantError(t, isError(sentinel))
	c.Send(`42["b",1]`)
	f.wantError(t, isError(sentinel))
	if !s.Connected() {
		t.Error("the socket is lost")
	}
}

// A panic costs its own socket the namespace, and nobody else anything.
// Shows what we do in place of S8.5 and S16.5.
func TestHandlerThatPanics(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []sio.HandlerOption
	}{{"on a goroutine", nil}, {"inline", []sio.HandlerOption{sio.Inline}}} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, oneLoop)
			f.on(t, "panic", func() { panic("oh no") }, tc.opts...)
			f.on(t, "echo", echo, sio.Inline)
			witness, _ := f.connect(t)
			c, s := f.connect(t)
			var ends recorder
			s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) })
			c.Send(`42["panic"]`)
			c.Want("41")
			ends.want(t, "server namespace disconnect")
			pe, _ := errors.AsType[*sio.PanicError](f.takeError(t, asError[*sio.PanicError]))
			if pe.Value != "oh no" || !strings.Contains(string(pe.Stack), "handler_test.go") {
				t.Errorf("panic %v, stack:\n%s", pe.Value, pe.Stack)
			}
			witness.Send(`421["echo"]`)
			witness.Want("431[]")
		})
	}
}

func TestOnErrorThatPanics(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.OnError = func(*sio.Socket, error) { panic("in the hook") } })
	f.on(t, "bad", func(int) {})
	f.on(t, "echo", echo)
	c, _ := f.connect(t)
	c.Send(`42["bad","x"]`, `421["echo"]`)
	c.Want("431[]")
}

func TestOwnHandlerGoesBeforeTheNamespaces(t *testing.T) {
	f := serve(t)
	answer := func(text string) func(sio.Ack) {
		return func(ack sio.Ack) {
			if err := ack.Send(text); err != nil {
				t.Error(err)
			}
		}
	}
	f.on(t, "e", answer("namespace"))
	c, s := f.connect(t)
	ask := func(want string) {
		t.Helper()
		c.Send(`420["e"]`)
		c.Want(`430["` + want + `"]`)
	}
	ask("namespace")
	for _, own := range []string{"own", "another"} {
		if err := s.On("e", answer(own)); err != nil {
			t.Fatal(err)
		}
		ask(own)
	}
	s.Off("e")
	ask("namespace")
	f.on(t, "e", answer("replaced"))
	ask("replaced")
	s.Off("never there")
}

func TestManyHandlers(t *testing.T) {
	f := serve(t)
	for i := range 100 {
		f.on(t, fmt.Sprint("e", i), func(ack sio.Ack) error { return ack.Send(i) })
	}
	c, _ := f.connect(t)
	for i := range 100 {
		c.Send(fmt.Sprintf(`42%d["e%d"]`, i, i))
		c.Want(fmt.Sprintf("43%d[%d]", i, i))
	}
}

// The events of a socket are handled in order, one at a time, however handlers
// are run; and one that blocks stops no other client of its loop.
// Shows S6.11.
func TestOrderOfEvents(t *testing.T) {
	f := serve(t, oneLoop)
	var (
		got     recorder
		running atomic.Int32
	)
	handle := func(n int) {
		if running.Add(1) != 1 {
			t.Error("two handlers of a socket at once")
		}
		got.add(fmt.Sprint(n))
		running.Add(-1)
	}
	release := make(chan struct{})
	f.on(t, "block", func(n int) { <-release; handle(n) })
	f.on(t, "inline", handle, sio.Inline)
	f.on(t, "plain", handle)
	f.on(t, "echo", echo, sio.Inline)
	c, _ := f.connect(t)
	var want []string
	c.Send(`42["inline",0]`, `42["block",1]`)
	for i := 2; i < 200; i++ {
		c.Send(fmt.Sprintf(`42[%q,%d]`, []string{"inline", "plain"}[i%2], i))
	}
	for i := range 200 {
		want = append(want, fmt.Sprint(i))
	}
	other, _ := f.connect(t)
	other.Send(`421["echo"]`)
	other.Want("431[]")
	if got.text() != "0" {
		t.Errorf("before the release: %q", got.text())
	}
	close(release)
	got.want(t, want...)
}

// Events that came before the client left are handled; those of a client that
// was sent away are not.
// Shows S8.8, and that what came before a DISCONNECT is handled here.
func TestEventsBeforeTheEnd(t *testing.T) {
	f := serve(t)
	entered, release := make(chan struct{}), make(chan struct{})
	f.on(t, "block", func() { entered <- struct{}{}; <-release })
	if err := f.Of("/sync").OnEvent("echo", echo, sio.Inline); err != nil {
		t.Fatal(err)
	}
	var got recorder
	f.on(t, "e", func(s *sio.Socket, n int) { got.add(fmt.Sprint(s.Data(), " ", n)) })
	f.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(s *sio.Socket, r sio.Reason) { got.add(fmt.Sprint(s.Data(), ": ", r)) })
	})

	leaver, a := f.connect(t)
	a.SetData("left")
	leaver.Send(`42["block"]`, `42["e",1]`, `42["e",2]`, `41`)
	<-entered
	eventually(t, "the client gone", func() bool { return !a.Connected() })
	release <- struct{}{}
	got.want(t, "left 1", "left 2", "left: client namespace disconnect")

	sent, b := f.connect(t)
	b.SetData("sent away")
	sent.Join("/sync", "")
	sent.Send(`42["block"]`, `42["e",3]`, `42/sync,1["echo"]`)
	sent.Want(`43/sync,1[]`) // so the events are waiting
	<-entered
	b.Disconnect(false)
	sent.Want("41")
	release <- struct{}{}
	got.want(t, "left 1", "left 2", "left: client namespace disconnect", "sent away: server namespace disconnect")
}

// A client that sends faster than its handlers work is cut off before what
// waits grows without bound.
// Shows a limit that S16.2 lacks.
func TestBacklog(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.MaxBacklog = 10_000 })
	release := make(chan struct{})
	f.on(t, "block", func() { <-release })
	c, s := f.connect(t)
	var ends recorder
	s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) })
	c.Send(`42["block"]`)
	for range 30 {
		c.Send(`42["x","` + strings.Repeat("x", 500) + `"]`)
	}
	f.wantError(t, isError(sio.ErrBacklog))
	c.WantClosed()
	close(release)
	ends.want(t, "forced close")
}
