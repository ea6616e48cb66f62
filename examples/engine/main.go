// Command engine is Engine.IO without Socket.IO above it: sessions over long
// polling and WebSocket that carry messages, text or bytes. It sends each one
// back.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

func main() {
	addr := "localhost:3000"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	// The heartbeat finds peers that vanished; TCP's own keep-alive is not needed.
	config := net.ListenConfig{KeepAlive: -1}
	ln, err := config.Listen(context.Background(), "tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	e := engine.New(engine.Options{CORS: &engine.CORS{Origins: []string{"*"}}}, echo{})
	reactor, err := loop.New(loop.Options{}, router{e})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(reactor.Serve(ln))
}

// router answers all requests: those under /engine.io/ are the engine's.
type router struct{ engine *engine.Server }

// ServeRequest is called on an event loop, as all else below: it must not block.
func (r router) ServeRequest(c *loop.Conn, req *loop.Request) {
	if r.engine.Matches(req.Path) {
		r.engine.ServeRequest(c, req)
		return
	}
	_ = c.Respond(loop.Response{Status: http.StatusNotFound}) // unless the connection has gone
}

// echo is what happens to sessions.
type echo struct{}

// OnOpen is told of each new session and says who receives its messages.
func (echo) OnOpen(*engine.Session) engine.Receiver { return echo{} }

// OnMessage gets a message, which is valid until it returns.
func (echo) OnMessage(s *engine.Session, data []byte, binary bool) {
	_ = s.Send(false, engine.NewMessage(data, binary)) // unless the session has gone
}

// OnMove is told that another loop takes the session over.
func (echo) OnMove(*engine.Session, *loop.Loop) {}

// OnClose is told of the end.
func (echo) OnClose(_ *engine.Session, reason engine.CloseReason, _ error) {
	log.Println("closed:", reason)
}
