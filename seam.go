package sio

import (
	"context"
	"errors"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/seam"
	"github.com/sio-gnet/sio-gnet/loop"
)

func init() {
	seam.Of = func(server any) seam.Server { return testServer{server.(*Server)} }
	seam.RawArgs = func(values, attachments [][]byte) any { return RawArgs{values: values, attachments: attachments} }
}

// testServer is a server as the package siotest sees it.
type testServer struct{ server *Server }

// Hold is called by tests.
func (t testServer) Hold() { t.server.reactor.Hold() }

// Release is called by tests.
func (t testServer) Release() { t.server.reactor.Release() }

// Now is called by tests.
func (t testServer) Now() time.Time { return t.server.reactor.Now() }

// Step is called by tests.
func (t testServer) Step(ctx context.Context, limit time.Duration) (time.Duration, error) {
	moved, err := t.server.reactor.Step(ctx, limit)
	return moved, ended(err)
}

// Look is called by tests. Whoever starts a handler has been counted as a step,
// or is a handler itself: so the loops come first.
func (t testServer) Look(ctx context.Context) (seam.Activity, error) {
	a, err := t.server.reactor.Look(ctx)
	return seam.Activity{
		Steps: a.Steps, Flushing: a.Flushing, Serving: a.Serving,
		Handlers: int(t.server.handlers.Load()), Hooks: t.server.engine.Working(),
	}, ended(err)
}

// ended makes [ErrServerClosed] of what says that there are no loops any more.
func ended(err error) error {
	if errors.Is(err, loop.ErrServerClosed) || errors.Is(err, loop.ErrReactorStopped) {
		return ErrServerClosed
	}
	return err
}
