// Command whiteboard is a board that many people draw on at once. Strokes
// travel and are kept as bytes.
package main

import (
	"embed"
	"encoding/binary"
	"errors"
	"log"
	"net/http"
	"os"
	"sync"

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
	b := &board{io: io, strokes: []byte{}}
	io.OnConnection(b.open)
	io.OnEvent("draw", b.draw)
	io.OnEvent("clear", b.clear)
	io.OnEvent("pointer", func(s *sio.Socket, x, y float64) error {
		return s.Broadcast().Volatile().Emit("pointer", s.ID(), x, y)
	})
	log.Fatal(io.ListenAndServe(addr))
}

// board is what was drawn: strokes one behind the other, each with its length
// in two bytes in front, then colour, width and points. Its lock is held while
// something is sent, so that everyone gets things in the order of the board.
type board struct {
	io      *sio.Server
	mu      sync.Mutex
	strokes []byte
}

const (
	minStroke = 4 + 3*4
	maxStroke = 4 << 10
	maxBoard  = 512 << 10 // over it, the oldest strokes go
)

// open shows the board to a newcomer.
func (b *board) open(s *sio.Socket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Emit("board", b.strokes)
	b.io.Emit("people", b.io.SocketCount())
	s.OnDisconnect(func(s *sio.Socket, _ sio.Reason) {
		b.io.Emit("gone", s.ID())
		b.io.Emit("people", b.io.SocketCount())
	})
}

var errStroke = errors.New("not a stroke")

// draw adds a stroke and shows it to the others.
func (b *board) draw(s *sio.Socket, stroke []byte) error {
	if len(stroke) < minStroke || len(stroke) > maxStroke || int(binary.BigEndian.Uint16(stroke)) != len(stroke)-2 {
		return errStroke
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strokes = append(b.strokes, stroke...)
	for len(b.strokes) > maxBoard {
		b.strokes = b.strokes[2+int(binary.BigEndian.Uint16(b.strokes)):]
	}
	return s.Broadcast().Emit("draw", stroke)
}

// clear wipes the board for everyone.
func (b *board) clear() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strokes = []byte{} // nil would be null to the page
	return b.io.Emit("board", b.strokes)
}
