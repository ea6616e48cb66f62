// Command chat-chi is a chat of Socket.IO beside an application of chi: a page, and a
// REST route from which other programs talk into a room.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/examples/frameworks/page"
)

type message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

func main() {
	addr := "localhost:3000"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	app := chi.NewRouter()
	io, err := sio.New(&sio.Options{Handler: app, ClientFiles: page.Client()})
	if err != nil {
		log.Fatal(err)
	}
	io.OnEvent("join", func(s *sio.Socket, room string) { s.Join("chat:" + room) })
	io.OnEvent("message", func(_ *sio.Socket, room string, m message) error {
		return io.To("chat:"+room).Emit("message", m)
	})

	app.Use(middleware.Logger, middleware.Recoverer)
	app.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.HTML) // who has left reads no page
	})
	app.Post("/rooms/{room}/messages", func(w http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10_000)).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := io.To("chat:"+chi.URLParam(r, "room")).Emit("message", m); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	log.Fatal(io.ListenAndServe(addr))
}
