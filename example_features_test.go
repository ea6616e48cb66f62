package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"regexp"
	"slices"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// serveExample starts a server; done ends it.
func serveExample(opts *sio.Options) (io *sio.Server, addr string, done func()) {
	io, err := sio.New(opts)
	if err != nil {
		log.Panic(err)
	}
	return io, start(io), func() { stop(io) }
}

// join plays a client that joins "/".
func join(addr string) *siotest.Conn {
	c := siotest.Open(exampleTB{}, "http://"+addr)
	c.Join("/", "")
	return c
}

// Namespaces keep parts of a program apart over one connection: each has its own
// sockets, handlers and rooms.
func ExampleServer_Of() {
	io, addr, done := serveExample(nil)
	defer done()
	news := io.Of("/news")
	news.OnEvent("latest", func(ack sio.Ack) error { return ack.Send("it works") })

	talk(addr, "/news,", "", `42/news,1["latest"]`)
	// Output: 43/news,1["it works"]
}

// Namespaces whose names match a pattern are made as clients ask for them.
func ExampleServer_OfPattern() {
	io, addr, done := serveExample(&sio.Options{CleanupEmptyChildNamespaces: true})
	defer done()
	boards := io.OfPattern(regexp.MustCompile(`^/board-\d+$`))
	boards.OnEvent("draw", func(s *sio.Socket, shape string) error {
		return s.Namespace().Emit("drawn", shape)
	})

	talk(addr, "/board-7,", "", `42/board-7,["draw","circle"]`)
	// Output: 42/board-7,["drawn","circle"]
}

// A function decides about names that no pattern can tell, and may ask a database.
func ExampleServer_OfFunc() {
	io, addr, done := serveExample(nil)
	defer done()
	owners := map[string]string{"/team-red": "ada"}
	io.OfFunc(func(_ context.Context, name string, auth json.RawMessage) bool {
		var who struct{ User string }
		return json.Unmarshal(auth, &who) == nil && who.User != "" && owners[name] == who.User
	})

	talk(addr, "/team-red,", `{"user":"eve"}`)
	// Output: 44/team-red,{"message":"Invalid namespace"}
}

// A socket's own middleware sees each event before its handler, and may drop it.
func ExampleSocket_Use() {
	refusals := make(chan error, 1)
	io, addr, done := serveExample(&sio.Options{OnError: func(_ *sio.Socket, err error) { refusals <- err }})
	defer done()
	io.OnConnection(func(s *sio.Socket) {
		s.Use(func(_ *sio.Socket, e *sio.Incoming) error {
			if e.Event == "delete" {
				return errors.Join(e.Ack.Send("read only"), errors.New("someone wants to delete"))
			}
			return nil
		})
	})

	talk(addr, "", "", `421["delete","everything"]`)
	fmt.Println(<-refusals)
	// Output:
	// 431["read only"]
	// someone wants to delete
}

// OnAny sees what comes in, whether it is handled or not.
func ExampleSocket_OnAny() {
	io, addr, done := serveExample(nil)
	defer done()
	io.OnConnection(func(s *sio.Socket) {
		s.OnAny(func(_ *sio.Socket, e *sio.Incoming) { fmt.Println(e.Event, e.Args.Len()) })
	})
	io.OnEvent("bye", func(ack sio.Ack) error { return ack.Send("bye") })

	c := join(addr)
	defer c.Close()
	c.Send(`42["what",1,2]`, `421["bye"]`)
	fmt.Println(c.Next())
	// Output:
	// what 2
	// bye 0
	// 431["bye"]
}

// Rooms are joined and left at will, and a socket tells those in its rooms when it
// goes.
func ExampleSocket_Join() {
	io, addr, done := serveExample(nil)
	defer done()
	io.OnEvent("enter", func(s *sio.Socket, room string, ack sio.Ack) error {
		s.Join(room)
		return ack.Send(io.RoomSize(room))
	})
	io.OnConnection(func(s *sio.Socket) {
		s.OnDisconnecting(func(s *sio.Socket, reason sio.Reason) {
			if err := s.To(s.Rooms()...).Emit("gone", reason); err != nil {
				log.Print(err)
			}
		})
	})

	ada, eve := join(addr), join(addr)
	defer ada.Close()
	for _, c := range []*siotest.Conn{ada, eve} {
		c.Send(`421["enter","kitchen"]`)
		fmt.Println(c.Next())
	}
	eve.Close()
	fmt.Println(ada.Next())
	// Output:
	// 431[1]
	// 431[2]
	// 42["gone","transport close"]
}

// EmitWithAck of a broadcast asks many clients at once. Those that don't answer in time
// are missing, and the others' answers are there.
func ExampleBroadcast_EmitWithAck() {
	io, addr, done := serveExample(nil)
	defer done()
	a, b, silent := join(addr), join(addr), join(addr)
	defer silent.Close()
	defer a.Close()
	defer b.Close()
	for i, c := range []*siotest.Conn{a, b} {
		go func() {
			c.Next() // the question
			c.Send(fmt.Sprintf("430[%d]", 20+i))
		}()
	}

	replies, err := io.Timeout(200*time.Millisecond).EmitWithAck(context.Background(), "age?")
	ages := make([]int, len(replies))
	for i, r := range replies {
		if err := r.Decode(&ages[i]); err != nil {
			log.Panic(err)
		}
	}
	slices.Sort(ages)
	fmt.Println(ages, err, errors.Is(err, sio.ErrAckTimeout))
	// Output: [20 21] sio: 2 of 3 clients acknowledged: sio: operation has timed out true
}

// Answers takes the answers of many clients as they come. Here one is enough.
func ExampleBroadcast_Answers() {
	io, addr, done := serveExample(nil)
	defer done()
	quick, slow := join(addr), join(addr)
	defer quick.Close()
	defer slow.Close()
	go func() {
		quick.Next()
		quick.Send(`430["me!"]`)
	}()

	for reply, err := range io.Answers(context.Background(), "who takes the call?") {
		if err != nil {
			log.Panic(err)
		}
		var who string
		if err := reply.Decode(&who); err != nil {
			log.Panic(err)
		}
		fmt.Println(who)
		break
	}
	// Output: me!
}

// A typed event is declared once, and the compiler checks both of its sides.
func ExampleNewEvent() {
	type message struct {
		Room string `json:"room"`
		Text string `json:"text"`
	}
	chat := sio.NewEvent[message]("chat")

	io, addr, done := serveExample(nil)
	defer done()
	err := chat.On(io, func(s *sio.Socket, m message, _ sio.Ack) error {
		s.Join(m.Room)
		return chat.Emit(io.To(m.Room), m)
	})
	if err != nil {
		log.Panic(err)
	}

	talk(addr, "", "", `42["chat",{"room":"tea","text":"hello"}]`)
	// Output: 42["chat",{"room":"tea","text":"hello"}]
}

// What a middleware has found out about a client stays with its socket; its context ends
// with it.
func ExampleDataOf() {
	type user struct{ Name string }

	io, addr, done := serveExample(nil)
	defer done()
	io.Use(func(s *sio.Socket) error {
		var u user
		if err := json.Unmarshal(s.Handshake().Auth, &u); err != nil {
			return err
		}
		s.SetData(u)
		return nil
	})
	io.OnEvent("whoami", func(s *sio.Socket, ack sio.Ack) error {
		ctx, cancel := context.WithTimeout(s.Context(), time.Second) // for a database, say
		defer cancel()
		return ack.Send(sio.DataOf[user](s).Name, ctx.Err() == nil)
	})

	talk(addr, "", `{"name":"Ada"}`, `421["whoami"]`)
	// Output: 431["Ada",true]
}

// FetchSockets finds sockets, of all servers if there are several, and what is known of
// them.
func ExampleBroadcast_FetchSockets() {
	io, addr, done := serveExample(nil)
	defer done()
	c := join(addr)
	defer c.Close()
	s := io.Sockets()[0]
	s.Join("lobby")
	s.SetData("Grace")

	found, err := io.In("lobby").FetchSockets(context.Background())
	if err != nil {
		log.Panic(err)
	}
	for _, s := range found {
		var name string
		if err := s.DecodeData(&name); err != nil {
			log.Panic(err)
		}
		fmt.Println(name, s.InRoom("lobby"))
	}
	// Output: Grace true
}

// Servers that are connected by an adapter can talk to each other. This one connects
// servers of one process.
func ExampleNamespace_ServerSideEmitWithAck() {
	bus := broadcast.NewBus()
	first, _, done := serveExample(&sio.Options{Adapter: bus.Join})
	defer done()
	second, _, done := serveExample(&sio.Options{Adapter: bus.Join})
	defer done()
	second.OnServerSide("load", func(unit string, ack sio.Ack) error { return ack.Send("7 " + unit) })

	replies, err := first.ServerSideEmitWithAck(context.Background(), "load", "percent")
	if err != nil {
		log.Panic(err)
	}
	for _, r := range replies {
		var load string
		if err := r.Decode(&load); err != nil {
			log.Panic(err)
		}
		fmt.Println(load)
	}
	// Output: 7 percent
}
