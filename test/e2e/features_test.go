package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// watching are the events that show what sees events on their way.
func (f *fixture) watching() error {
	return events(f.Of("/"), map[string]any{
		"watch-me": func(s *sio.Socket, ack sio.Ack) error {
			note := func(line string) { f.ledger.update(s.ID(), func(e *entry) { e.seen = append(e.seen, line) }) }
			s.OnAny(func(_ *sio.Socket, e *sio.Incoming) { note("in " + e.Event) })
			s.OnAnyOutgoing(func(_ *sio.Socket, event string, _ sio.RawArgs) { note("out " + event) })
			return ack.Send()
		},
		"seen": func(s *sio.Socket, ack sio.Ack) error {
			var seen []string
			f.ledger.update(s.ID(), func(e *entry) { seen = slices.Clone(e.seen) })
			return ack.Send(seen)
		},
		"guard-me": func(s *sio.Socket, ack sio.Ack) error {
			s.Use(func(_ *sio.Socket, e *sio.Incoming) error {
				switch e.Event {
				case "forbidden":
					return errors.Join(e.Ack.Send(map[string]string{"error": "forbidden"}), errors.New("forbidden"))
				case "rewritten":
					args, err := sio.MakeRawArgs("by the middleware", []byte{7})
					e.Event, e.Args = "echo", args
					return err
				}
				return nil
			})
			return ack.Send()
		},
		"volatile-me": func(s *sio.Socket, n int) error {
			for i := range n {
				if err := s.Volatile().Emit("volatile", i, []byte{byte(i)}); err != nil {
					return err
				}
			}
			return s.Emit("volatile-done", n)
		},
		// Several senders at once, each in its own order, by all ways to reach the socket.
		"push-from-all-sides": func(s *sio.Socket, senders, each int) {
			s.Join("of " + s.ID())
			for sender := range senders {
				go f.pushMixed(s, sender, each)
			}
		},
		"uncompressed-me": func(s *sio.Socket, text string) error {
			return errors.Join(s.Compress(false).Emit("plain", text), s.Compress(true).Emit("plain", text))
		},
	})
}

func (f *fixture) pushMixed(s *sio.Socket, sender, each int) {
	ways := []sio.EventEmitter{s, f.To("of " + s.ID()), f.In(s.ID()), s.Compress(false)}
	for i := range each {
		args := []any{sender, i}
		if i%4 == 1 {
			args = append(args, blob(i%7), map[string][]byte{"k": blob(1)})
		}
		if err := ways[i%len(ways)].Emit("pushed", args...); err != nil {
			f.note(s, err)
			return
		}
		if i%8 == 0 {
			time.Sleep(time.Millisecond) // it should last as long as an upgrade
		}
	}
}

// fetched is what clients are told of a socket.
type fetched struct {
	ID    string          `json:"id"`
	Rooms []string        `json:"rooms"`
	Auth  json.RawMessage `json:"auth"`
	Data  any             `json:"data"`
}

// operating are the events that act on many sockets.
func (f *fixture) operating() error {
	return events(f.Of("/"), map[string]any{
		"set-data": func(s *sio.Socket, v any, ack sio.Ack) error {
			s.SetData(v)
			return ack.Send()
		},
		"ask-room": func(room string, timeout int, ack sio.Ack) error {
			var firsts []any
			replies, err := f.In(room).Timeout(time.Duration(timeout)*time.Millisecond).EmitWithAck(context.Background(), "question-of-all", room)
			for _, r := range replies {
				var v any
				if err := r.Decode(&v); err != nil {
					return err
				}
				firsts = append(firsts, v)
			}
			why := ""
			switch {
			case errors.Is(err, sio.ErrAckTimeout):
				why = "timeout"
			case errors.Is(err, sio.ErrDisconnected):
				why = "disconnected"
			case err != nil:
				return err
			}
			return ack.Send(firsts, why)
		},
		"fetch": func(room string, ack sio.Ack) error {
			all, err := f.In(room).FetchSockets(context.Background())
			if err != nil {
				return err
			}
			var list []fetched
			for _, r := range all {
				one := fetched{ID: r.ID, Rooms: r.Rooms, Auth: r.Handshake.Auth}
				if err := r.DecodeData(&one.Data); err != nil {
					return err
				}
				list = append(list, one)
			}
			return ack.Send(list)
		},
		"make-join": func(room, into string, ack sio.Ack) error {
			return errors.Join(f.In(room).SocketsJoin(into), ack.Send())
		},
		"make-leave": func(room, from string, ack sio.Ack) error {
			return errors.Join(f.In(room).SocketsLeave(from), ack.Send())
		},
		"make-go": func(room string, all bool, ack sio.Ack) error {
			return errors.Join(f.In(room).DisconnectSockets(all), ack.Send())
		},
	})
}

// dynamic are namespaces that are made as clients ask for them.
func (f *fixture) dynamic() error {
	rooms := f.OfPattern(regexp.MustCompile(`^/room-[\w-]+$`))
	private := f.OfFunc(func(ctx context.Context, name string, auth json.RawMessage) bool {
		select { // it takes its time
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
		var a struct{ Token string }
		return strings.HasPrefix(name, "/private-") && json.Unmarshal(auth, &a) == nil && a.Token == "secret"
	})
	var errs []error
	for _, p := range []*sio.ParentNamespace{rooms, private} {
		errs = append(errs,
			p.OnEvent("where", func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Namespace().Name()) }),
			p.OnEvent("others", func(s *sio.Socket, text string) error { return s.Broadcast().Emit("from-other", text) }))
	}
	rooms.OnConnection(func(s *sio.Socket) {
		if err := s.Emit("welcome", s.Namespace().Name()); err != nil {
			f.note(s, err)
		}
	})
	return errors.Join(append(errs, events(f.Of("/"), map[string]any{
		"to-all-rooms": func(text string, ack sio.Ack) error {
			return errors.Join(rooms.Emit("from-parent", text, []byte{1}), ack.Send())
		},
	}))...)
}
