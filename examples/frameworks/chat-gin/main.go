// Command chat-gin is a chat of Socket.IO beside an application of Gin: a page, and a
// REST route from which other programs talk into a room.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

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
	app := gin.Default()
	io, err := sio.New(&sio.Options{Handler: app, ClientFiles: page.Client()})
	if err != nil {
		log.Fatal(err)
	}
	io.OnEvent("join", func(s *sio.Socket, room string) { s.Join("chat:" + room) })
	io.OnEvent("message", func(_ *sio.Socket, room string, m message) error {
		return io.To("chat:"+room).Emit("message", m)
	})

	app.GET("/", func(c *gin.Context) { c.Data(http.StatusOK, "text/html; charset=utf-8", page.HTML) })
	app.POST("/rooms/:room/messages", func(c *gin.Context) {
		var m message
		if err := c.ShouldBindJSON(&m); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		if err := io.To("chat:"+c.Param("room")).Emit("message", m); err != nil {
			c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
			return
		}
		c.JSON(http.StatusAccepted, m)
	})
	log.Fatal(io.ListenAndServe(addr))
}
