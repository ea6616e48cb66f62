package frameworks_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// As one route of a framework, behind its middlewares, the server works over every
// transport, and ends first.
func TestGuests(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for name, route := range map[string]func(io *sio.Server) http.Handler{
		"gin": func(io *sio.Server) http.Handler {
			router := gin.New()
			router.Use(gin.Recovery())
			router.Any("/socket.io/*any", gin.WrapH(io))
			return router
		},
		"echo": func(io *sio.Server) http.Handler {
			router := echo.New()
			router.Use(echomiddleware.Recover())
			router.Any("/socket.io/*", echo.WrapHandler(io))
			return router
		},
		"chi": func(io *sio.Server) http.Handler {
			router := chi.NewRouter()
			router.Use(middleware.Recoverer, middleware.ClientIPFromRemoteAddr)
			router.Handle("/socket.io/*", io)
			return router
		},
	} {
		for _, transport := range []string{"websocket", "polling", "upgrade"} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				io, err := sio.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := io.OnEvent("double", func(n int, ack sio.Ack) error { return ack.Send(2 * n) }); err != nil {
					t.Fatal(err)
				}
				host := httptest.NewServer(route(io))
				c := siotest.Dial(t, host.URL, siotest.Transport(transport))
				if got := c.Call("double", 21).String(); got != "[42]" {
					t.Error(got)
				}
				limit, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := io.Shutdown(limit); err != nil {
					t.Error(err)
				}
				if err := host.Config.Shutdown(limit); err != nil {
					t.Error(err)
				}
				if got := c.ExpectDisconnect(); got != siotest.ReasonTransportClose {
					t.Errorf("the client sees %q", got)
				}
			})
		}
	}
}
