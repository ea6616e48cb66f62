// Package apps holds what the demo applications of the binary share.
package apps

import (
	"io"
	"log/slog"
	"net/http"

	sio "github.com/sio-gnet/sio-gnet"
)

// App is one application that the binary can serve.
type App interface {
	// Handler answers the HTTP requests that are not Socket.IO's.
	Handler() http.Handler
	// Attach registers the application's handlers. It is called once, before the
	// server takes connections.
	Attach(server *sio.Server) error
}

// Config is what an application is told of how it is served.
type Config struct {
	// Path is the Socket.IO path, such as "/socket.io".
	Path string
	// HasClient says whether the client bundle is served under Path.
	HasClient bool
	// Blocking runs the handlers of the bench application on goroutines.
	Blocking bool
	// Out is where an application prints to.
	Out io.Writer
	// Logger receives log lines.
	Logger *slog.Logger
}
