package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// echo is an Engine.IO server that sends every message back as it came, and
// nothing else. Other paths than its own are not found.
type echo struct {
	engine  *engine.Server
	reactor *loop.Reactor
}

func newEngineV3(loops int) (backend, error) { return newEcho(engine.Options{AllowEIO3: true}, loops) }

func newEngineV4(loops int) (backend, error) { return newEcho(engine.Options{}, loops) }

func newEcho(opts engine.Options, loops int) (backend, error) {
	opts.PingInterval, opts.PingTimeout, opts.MaxPayload = pingInterval, pingTimeout, maxPayload
	e := new(echo)
	e.engine = engine.New(opts, e)
	var err error
	if e.reactor, err = loop.New(loop.Options{Loops: loops, MaxBody: maxPayload}, e); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *echo) serve(ln net.Listener) error {
	if err := e.reactor.Serve(ln); !errors.Is(err, loop.ErrServerClosed) {
		return err
	}
	return nil
}

func (e *echo) shutdown(context.Context) error {
	e.engine.CloseAll()
	return e.reactor.Stop()
}

// ServeHTTP is called in guest mode.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.reactor.ServeHTTP(w, r) }

// ServeRequest is called by the reactor.
func (e *echo) ServeRequest(c *loop.Conn, r *loop.Request) {
	if e.engine.Matches(r.Path) {
		e.engine.ServeRequest(c, r)
		return
	}
	_ = c.Respond(loop.Response{Status: http.StatusNotFound}) // a connection that is gone needs no answer
}

// OnOpen is called by the engine.
func (e *echo) OnOpen(*engine.Session) engine.Receiver { return e }

// OnMessage is called by the engine.
func (*echo) OnMessage(s *engine.Session, data []byte, binary bool) {
	_ = s.Send(false, engine.NewMessage(data, binary)) // it fails when the session has just been closed
}

// OnMove is called by the engine.
func (*echo) OnMove(*engine.Session, *loop.Loop) {}

// OnClose is called by the engine.
func (*echo) OnClose(*engine.Session, engine.CloseReason, error) {}
