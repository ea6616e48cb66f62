// Command private-messages lets people who have signed in write to each other.
// Each may have several tabs and devices: a message reaches all of them.
package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
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
	a := &accounts{key: []byte(rand.Text()), passwords: make(map[string]string)}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(site))
	mux.HandleFunc("POST /sign-in", a.signIn)
	io, err := sio.New(&sio.Options{ClientFiles: client, Handler: mux})
	if err != nil {
		log.Fatal(err)
	}
	io.Use(func(s *sio.Socket) error {
		var auth struct{ Token string }
		if err := s.Handshake().DecodeAuth(&auth); err != nil {
			return errToken
		}
		name, ok := a.verify(auth.Token)
		if !ok {
			return errToken
		}
		s.SetData(name)
		s.Join(user + name)
		return nil
	})
	// One event at a time, so that what everyone is told last is how it is.
	io.OnRoomEvent(func(e sio.RoomEvent) {
		if strings.HasPrefix(e.Room, user) && (e.Kind == sio.RoomJoined || e.Kind == sio.RoomDeleted) {
			announce(io)
		}
	})
	io.OnEvent("message", func(s *sio.Socket, to, text string, ack sio.Ack) error {
		if text = strings.TrimSpace(text); text == "" || len(text) > 4000 {
			return ack.Send("A message has from 1 to 4000 characters.")
		}
		if io.RoomSize(user+to) == 0 {
			return ack.Send(to + " is not here.")
		}
		from := sio.DataOf[string](s)
		err := s.To(user+to, user+from).Emit("message", from, to, text)
		return errors.Join(err, ack.Send(""))
	})
	log.Fatal(io.ListenAndServe(addr))
}

var errToken = &sio.ConnectError{Message: "Please sign in.", Data: "token"}

// user begins the name of each person's room, in which are all tabs and devices.
const user = "user:"

// announce tells everyone who is there.
func announce(io *sio.Server) {
	names := []string{}
	for _, room := range io.Rooms() {
		if name, ok := strings.CutPrefix(room, user); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	io.Emit("people", names)
}

// accounts are in memory: the first who uses a name chooses its password.
type accounts struct {
	key       []byte
	mu        sync.Mutex
	passwords map[string]string // hashed
}

var validName = regexp.MustCompile(`^[\p{L}\p{N} _-]{1,20}$`)

// signIn answers a name and a password with a token.
func (a *accounts) signIn(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSpace(r.PostFormValue("name"))
	hash, err := pbkdf2.Key(sha256.New, r.PostFormValue("password"), []byte(name), 100_000, 32)
	if err != nil || !validName.MatchString(name) || r.PostFormValue("password") == "" {
		http.Error(w, "A name of up to 20 letters, and a password, please.", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch known := a.passwords[name]; {
	case known == "":
		a.passwords[name] = string(hash)
	case !hmac.Equal([]byte(known), hash):
		http.Error(w, "That is not the password of "+name+".", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"name": name, "token": name + "." + a.sign(name)})
}

func (a *accounts) sign(name string) string {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(name))
	return hex.EncodeToString(mac.Sum(nil))
}

// verify returns whom a token was made for.
func (a *accounts) verify(token string) (name string, ok bool) {
	name, signature, _ := strings.Cut(token, ".")
	return name, hmac.Equal([]byte(signature), []byte(a.sign(name)))
}
