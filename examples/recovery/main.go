// Command recovery shows connection state recovery: a ticker sends a line each
// second, and who was away for less than two minutes misses none, keeps its id,
// and is still in its rooms.
package main

import (
	"embed"
	"log"
	"net/http"
	"os"
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
	io, err := sio.New(&sio.Options{
		ClientFiles:             client,
		Handler:                 http.FileServerFS(site),
		ConnectionStateRecovery: &sio.Recovery{MaxDisconnectionDuration: 2 * time.Minute},
	})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnection(func(s *sio.Socket) {
		if s.Recovered() {
			log.Println(s.ID(), "is back")
			return // it is in its rooms, and gets what it has missed
		}
		s.Join("ticker")
	})
	go tick(io, time.Second)
	log.Fatal(io.ListenAndServe(addr))
}

// tick emits a numbered line at each interval.
func tick(io *sio.Server, interval time.Duration) {
	n := 0
	for now := range time.Tick(interval) {
		n++
		if err := io.To("ticker").Emit("line", n, now.UnixMilli()); err != nil {
			log.Println(err)
		}
	}
}
