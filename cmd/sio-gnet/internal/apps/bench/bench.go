// Package bench is the application that load tools talk to. Its events are
// those that the benchmarks of other servers use as well.
package bench

import (
	"io"
	"net/http"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

type app struct{ cfg apps.Config }

// New returns the application.
func New(cfg apps.Config) apps.App { return &app{cfg} }

const about = `This server answers load tools over Socket.IO, on the namespaces / and /bench:
  echo   acknowledges with its own arguments, or else sends them back
  bcast  sends its arguments to every client of the namespace
  join, leave (room)      acknowledged without arguments
  rcast (room, args...)   sends the arguments to the room
`

// Handler says what the server is for.
func (a *app) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, about) // a client that left needs no text
	})
	return mux
}

// Attach registers the events.
func (a *app) Attach(server *sio.Server) error {
	var opts []sio.HandlerOption
	if !a.cfg.Blocking {
		opts = append(opts, sio.Inline)
	}
	for _, ns := range []*sio.Namespace{server.Of("/"), server.Of("/bench")} {
		for event, handler := range map[string]func(*sio.Socket, sio.RawArgs, sio.Ack) error{
			"echo": echo, "bcast": bcast, "join": join, "leave": leave, "rcast": rcast,
		} {
			if err := ns.OnEvent(event, handler, opts...); err != nil {
				return err
			}
		}
	}
	return nil
}

func echo(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
	if ack.Wanted() {
		return ack.SendRaw(args)
	}
	return s.EmitRaw("echo", args)
}

func bcast(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error {
	return s.Namespace().EmitRaw("bcast", args)
}

func join(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
	room, err := roomOf(args)
	if err != nil {
		return err
	}
	s.Join(room)
	return ack.Send()
}

func leave(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
	room, err := roomOf(args)
	if err != nil {
		return err
	}
	s.Leave(room)
	return ack.Send()
}

func rcast(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error {
	room, err := roomOf(args)
	if err != nil {
		return err
	}
	return s.Namespace().To(room).EmitRaw("rcast", args.Tail(1))
}

// roomOf returns the first argument, a string.
func roomOf(args sio.RawArgs) (room string, err error) {
	err = args.Decode(&room)
	return room, err
}
