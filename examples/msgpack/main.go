// Command msgpack speaks MessagePack in place of JSON: packets are smaller, and
// binary data, dates and large numbers are what they are. It answers a picture's
// bytes with what it has made of them.
package main

import (
	"embed"
	"log"
	"net/http"
	"os"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/clientbundle"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
)

//go:embed index.html
var site embed.FS

// picture is what the page sends and gets: the same struct would do for JSON.
type picture struct {
	Name   string    `json:"name"`
	Pixels []byte    `json:"pixels"` // red, green, blue and opacity of each
	Taken  time.Time `json:"taken"`
}

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
		ClientFiles: client,
		Handler:     http.FileServerFS(site),
		Parser:      msgpack.Parser{}, // the page loads socket.io.msgpack.min.js
	})
	if err != nil {
		log.Fatal(err)
	}
	io.OnEvent("negative", func(p picture, ack sio.Ack) error {
		for i := range p.Pixels {
			if i%4 < 3 {
				p.Pixels[i] ^= 0xff
			}
		}
		p.Name = "negative of " + p.Name
		return ack.Send(p)
	})
	log.Fatal(io.ListenAndServe(addr))
}
