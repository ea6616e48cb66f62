// Package chat is a chat with rooms: names, who is here, typing, images and a
// short history, on one page.
package chat

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

//go:embed site
var site embed.FS

type app struct {
	cfg    apps.Config
	server *sio.Server
	hall   *hall
	news   news
}

// New returns the application.
func New(cfg apps.Config) apps.App { return &app{cfg: cfg, hall: newHall()} }

// Handler serves the page.
func (a *app) Handler() http.Handler {
	files, err := fs.Sub(site, "site")
	if err != nil {
		panic(err) // the name is a constant
	}
	return apps.Site(files, a.cfg)
}

// Attach registers the handlers.
func (a *app) Attach(server *sio.Server) error {
	a.server = server
	a.news.tell = a.announce
	server.Use(a.enter)
	server.OnConnection(a.welcome)
	return errors.Join(
		server.OnEvent("join", a.join),
		server.OnEvent("say", a.say),
		server.OnEvent("show", a.show),
		server.OnEvent("picture", a.picture),
		server.OnEvent("typing", a.typing),
	)
}

// answer is what every event is acknowledged with. Error is a sentence for
// people; it stands alone.
type answer struct {
	Error   string `json:"error,omitempty"`
	Room    string `json:"room,omitempty"`
	History []post `json:"history,omitempty"`
	Image   []byte `json:"image,omitempty"`
}

// reply acknowledges with a, or with what is wrong.
func reply(ack sio.Ack, a answer, err error) error {
	if err != nil {
		a = answer{Error: err.Error()}
	}
	return ack.Send(a)
}

// guest is the data of a socket.
type guest struct {
	*person
	pace pace
}

// enter refuses a client whose name won't do. The key is the tab's own: with
// it, a reloaded tab takes its name back before the server has noticed that the
// old page is gone.
func (a *app) enter(s *sio.Socket) error {
	var auth struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	}
	if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil {
		return errName
	}
	name, err := a.hall.check(auth.Name, auth.Key)
	if err != nil {
		return err
	}
	s.SetData(&guest{person: &person{name: name, key: auth.Key, socket: s.ID()}})
	return nil
}

// welcome lets the guest in, who may have lost the name to another meanwhile.
func (a *app) welcome(s *sio.Socket) {
	g := s.Data().(*guest)
	replaced, from, err := a.hall.enter(g.person)
	if err != nil {
		a.refuse(s, err)
		return
	}
	if replaced != "" {
		if old := a.server.Of("/").Socket(replaced); old != nil {
			a.refuse(old, errReplaced)
		}
	}
	s.OnDisconnect(func(*sio.Socket, sio.Reason) { a.news.of(a.hall.leave(g.person)) })
	a.news.of(from)
}

// refuse sends a guest away with a word.
func (a *app) refuse(s *sio.Socket, why error) {
	if err := s.Emit("refused", why.Error()); err == nil {
		s.Disconnect(true)
	}
}

// join moves the guest to a room, and answers with its history.
func (a *app) join(s *sio.Socket, name string, ack sio.Ack) error {
	g := s.Data().(*guest)
	if !g.pace.allow(time.Now()) {
		return reply(ack, answer{}, errTooFast)
	}
	var (
		left, joined string
		sent         error
	)
	err := a.hall.move(g.person, name, func(from, to string, history []post) {
		// Under the room's lock: what is said from now on comes after the answer.
		left, joined = from, to
		if from != "" {
			s.Leave(roomKey(from))
		}
		s.Join(roomKey(to))
		sent = reply(ack, answer{Room: to, History: history}, nil)
	})
	if err != nil {
		return reply(ack, answer{}, err)
	}
	a.news.of(left)
	a.news.of(joined)
	return sent
}

// say takes a message. The note is the page's own number for it: a message that
// is sent again after a lost connection is not posted twice.
func (a *app) say(s *sio.Socket, room, note, text string, ack sio.Ack) error {
	return a.post(s, room, post{Note: note, Text: text}, ack)
}

// show takes an image.
func (a *app) show(s *sio.Socket, room, note string, image []byte, ack sio.Ack) error {
	return a.post(s, room, post{Note: note, image: image}, ack)
}

func (a *app) post(s *sio.Socket, room string, m post, ack sio.Ack) error {
	g := s.Data().(*guest)
	if !g.pace.allow(time.Now()) {
		return reply(ack, answer{}, errTooFast)
	}
	err := a.hall.post(g.person, room, m, time.Now(), func(m post) error {
		return a.server.To(roomKey(room)).Emit("message", room, m)
	})
	return reply(ack, answer{}, err)
}

// picture sends the image of a message.
func (a *app) picture(s *sio.Socket, room string, id int64, ack sio.Ack) error {
	image, err := a.hall.picture(s.Data().(*guest).person, room, id)
	return reply(ack, answer{Image: image}, err)
}

// typing passes on that someone is writing, to those who can take it at once.
func (a *app) typing(s *sio.Socket, room string, on bool) error {
	g := s.Data().(*guest)
	if !g.pace.allow(time.Now()) || !s.InRoom(roomKey(room)) {
		return nil
	}
	return s.To(roomKey(room)).Volatile().Emit("typing", room, g.name, on)
}

// roomKey keeps the names that people give to rooms apart from the rooms that
// sockets have by their ids.
func roomKey(name string) string { return "chat:" + name }

// announce tells everyone which rooms there are, and those in a changed room
// who else is there.
func (a *app) announce(changed []string) {
	a.hall.publish(func(rooms []roomInfo) {
		a.check(a.server.Emit("rooms", rooms))
	})
	for _, room := range changed {
		a.hall.introduce(room, func(names []string, count int) {
			a.check(a.server.To(roomKey(room)).Emit("members", room, names, count))
		})
	}
}

func (a *app) check(err error) {
	if err != nil {
		a.cfg.Logger.Error("chat: announcing", "error", err)
	}
}
