package engine_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// echo sends each message back.
type echo struct{}

func (echo) OnOpen(*engine.Session) engine.Receiver { return echo{} }

func (echo) OnMessage(s *engine.Session, data []byte, binary bool) {
	_ = s.Send(false, engine.NewMessage(data, binary)) // it fails only once the session is closed
}

func (echo) OnMove(*engine.Session, *loop.Loop) {}

func (echo) OnClose(*engine.Session, engine.CloseReason, error) {}

// A server of Engine.IO alone: a reactor with the engine as its handler.
func Example() {
	logger := slog.New(slog.DiscardHandler)
	server := engine.New(engine.Options{Logger: logger}, echo{})
	reactor, err := loop.New(loop.Options{Logger: logger}, server)
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- reactor.Serve(ln) }()

	res, err := http.Get("http://" + ln.Addr().String() + "/engine.io/?EIO=4&transport=polling")
	if err != nil {
		fmt.Println(err)
		return
	}
	packet, err := io.ReadAll(res.Body)
	if err != nil {
		fmt.Println(err)
	}
	_ = res.Body.Close()
	fmt.Println(res.StatusCode, strings.HasPrefix(string(packet), `0{"sid":"`), server.Sessions())

	server.CloseAll()
	if err := reactor.Stop(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-served)
	// Output:
	// 200 true 1
	// loop: server closed
}
