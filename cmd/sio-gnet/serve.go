package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/clientbundle"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/bench"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/chat"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/hello"
)

// run serves until a signal or a failure ends it.
func (c *serveCommand) run(stdout, stderr io.Writer) error {
	log := c.logger(stderr)
	files, err := clientbundle.FS()
	if err != nil {
		log.Warn("the browser client is not served", "error", err)
	}
	app := c.app(apps.Config{
		Path: c.Path, HasClient: files != nil, Blocking: c.BlockingHandlers, Out: stdout, Logger: log,
	})
	server, err := sio.New(c.options(app, files, log))
	if err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	if err := app.Attach(server); err != nil {
		return errors.Join(fmt.Errorf("starting: %w", err), server.Close())
	}
	lns, err := c.listen()
	if err != nil {
		return errors.Join(err, server.Close())
	}
	// From the line on that says it serves, a signal ends it in order.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	fmt.Fprintf(stdout, "sio-gnet: %s on %s (Socket.IO path %s)\n", c.App, addresses(lns), c.Path)
	return c.serve(server, lns, signals, log)
}

func (c *serveCommand) serve(server *sio.Server, lns []net.Listener, signals <-chan os.Signal, log *slog.Logger) error {
	failed := make(chan error, len(lns))
	for _, ln := range lns {
		go func() { failed <- server.Serve(ln) }()
	}
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serving: %w", err), server.Close())
	case s := <-signals:
		log.Info("shutting down", "signal", s.String(), "within", c.DrainTimeout)
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.DrainTimeout)
	defer cancel()
	go func() {
		<-signals
		cancel()
	}()
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("not all clients and handlers ended in time", "error", err)
	}
	return nil
}

func (c *serveCommand) options(app apps.App, files fs.FS, log *slog.Logger) *sio.Options {
	var deflate *sio.Deflate
	if c.Deflate || c.DeflateClientTakeover {
		deflate = &sio.Deflate{ClientContextTakeover: c.DeflateClientTakeover}
	}
	return &sio.Options{
		PerMessageDeflate: deflate,

		Path:                     c.Path,
		PingInterval:             c.PingInterval,
		PingTimeout:              c.PingTimeout,
		ConnectTimeout:           c.ConnectTimeout,
		UpgradeTimeout:           c.UpgradeTimeout,
		MaxPayload:               c.MaxPayload,
		CORS:                     c.cors(),
		AllowEIO3:                c.AllowEIO3,
		Loops:                    c.Loops,
		TrustedProxies:           c.trusted(),
		MaxConnectionsPerAddress: c.MaxConnectionsPerAddress,
		HandshakesPerSecond:      c.HandshakesPerSecond,
		TrustUnixPeers:           slices.Contains(c.TrustedProxies, unixPeers),
		UseForwarded:             c.Forwarded,
		Handler:                  app.Handler(),
		ClientFiles:              files,
		ClientVersion:            clientbundle.Version(),
		Logger:                   log,
	}
}

func (c *serveCommand) app(cfg apps.Config) apps.App {
	switch c.App {
	case "hello":
		return hello.New(cfg)
	case "bench":
		return bench.New(cfg)
	}
	return chat.New(cfg)
}

// cors lets pages of the origins send cookies along, unless they are any.
func (c *serveCommand) cors() *sio.CORS {
	if len(c.Origins) == 0 {
		return nil
	}
	return &sio.CORS{Origins: c.Origins, Credentials: !slices.Contains(c.Origins, "*")}
}

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func (c *serveCommand) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevels[c.LogLevel]}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
