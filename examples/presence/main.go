// Command presence shows who is in a room, and who of them is looking. Somebody
// with several tabs is one person.
package main

import (
	"cmp"
	"embed"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/clientbundle"
)

//go:embed index.html
var site embed.FS

// person is what a socket stands for. It is replaced, never changed.
type person struct {
	Name    string `json:"name"`
	Looking bool   `json:"looking"` // the tab is in front
}

// The rooms of the page have names of their own, apart from those of sockets.
const prefix = "page:"

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
	p := &presence{io: io}
	io.OnEvent("enter", func(s *sio.Socket, room, name string) {
		for _, old := range s.Rooms() {
			if strings.HasPrefix(old, prefix) {
				s.Leave(old)
			}
		}
		s.SetData(person{Name: short(name), Looking: true})
		s.Join(prefix + short(room))
	})
	io.OnEvent("looking", func(s *sio.Socket, yes bool) {
		s.SetData(person{Name: sio.DataOf[person](s).Name, Looking: yes})
		for _, room := range s.Rooms() {
			p.announce(room)
		}
	})
	// Whoever joins, leaves or is lost: here it is known, one event at a time.
	io.OnRoomEvent(func(e sio.RoomEvent) {
		if e.Kind == sio.RoomJoined || e.Kind == sio.RoomLeft {
			p.announce(e.Room)
		}
	})
	log.Fatal(io.ListenAndServe(addr))
}

// presence tells rooms who is in them. Its lock sees to it that what a room is
// told last is how it is.
type presence struct {
	io *sio.Server
	mu sync.Mutex
}

func (p *presence) announce(room string) {
	if !strings.HasPrefix(room, prefix) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	looking := make(map[string]bool)
	for _, s := range p.io.In(room).Sockets() {
		who := sio.DataOf[person](s)
		looking[who.Name] = looking[who.Name] || who.Looking
	}
	here := make([]person, 0, len(looking))
	for name, looks := range looking {
		here = append(here, person{name, looks})
	}
	slices.SortFunc(here, func(a, b person) int { return cmp.Compare(a.Name, b.Name) })
	p.io.To(room).Emit("here", here)
}

// short makes something of a name in any case.
func short(name string) string {
	name = strings.ToValidUTF8(strings.TrimSpace(name), "")
	if runes := []rune(name); len(runes) > 24 {
		name = string(runes[:24])
	}
	return cmp.Or(name, "nameless")
}
