// Package hello is the minimal example of Socket.IO: both sides greet, count
// and print what they get.
package hello

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

//go:embed site
var site embed.FS

type app struct {
	cfg  apps.Config
	tick time.Duration // between two "hello"

	mu sync.Mutex // one line at a time
}

// New returns the application.
func New(cfg apps.Config) apps.App { return &app{cfg: cfg, tick: time.Second} }

// Handler serves the page.
func (a *app) Handler() http.Handler {
	files, err := fs.Sub(site, "site")
	if err != nil {
		panic(err) // the name is a constant
	}
	return apps.Site(files, a.cfg)
}

// hey is what the page counts with.
type hey struct {
	Counter int `json:"counter"`
}

// Attach registers the handlers.
func (a *app) Attach(server *sio.Server) error {
	server.OnConnection(func(s *sio.Socket) {
		a.print("connect %s\n", s.ID())
		s.OnDisconnect(func(s *sio.Socket, reason sio.Reason) {
			a.print("disconnect %s due to %s\n", s.ID(), reason)
		})
		go a.count(s)
	})
	if err := server.OnEvent("hey", func(s *sio.Socket, h hey) {
		a.print("hey from %s {counter: %d}\n", s.ID(), h.Counter)
	}); err != nil {
		return err
	}
	// Text, an object and bytes arrive as three arguments, and go back as three.
	return server.OnEvent("salutations", func(s *sio.Socket, text string, object map[string]any, bytes []byte) error {
		// As JSON, the object stays on the line whatever is in it.
		shown, err := json.Marshal(object)
		if err != nil {
			return fmt.Errorf("hello: showing the object: %w", err)
		}
		a.print("salutations from %s %q %s %v\n", s.ID(), text, shown, bytes)
		return s.Emit("greetings", text, object, bytes)
	})
}

// count says hello each second, for as long as the client is there.
func (a *app) count(s *sio.Socket) {
	gone := make(chan struct{})
	s.OnDisconnect(func(*sio.Socket, sio.Reason) { close(gone) })
	ticker := time.NewTicker(a.tick)
	defer ticker.Stop()
	for counter := 1; ; counter++ {
		select {
		case <-gone:
			return
		case <-ticker.C:
			if err := s.Emit("hello", counter); err != nil {
				return // it has just left
			}
		}
	}
}

func (a *app) print(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := fmt.Fprintf(a.cfg.Out, format, args...); err != nil {
		a.cfg.Logger.Warn("hello: printing", "error", err)
	}
}
