// Command chat-echo is a chat of Socket.IO beside an application of Echo: a page, and a
// REST route from which other programs talk into a room.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

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
	app := echo.New()
	io, err := sio.New(&sio.Options{Handler: app, ClientFiles: page.Client()})
	if err != nil {
		log.Fatal(err)
	}
	io.OnEvent("join", func(s *sio.Socket, room string) { s.Join("chat:" + room) })
	io.OnEvent("message", func(_ *sio.Socket, room string, m message) error {
		return io.To("chat:"+room).Emit("message", m)
	})

	app.Use(middleware.RequestLogger(), middleware.Recover())
	app.GET("/", func(c echo.Context) error { return c.HTMLBlob(http.StatusOK, page.HTML) })
	app.POST("/rooms/:room/messages", func(c echo.Context) error {
		var m message
		if err := c.Bind(&m); err != nil {
			return err
		}
		if err := io.To("chat:"+c.Param("room")).Emit("message", m); err != nil {
			return err
		}
		return c.JSON(http.StatusAccepted, m)
	})
	log.Fatal(io.ListenAndServe(addr))
}
