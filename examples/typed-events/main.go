// Command typed-events is a poll. Its events are declared once, with their types:
// what is sent or handled otherwise does not compile.
package main

import (
	"embed"
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

// The protocol between the page and the server.
var (
	vote   = sio.NewEvent[ballot]("vote")    // from the page
	result = sio.NewEvent[results]("result") // to the page
)

type ballot struct {
	Choice string `json:"choice"`
}

type results struct {
	Question string   `json:"question"`
	Answers  []answer `json:"answers"`
}

type answer struct {
	Text  string `json:"text"`
	Votes int    `json:"votes"`
}

// poll is its current state. Its lock is held while that is sent, so that the last
// that everyone sees is the latest.
type poll struct {
	mu sync.Mutex
	results
}

var errChoice = errors.New("there is no such answer")

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
	p := &poll{results: results{"Tabs or spaces?", []answer{{Text: "Tabs"}, {Text: "Spaces"}, {Text: "Whatever gofmt does"}}}}
	io.OnConnection(func(s *sio.Socket) {
		p.mu.Lock()
		defer p.mu.Unlock()
		result.Emit(s, p.results)
	})
	vote.On(io, func(_ *sio.Socket, b ballot, ack sio.Ack) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i := range p.Answers {
			if a := &p.Answers[i]; a.Text == b.Choice {
				a.Votes++
				return errors.Join(result.Emit(io, p.results), ack.Send("thank you"))
			}
		}
		return errors.Join(errChoice, ack.Send(errChoice.Error()))
	})
	log.Fatal(io.ListenAndServe(addr))
}
