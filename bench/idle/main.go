// Command idle measures what idle clients cost the server: it starts the built
// server as a child process, joins it with many Socket.IO clients over loopback
// that do nothing but answer heartbeats, and reads the server's memory, threads
// and CPU time from /proc.
//
//	make build && go run ./bench/idle -clients 10000
//	go run ./bench/idle -transport polling
//	go run ./bench/idle -deflate
//
// A polling client has one connection, on which a GET waits for nearly all of
// the time. With -deflate, the clients offer permessage-deflate, and each has
// exchanged a compressed message with the server before it goes idle.
//
// The clients live in this process, on one epoll set, without a goroutine each,
// so that a small machine has room for the server. The command knows only as
// much of the protocol as an idle client needs; it is no load generator.
//
// Memory is VmRSS: what the kernel spends on the sockets is not in it.
package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
	"github.com/sio-gnet/sio-gnet/bench/internal/command"
)

// config is what the flags say.
type config struct {
	binary    string
	transport string
	deflate   bool
	clients   int
	ping      time.Duration
	window    time.Duration
	timeout   time.Duration
	json      bool
}

// What -transport may be.
const (
	overWebSocket = "websocket"
	overPolling   = "polling"
)

func main() { command.Main("idle", run) }

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := command.NewFlags("idle", stderr)
	flags.StringVar(&c.binary, "binary", "bin/sio-gnet", "the server to start (`make build` makes it)")
	flags.StringVar(&c.transport, "transport", overWebSocket, "how the clients connect, websocket or polling")
	flags.BoolVar(&c.deflate, "deflate", false, "compress WebSocket messages")
	flags.IntVar(&c.clients, "clients", 10_000, "how many `clients` join")
	flags.DurationVar(&c.ping, "ping-interval", 5*time.Second, "the server's heartbeat interval")
	flags.DurationVar(&c.window, "window", 10*time.Second, "how long to watch the server idle")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up after that long")
	flags.BoolVar(&c.json, "json", false, "print one JSON object")
	if err := command.Parse(flags, args); err != nil {
		return c, err //nolint:wrapcheck // it was told
	}
	switch {
	case c.clients < 1 || c.ping <= 0 || c.window <= 0:
		return c, command.Misused(flags, "-clients, -ping-interval and -window must be above zero")
	case c.transport != overWebSocket && (c.transport != overPolling || c.deflate):
		return c, command.Misused(flags, "-transport must be websocket, or else polling without -deflate")
	}
	return c, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := enoughDescriptors(c.clients); err != nil {
		return err
	}
	flags := []string{"--ping-interval", c.ping.String()}
	if c.deflate {
		flags = append(flags, "--deflate")
	}
	server, err := child.StartServer(ctx, c.binary, flags...)
	if err != nil {
		return err
	}
	defer server.Stop()

	progress := func(what string) { fmt.Fprintln(stderr, "idle:", what) }
	r, err := measure(ctx, c, server.Addr, server.PID(), progress)
	if err != nil {
		return err
	}
	return command.Report(stdout, c.json, r, r.print)
}
