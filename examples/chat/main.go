// Command chat is a chat with rooms, names, and a list of who is there.
package main

import (
	"context"
	"embed"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/clientbundle"
)

//go:embed index.html
var site embed.FS

func main() {
	addr := "localhost:3000"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	client, err := clientbundle.FS()
	if err != nil {
		log.Fatal(err)
	}
	io, err := sio.New(&sio.Options{ClientFiles: client, Handler: http.FileServerFS(site)})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnection(func(s *sio.Socket) {
		s.OnDisconnecting(func(s *sio.Socket, _ sio.Reason) {
			if v := sio.DataOf[visitor](s); v.Room != "" {
				io.To(v.Room).Emit("left", v.Name)
				announce(io, v.Room)
			}
		})
	})
	io.OnEvent("enter", func(s *sio.Socket, name, room string, ack sio.Ack) error {
		room = "room " + room // a socket's id is a room, too, which nobody else should enter
		s.SetData(visitor{name, room})
		s.Join(room)
		s.To(room).Emit("entered", name)
		announce(io, room)
		return ack.Send()
	})
	io.OnEvent("say", func(s *sio.Socket, text string) error {
		v := sio.DataOf[visitor](s)
		return io.To(v.Room).Emit("said", v.Name, text, time.Now().UnixMilli())
	})
	io.OnEvent("typing", func(s *sio.Socket) error {
		v := sio.DataOf[visitor](s)
		return s.Volatile().To(v.Room).Emit("typing", v.Name)
	})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := io.Run(ctx, addr, 10*time.Second); err != nil {
		log.Fatal(err)
	}
}

type visitor struct{ Name, Room string }

// announce tells a room who is in it.
func announce(io *sio.Server, room string) {
	names := []string{}
	for _, s := range io.In(room).Sockets() {
		names = append(names, sio.DataOf[visitor](s).Name)
	}
	slices.Sort(names)
	io.To(room).Emit("here", names)
}
