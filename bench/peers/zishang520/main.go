// Command zishang520 is the bench application on the Go server of that name. It
// takes its port from the command line and prints its URL.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	options := socket.DefaultServerOptions()
	options.SetServeClient(false)
	io := socket.NewServer(nil, options)
	for _, name := range []string{"/", "/bench"} {
		namespace := io.Of(name, nil)
		if err := namespace.On("connection", func(clients ...any) { attach(namespace, clients[0].(*socket.Socket)) }); err != nil {
			log.Fatal(err)
		}
	}
	http.Handle("/socket.io/", io.ServeHandler(nil))
	ln, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", ln.Addr())
	log.Fatal(http.Serve(ln, nil))
}

func attach(namespace socket.Namespace, s *socket.Socket) {
	on := func(event string, fn func(args []any, ack func([]any, error))) {
		err := s.On(event, func(args ...any) {
			var ack func([]any, error)
			if n := len(args); n > 0 {
				if f, ok := args[n-1].(func([]any, error)); ok {
					ack, args = f, args[:n-1]
				}
			}
			fn(args, ack)
		})
		if err != nil {
			log.Print(err)
		}
	}
	on("echo", func(args []any, ack func([]any, error)) {
		if ack != nil {
			ack(args, nil)
			return
		}
		report(s.Emit("echo", args...))
	})
	on("bcast", func(args []any, _ func([]any, error)) { report(namespace.Emit("bcast", args...)) })
	on("join", func(args []any, ack func([]any, error)) {
		s.Join(socket.Room(args[0].(string)))
		if ack != nil {
			ack(nil, nil)
		}
	})
	on("leave", func(args []any, ack func([]any, error)) {
		s.Leave(socket.Room(args[0].(string)))
		if ack != nil {
			ack(nil, nil)
		}
	})
	on("rcast", func(args []any, _ func([]any, error)) {
		report(namespace.To(socket.Room(args[0].(string))).Emit("rcast", args[1:]...))
	})
}

func report(err error) {
	if err != nil {
		log.Print(err)
	}
}
