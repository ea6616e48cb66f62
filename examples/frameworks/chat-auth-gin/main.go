// Command chat-auth-gin is a chat for people who have logged in, and an application of Gin.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/examples/frameworks/page"
)

func setUp(io *sio.Server, router *gin.Engine) {
	users, tokens := gin.Accounts{"admin": "root", "ann": "a", "bob": "b"}, new(sync.Map) // yours are hashed, and expire
	router.GET("/", func(c *gin.Context) { c.Data(http.StatusOK, "text/html; charset=utf-8", page.Login) })
	router.POST("/login", gin.BasicAuth(users), func(c *gin.Context) {
		token := rand.Text()
		tokens.Store(token, c.GetString(gin.AuthUserKey))
		c.JSON(http.StatusOK, gin.H{"token": token})
	})
	router.POST("/announce", gin.BasicAuth(gin.Accounts{"admin": users["admin"]}), func(c *gin.Context) {
		if err := io.Emit("announce", c.PostForm("text")); err != nil {
			c.String(http.StatusInternalServerError, err.Error())
		}
	})
	io.Use(func(s *sio.Socket) error {
		var auth struct{ Token string }
		err := s.Handshake().DecodeAuth(&auth)
		if name, ok := tokens.Load(auth.Token); ok && err == nil {
			s.SetData(name)
			return nil
		}
		return &sio.ConnectError{Message: "please log in"}
	})
	io.OnEvent("join", func(s *sio.Socket, room string, ack sio.Ack) error {
		s.Join("room:" + room) // with a prefix: a socket's id is a room, too, which nobody else should join
		return ack.Send("welcome to " + room)
	})
	io.OnEvent("chat", func(s *sio.Socket, room, text string) error {
		if !s.InRoom("room:" + room) {
			return nil
		}
		return io.To("room:"+room).Emit("chat", room, sio.DataOf[string](s), text)
	})
	io.OnRoomEvent(func(e sio.RoomEvent) { // a disconnection leaves the rooms, too
		if room, ok := strings.CutPrefix(e.Room, "room:"); ok && (e.Kind == sio.RoomJoined || e.Kind == sio.RoomLeft) {
			here := make(map[string]bool) // by name: one may have two tabs
			for _, s := range io.In(e.Room).Sockets() {
				here[sio.DataOf[string](s)] = true
			}
			if err := io.To(e.Room).Emit("here", room, here); err != nil {
				log.Println(err)
			}
		}
	})
}

func main() {
	router := gin.Default()
	io, err := sio.New(&sio.Options{Handler: router, ClientFiles: page.Client()})
	if err != nil {
		log.Fatal(err)
	}
	setUp(io, router)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := io.Run(ctx, append(os.Args, "localhost:3000")[1], 10*time.Second); err != nil {
		log.Fatal(err)
	}
}
