package sio

import (
	"context"
	"time"

	"github.com/sio-gnet/sio-gnet/loop"
)

// withTimeout is [context.WithTimeoutCause] by the server's clock, which tests may
// hold.
func (s *Server) withTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if !s.reactor.Held() {
		return context.WithTimeoutCause(ctx, d, cause)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t := &deadline{cancel: cancel, cause: cause}
	clock := s.reactor.Loops()[0]
	clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Schedule(&t.timer, d, t) }))
	return ctx, func() {
		cancel(context.Canceled)
		clock.Post(loop.TaskFunc(func(l *loop.Loop) { l.Cancel(&t.timer) }))
	}
}

// deadline ends a context.
type deadline struct {
	cancel context.CancelCauseFunc
	cause  error
	timer  loop.Timer
}

// OnTimer is called when the time is over.
func (t *deadline) OnTimer(*loop.Loop, *loop.Timer) { t.cancel(t.cause) }
