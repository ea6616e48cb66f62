// Package apptest helps the tests of the applications: it serves one, and is
// its client, with events instead of packets.
package apptest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

// patience bounds the end of a server, so that a failing test ends.
const patience = 10 * time.Second

// Serve serves an application on a free port until the test ends, and returns
// the address. An error that the application or the server reports fails the
// test.
func Serve(tb testing.TB, app apps.App) (addr string) {
	tb.Helper()
	server, err := sio.New(&sio.Options{
		Handler: app.Handler(),
		Logger:  slog.New(slog.DiscardHandler),
		OnError: func(_ *sio.Socket, err error) {
			if !errors.Is(err, sio.ErrDisconnected) { // a test that ends closes its clients
				tb.Errorf("reported: %v", err)
			}
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := app.Attach(server); err != nil {
		tb.Fatal(errors.Join(err, server.Close()))
	}
	config := net.ListenConfig{}
	ln, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(errors.Join(err, server.Close()))
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
			tb.Errorf("Serve returned %v", err)
		}
	})
	return ln.Addr().String()
}
