// Command hello is the smallest complete program: it greets each client, and
// answers what the client says.
package main

import (
	"fmt"
	"log"
	"os"

	sio "github.com/sio-gnet/sio-gnet"
)

func main() {
	addr := "localhost:3000"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	io, err := sio.New(&sio.Options{CORS: &sio.CORS{Origins: []string{"*"}}})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnection(func(s *sio.Socket) {
		fmt.Println("connected:", s.ID())
		report(s.On("hey", func(_ *sio.Socket, name string, ack sio.Ack) error {
			return ack.Send("hey, " + name)
		}))
		s.OnDisconnect(func(s *sio.Socket, reason sio.Reason) {
			fmt.Println("disconnected:", s.ID(), reason)
		})
		report(s.Emit("hello", "world"))
	})
	log.Fatal(io.ListenAndServe(addr))
}

func report(err error) {
	if err != nil {
		log.Println(err)
	}
}
