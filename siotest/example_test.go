package siotest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// exampleT stands in for the *testing.T that a test has.
type exampleT struct {
	testing.TB

	cleanup []func()
}

func (*exampleT) Helper()                      {}
func (t *exampleT) Cleanup(f func())           { t.cleanup = append(t.cleanup, f) }
func (*exampleT) Errorf(f string, args ...any) { log.Panicf(f, args...) }
func (*exampleT) Fatalf(f string, args ...any) { log.Panicf(f, args...) }
func (*exampleT) Fatal(args ...any)            { log.Panic(args...) }

func (t *exampleT) end() {
	for i := len(t.cleanup) - 1; i >= 0; i-- {
		t.cleanup[i]()
	}
}

// register is what the program under test does with its server.
func register(io *sio.Server) {
	io.OnEvent("join", func(s *sio.Socket, room string, ack sio.Ack) error {
		s.Join(room)
		return ack.Send(s.Namespace().RoomSize(room))
	})
	io.OnEvent("chat", func(s *sio.Socket, room, text string) error {
		return s.To(room).Emit("chat", text)
	})
}

// A test of a chat with two people. Here, t is a stand-in for the *testing.T.
func ExampleStart() {
	t := new(exampleT)
	defer t.end()

	io, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	register(io)
	srv := siotest.Start(t, io)
	alice, bob := srv.Connect(t), srv.Connect(t)

	fmt.Println(alice.Call("join", "lobby"))
	fmt.Println(bob.Call("join", "lobby"))
	alice.Emit("chat", "lobby", "hi")
	fmt.Println(bob.Expect("chat"))
	alice.ExpectNone("chat")
	// Output:
	// [1]
	// [2]
	// chat("hi")
}

// The server's time moves only when the test says so.
func ExampleServer_Advance() {
	t := new(exampleT)
	defer t.end()

	io, err := sio.New(&sio.Options{PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	io.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(_ *sio.Socket, reason sio.Reason) { fmt.Println(reason) })
	})
	srv := siotest.Start(t, io)
	bob := srv.Connect(t)

	srv.Advance(time.Hour) // with all its heartbeats
	fmt.Println(bob.Connected())
	bob.Drop()
	srv.Advance(45*time.Second - time.Millisecond)
	fmt.Println(io.Clients())
	srv.Advance(time.Millisecond)
	fmt.Println(io.Clients())
	// Output:
	// true
	// 1
	// ping timeout
	// 0
}

// A middleware refuses whoever has no token.
func ExampleServer_TryConnect() {
	t := new(exampleT)
	defer t.end()

	io, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Use(func(s *sio.Socket) error {
		if string(s.Handshake().Auth) != `{"token":"secret"}` {
			return &sio.ConnectError{Message: "not authorized", Data: map[string]int{"retryAfter": 60}}
		}
		return nil
	})
	srv := siotest.Start(t, io)

	_, err = srv.TryConnect(t, siotest.Auth(map[string]string{"token": "guess"}))
	if refused, ok := errors.AsType[*sio.ConnectError](err); ok {
		fmt.Printf("%s %s\n", refused.Message, refused.Data)
	}
	srv.Connect(t, siotest.Auth(map[string]string{"token": "secret"}))
	// Output: not authorized {"retryAfter":60}
}

// setUp is all that the program adds to its server and its router; main makes both,
// calls it, and serves them.
func setUp(io *sio.Server, router *http.ServeMux) {
	register(io)
	router.HandleFunc("POST /rooms/{room}", func(w http.ResponseWriter, r *http.Request) {
		if err := io.To(r.PathValue("room")).Emit("chat", r.FormValue("text")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// A program with routes of its own, whose main does little more than to call
// setUp. Whatever the host in the URL is, HTTP reaches the server.
func ExampleServer_HTTP() {
	t := new(exampleT)
	defer t.end()

	router := http.NewServeMux()
	io, err := sio.New(&sio.Options{Handler: router})
	if err != nil {
		t.Fatal(err)
	}
	setUp(io, router)
	srv := siotest.Start(t, io)
	bob := srv.Connect(t)
	bob.Call("join", "lobby")

	res, err := srv.HTTP().PostForm("http://server/rooms/lobby", url.Values{"text": {"lunch!"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	fmt.Println(res.Status)
	fmt.Println(bob.Expect("chat"))
	// Output:
	// 202 Accepted
	// chat("lunch!")
}

// The server asks a client, which answers.
func ExampleClient_OnCall() {
	t := new(exampleT)
	defer t.end()

	io, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := siotest.Start(t, io)
	bob := srv.Connect(t)
	bob.OnCall("who", func(siotest.Args) []any { return []any{"Bob", []byte{1, 2, 3}} })

	reply, err := io.Of("/").Socket(bob.ID()).EmitWithAck(context.Background(), "who")
	if err != nil {
		t.Fatal(err)
	}
	var (
		name    string
		picture []byte
	)
	if err := reply.Decode(&name, &picture); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s % x\n", name, picture)
	// Output: Bob 01 02 03
}

// What goes over the wire, packet by packet.
func ExampleServer_Open() {
	t := new(exampleT)
	defer t.end()

	io, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	register(io)
	srv := siotest.Start(t, io)
	c := srv.Open(t)
	c.Join("/", "")
	c.Send(`421["join","lobby"]`)
	fmt.Println(c.Next())
	// Output: 431[1]
}
