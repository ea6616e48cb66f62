package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// patience bounds every wait of the fixture. Reaching it is a failure, so it is
// far above what a slow machine needs.
const patience = 30 * time.Second

// fixture is a server in this process with the events that the clients use.
type fixture struct {
	*sio.Server
	ledger *ledger
	url    string
}

// startFixture serves on a free port of the loopback interface until the test
// ends.
func startFixture(t *testing.T, change ...func(*sio.Options)) *fixture {
	t.Helper()
	f := newFixture(t, change...)
	f.serve(t, listenLoopback(t))
	return f
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// newFixture makes a server with all events, which serves nothing yet.
func newFixture(t *testing.T, change ...func(*sio.Options)) *fixture {
	t.Helper()
	f := &fixture{ledger: newLedger()}
	options := &sio.Options{
		// Short, for checks that wait for heartbeats; the timeout is long since no
		// check wants to see one.
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  patience,
		Logger:       slog.New(slog.DiscardHandler),
		OnError: func(s *sio.Socket, err error) {
			if s != nil {
				f.ledger.update(s.ID(), func(e *entry) { e.errors = append(e.errors, err.Error()) })
			}
		},
	}
	for _, c := range change {
		c(options)
	}
	server, err := sio.New(options)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = server
	for _, register := range []func() error{f.basics, f.acknowledgements, f.binaries, f.rooms, f.endings, f.numbered, f.admin, f.watching, f.operating, f.dynamic} {
		if err := register(); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// serve serves ln until the test ends, and ends the server then.
func (f *fixture) serve(t *testing.T, ln net.Listener) {
	t.Helper()
	f.url = "http://" + ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.Serve(ln) }()
	t.Cleanup(func() {
		// Not the test's context, which has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			t.Errorf("shutting down: %v", err)
		}
		if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
}

// drained fails the test unless the server forgets all clients. To be called when
// they are gone.
func (f *fixture) drained(t *testing.T) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(patience)
	for f.Clients() > 0 || len(f.Sockets()) > 0 {
		select {
		case <-look.C:
		case <-deadline:
			t.Errorf("%d connections and %d sockets are left", f.Clients(), len(f.Sockets()))
			return
		}
	}
}

// events registers handlers for every socket of a namespace.
func events(ns *sio.Namespace, handlers map[string]any, opts ...sio.HandlerOption) error {
	for event, handler := range handlers {
		if err := ns.OnEvent(event, handler, opts...); err != nil {
			return fmt.Errorf("event %q of %s: %w", event, ns.Name(), err)
		}
	}
	return nil
}

// echo sends arguments back as they came: in the acknowledgement if one is
// wanted, else in an event.
func echo(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
	if ack.Wanted() {
		return ack.SendRaw(args)
	}
	return s.EmitRaw("echo", args)
}

// basics are the events that come back as they are.
func (f *fixture) basics() error {
	f.OnConnection(func(s *sio.Socket) { s.OnDisconnect(f.ledger.left) })
	return events(f.Of("/"), map[string]any{
		"echo":          func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) { f.note(s, echo(s, args, ack)) },
		"message":       func(s *sio.Socket, args ...any) error { return s.Send(args...) },
		"echo-text":     func(text string, ack sio.Ack) error { return ack.Send(text) },
		"echo-any":      func(value any, ack sio.Ack) error { return ack.Send(value) },
		"echo-time":     func(value appointment, ack sio.Ack) error { return ack.Send(value) },
		"echo-integers": func(values []int64, ack sio.Ack) error { return ack.Send(values) },
		"7":             func(text string, ack sio.Ack) error { return ack.Send(text) },
		"defaults": func(a string, b int, c *struct {
			X int `json:"x"`
		}, ack sio.Ack,
		) error {
			return ack.Send(a, b, c)
		},
		"add": func(a, b int, ack sio.Ack) error { return ack.Send(a + b) },
		"errors-of": func(id string, ack sio.Ack) error {
			return ack.Send(f.ledger.errors(id))
		},
		"handshake": func(s *sio.Socket, ack sio.Ack) error {
			h := s.Handshake()
			return ack.Send(map[string]any{
				"auth":     h.Auth,
				"colour":   h.Query.Get("colour"),
				"n":        h.Query.Get("n"),
				"header":   h.Headers.Get("X-Test"),
				"loopback": h.RemoteAddr.Addr().Unmap().IsLoopback(),
			})
		},
	})
}

// appointment is a struct with times.
type appointment struct {
	At   time.Time   `json:"at"`
	List []time.Time `json:"list"`
}

// note keeps the error of a raw handler, which has nowhere to return it to.
func (f *fixture) note(s *sio.Socket, err error) {
	if err != nil {
		f.ledger.update(s.ID(), func(e *entry) { e.errors = append(e.errors, err.Error()) })
	}
}

// answer is what clients acknowledge "question" with, before a string.
type answer struct {
	Text   string `json:"text"`
	Number int    `json:"number"`
}

// acknowledgements are the events that make the server ask the client.
func (f *fixture) acknowledgements() error {
	answered := func(s *sio.Socket, reply sio.Reply) error {
		var (
			first  answer
			second string
		)
		if err := reply.Decode(&first, &second); err != nil {
			return err
		}
		return s.Emit("answered", first, second)
	}
	return events(f.Of("/"), map[string]any{
		"never-acks": func() {},
		"ask-me": func(s *sio.Socket, text string, number int) error {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			reply, err := s.EmitWithAck(ctx, "question", text, number)
			if err != nil {
				return err
			}
			return answered(s, reply)
		},
		"ask-me-async": func(s *sio.Socket, text string, number int) error {
			return s.Timeout(patience).EmitAck(func(reply sio.Reply, err error) {
				if err == nil {
					err = answered(s, reply)
				}
				f.note(s, err)
			}, "question", text, number)
		},
		"ask-me-binary": func(s *sio.Socket, data []byte, ack sio.Ack) error {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			reply, err := s.EmitWithAck(ctx, "question-binary", data)
			if err != nil {
				return err
			}
			var got []byte
			if err := reply.Decode(&got); err != nil {
				return err
			}
			return ack.Send(got)
		},
		"ask-me-in-vain": func(s *sio.Socket, ack sio.Ack) error {
			return s.Timeout(100*time.Millisecond).EmitAck(func(_ sio.Reply, err error) {
				f.note(s, ack.Send(errors.Is(err, sio.ErrAckTimeout)))
			}, "silence")
		},
	})
}

// person is a struct with binary data in all kinds of places.
type person struct {
	Name  string            `json:"name"`
	Photo []byte            `json:"photo"`
	Tags  []string          `json:"tags"`
	Files map[string][]byte `json:"files"`
	Parts [][]byte          `json:"parts"`
}

// binaries are the events whose data the server reads or makes itself.
func (f *fixture) binaries() error {
	return events(f.Of("/"), map[string]any{
		"person": func(p person, ack sio.Ack) error {
			total := len(p.Photo)
			for _, file := range p.Files {
				total += len(file)
			}
			for _, part := range p.Parts {
				total += len(part)
			}
			return ack.Send(p, total)
		},
		"make-binary": func(s *sio.Socket, n int) error {
			return s.Emit("made", map[string]any{
				"count": n,
				"parts": []any{blob(n), map[string]any{"inner": blob(1)}},
			}, blob(2))
		},
	})
}

// blob returns n bytes that run through every value.
func blob(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// rooms are the events that join, leave and broadcast. They run on the event
// loop, which the documentation allows as none of them blocks.
func (f *fixture) rooms() error {
	return events(f.Of("/"), map[string]any{
		"join": func(s *sio.Socket, room string, ack sio.Ack) error {
			s.Join(room)
			return ack.Send()
		},
		"leave": func(s *sio.Socket, room string, ack sio.Ack) error {
			s.Leave(room)
			return ack.Send()
		},
		"rooms": func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Rooms()) },
		"room-size": func(room string, ack sio.Ack) error {
			return ack.Send(f.Of("/").RoomSize(room))
		},
		"to-room": func(s *sio.Socket, room string, value any, ack sio.Ack) error {
			return errors.Join(s.To(room).Emit("room", value), ack.Send())
		},
		"in-room": func(room string, value any, ack sio.Ack) error {
			return errors.Join(f.In(room).Emit("room", value), ack.Send())
		},
		"in-rooms": func(rooms, except []string, value any, ack sio.Ack) error {
			return errors.Join(f.In(rooms...).Except(except...).Emit("room", value), ack.Send())
		},
		"shout": func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) {
			f.note(s, errors.Join(s.Broadcast().EmitRaw("shout", args), ack.Send()))
		},
		"everyone": func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) {
			f.note(s, errors.Join(f.Of("/").EmitRaw("news", args), ack.Send()))
		},
	}, sio.Inline)
}

// endings are the events about the end of connections.
func (f *fixture) endings() error {
	return events(f.Of("/"), map[string]any{
		"kick": func(s *sio.Socket, wholeConnection bool) { s.Disconnect(wholeConnection) },
		"say-bye": func(s *sio.Socket) error {
			err := s.Emit("bye", "bye")
			s.Disconnect(true)
			return err
		},
		"reason-of": f.reasonOf,
	})
}

// reasonOf acknowledges with the reason for which a socket was disconnected,
// once it is. It blocks its own socket's events only.
func (f *fixture) reasonOf(id string, ack sio.Ack) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reason, err := f.ledger.reason(ctx, id)
	if err != nil {
		return err
	}
	return ack.Send(reason)
}

// numbered are the events of the ordering checks, registered on each socket.
func (f *fixture) numbered() error {
	f.OnConnection(func(s *sio.Socket) {
		f.note(s, errors.Join(
			s.On("number", func(s *sio.Socket, n int) error {
				f.ledger.update(s.ID(), func(e *entry) { e.numbers = append(e.numbers, n) })
				return s.Emit("answer", n)
			}),
			s.On("numbers", func(s *sio.Socket, ack sio.Ack) error {
				return ack.Send(f.ledger.numbers(s.ID()))
			}),
			s.On("push-me", func(s *sio.Socket, n int) { go f.push(s, n) }),
		))
	})
	return nil
}

// push sends n numbered events from a goroutine of its own, a few at a time, so
// that they spread over the upgrade of the connection.
func (f *fixture) push(s *sio.Socket, n int) {
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for i := range n {
		if i%3 == 0 {
			<-pace.C
		}
		if err := s.Emit("push", i); err != nil {
			f.note(s, err)
			return
		}
	}
}

// admin is the namespace that wants a token.
func (f *fixture) admin() error {
	type credentials struct {
		Token string `json:"token"`
		User  string `json:"user"`
	}
	admin := f.Of("/admin")
	admin.Use(func(s *sio.Socket) error {
		var c credentials
		err := json.Unmarshal(s.Handshake().Auth, &c)
		if err == nil && c.Token == "plain" {
			return errors.New("refused without data")
		}
		if err != nil || c.Token != "secret" {
			return &sio.ConnectError{
				Message: "not authorized",
				Data:    map[string]any{"code": 401, "hint": "token"},
			}
		}
		s.SetData(c)
		return nil
	})
	admin.OnConnection(func(s *sio.Socket) { s.OnDisconnect(f.ledger.left) })
	return events(admin, map[string]any{
		"echo":      func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) { f.note(s, echo(s, args, ack)) },
		"reason-of": f.reasonOf,
		"whoami": func(s *sio.Socket, ack sio.Ack) error {
			c, _ := s.Data().(credentials)
			return ack.Send(c.User)
		},
	})
}
