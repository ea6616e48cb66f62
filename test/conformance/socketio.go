package main

import (
	"context"
	"errors"
	"net"

	sio "github.com/sio-gnet/sio-gnet"
)

// socketIO is the Socket.IO server of the suite of protocol 5.
type socketIO struct{ *sio.Server }

func newSocketIO(loops int) (backend, error) {
	s, err := sio.New(&sio.Options{
		PingInterval:   pingInterval,
		PingTimeout:    pingTimeout,
		MaxPayload:     maxPayload,
		ConnectTimeout: connectTimeout,
		Loops:          loops,
		OnError:        func(*sio.Socket, error) {}, // the suite sends nonsense on purpose
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"/", "/custom"} {
		s.Of(name).OnConnection(func(s *sio.Socket) { _ = s.Emit("auth", s.Handshake().Auth) })
	}
	err = errors.Join(
		s.OnEvent("message", func(s *sio.Socket, args sio.RawArgs) { _ = s.EmitRaw("message-back", args) }),
		s.OnEvent("message-with-ack", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) { _ = ack.SendRaw(args) }),
	)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &socketIO{s}, nil
}

func (s *socketIO) serve(ln net.Listener) error {
	if err := s.Serve(ln); !errors.Is(err, sio.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *socketIO) shutdown(ctx context.Context) error { return s.Shutdown(ctx) }
