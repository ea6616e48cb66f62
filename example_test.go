package sio_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// exampleTB lets the test client of these examples report its failures.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Fatal(args ...any)         { log.Panic(args...) }
func (exampleTB) Fatalf(f string, a ...any) { log.Panicf(f, a...) }
func (exampleTB) Errorf(f string, a ...any) { log.Panicf(f, a...) }
func (exampleTB) Context() context.Context  { return context.Background() }

// talk plays a client: it joins a namespace, sends packets, and prints as many
// answers.
func talk(addr, namespace, auth string, packets ...string) {
	c := siotest.Open(exampleTB{}, "http://"+addr)
	defer c.Close()
	c.Send("40" + namespace + auth)
	answer := c.Next()
	if answer[:2] == "44" {
		fmt.Println(answer)
		return
	}
	for _, p := range packets {
		c.Send(p)
		fmt.Println(c.Next())
	}
}

// start serves on a free port.
func start(io *sio.Server) (addr string) {
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Panic(err)
	}
	go func() {
		if err := io.Serve(ln); !errors.Is(err, sio.ErrServerClosed) {
			log.Panic(err)
		}
	}()
	return ln.Addr().String()
}

func stop(io *sio.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := io.Shutdown(ctx); err != nil {
		log.Panic(err)
	}
}

// A handler is an ordinary function; an Ack answers the client that asked.
func Example() {
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	io.OnConnection(func(s *sio.Socket) {
		s.On("greet", func(_ *sio.Socket, name string, ack sio.Ack) error {
			return ack.Send("hello, " + name)
		})
	})
	addr := start(io)

	talk(addr, "", "", `420["greet","Ada"]`)
	// Output: 430["hello, Ada"]
}

// Arguments are decoded into the types that the handler asks for, and replies
// are encoded from any.
func ExampleServer_OnEvent() {
	type order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	io.OnEvent("order", func(s *sio.Socket, o order, note string) error {
		return s.Emit("ordered", map[string]any{"what": fmt.Sprintf("%d x %s", o.Count, o.Item)}, note)
	})
	addr := start(io)

	talk(addr, "", "", `42["order",{"item":"tea","count":2},"no sugar"]`)
	// Output: 42["ordered",{"what":"2 x tea"},"no sugar"]
}

// The raw form gets the arguments as they came. With Inline, it runs on the
// event loop: nothing is faster, and it must not block.
func ExampleInline() {
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	io.OnEvent("echo", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
		return ack.SendRaw(args)
	}, sio.Inline)
	addr := start(io)

	talk(addr, "", "", `421["echo",{"any":["thing"]}]`)
	// Output: 431[{"any":["thing"]}]
}

// A middleware decides who may connect to a namespace.
func ExampleNamespace_Use() {
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	io.Of("/admin").Use(func(s *sio.Socket) error {
		if string(s.Handshake().Auth) != `{"token":"secret"}` {
			return &sio.ConnectError{Message: "not authorized", Data: map[string]int{"retryAfter": 60}}
		}
		return nil
	})
	addr := start(io)

	talk(addr, "/admin,", `{"token":"guess"}`)
	// Output: 44/admin,{"message":"not authorized","data":{"retryAfter":60}}
}

// Rooms are made by joining them. A broadcast can go to several, and leave some
// out; a socket gets it once.
func ExampleServer_To() {
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	io.OnEvent("play", func(s *sio.Socket, game string) error {
		s.Join(game, "players")
		return s.Namespace().To(game, "players").Except("spectators").Emit("joined", game)
	})
	addr := start(io)

	talk(addr, "", "", `42["play","chess"]`)
	// Output: 42["joined","chess"]
}

// EmitWithAck asks a client and waits for its answer.
func ExampleSocket_EmitWithAck() {
	io, err := sio.New(nil)
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	answers := make(chan string, 1)
	io.OnConnection(func(s *sio.Socket) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		reply, err := s.EmitWithAck(ctx, "who", "are you?")
		if err != nil {
			log.Println(err)
			return
		}
		var name string
		if err := reply.Decode(&name); err != nil {
			log.Println(err)
			return
		}
		answers <- name
	})
	addr := start(io)

	c := siotest.Open(exampleTB{}, "http://"+addr)
	defer c.Close()
	c.Join("/", "")
	fmt.Println(c.Next())
	c.Send(`430["Grace"]`)
	fmt.Println(<-answers)
	// Output:
	// 420["who","are you?"]
	// Grace
}

// Other paths of the server are any http.Handler's.
func ExampleOptions_handler() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "fine")
	})
	io, err := sio.New(&sio.Options{Handler: mux})
	if err != nil {
		log.Panic(err)
	}
	defer stop(io)
	addr := start(io)

	res, err := http.Get("http://" + addr + "/health")
	if err != nil {
		log.Panic(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
	// Output: 200 OK
}
