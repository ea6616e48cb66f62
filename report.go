package sio

import (
	"context"
	"errors"
	"log/slog"

	"github.com/sio-gnet/sio-gnet/internal/occasional"
)

// report tells the program what went wrong with a client or a handler. Any
// goroutine may call it.
func (s *Server) report(sock *Socket, err error) {
	if s.opts.OnError == nil {
		s.logError(sock, err)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			s.opts.Logger.Error("sio: panic in OnError", "panic", v, "error", err)
		}
	}()
	s.opts.OnError(sock, err)
}

// logError is what happens to errors without OnError: a line that says what has
// come of it. What strangers can cause at will is rationed.
func (s *Server) logError(sock *Socket, err error) {
	attrs := []any{"error", err}
	if sock != nil {
		attrs = append(attrs, "namespace", sock.ns.name, "socket", sock.id)
	}
	var (
		panicked *PanicError
		argument *ArgumentError
		handler  *HandlerError
	)
	log := s.opts.Logger
	switch {
	case errors.As(err, &panicked):
		log.Error("sio: panic", append(attrs, "in", panicked.In, "stack", string(panicked.Stack))...)
	case errors.As(err, &handler), errors.Is(err, ErrReservedEvent):
		log.Error("sio: handler refused", attrs...)
	case errors.As(err, &argument):
		s.logRationed(&s.rations.arguments, "sio: event dropped", attrs)
	case errors.Is(err, ErrPacket):
		s.logRationed(&s.rations.packets, "sio: client disconnected for what it sent", attrs)
	case errors.Is(err, ErrBacklog):
		s.logRationed(&s.rations.packets, "sio: client disconnected for sending too fast", attrs)
	default:
		log.Warn("sio: handler failed", attrs...)
	}
}

// rations are those of lines that clients can cause.
type rations struct{ arguments, packets occasional.Line }

func (s *Server) logRationed(line *occasional.Line, message string, attrs []any) {
	level := line.Level(s.reactor.Now().UnixMilli())
	if level == slog.LevelDebug {
		attrs = append(attrs, "rationed", true)
	}
	s.opts.Logger.Log(context.Background(), level, message, attrs...)
}
