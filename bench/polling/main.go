// Command polling measures what a message over HTTP long polling costs the
// server: clients send an event and get it back, each by one POST and one GET on
// connections that are kept alive, while the server's CPU time is read from
// /proc. The server is the built one, on one event loop, as a child process. Its
// handler runs inline on the loop, unless -blocking is given.
//
// With -peer, another server is measured beside it, in alternating rounds, so
// that whatever else the machine does falls on both. The reference on Node is among
// those of bench/peers:
//
//	make build && npm ci --prefix bench/peers/node
//	NODE_ENV=production go run ./bench/polling -peer 'node bench/peers/node/server.mjs'
//
// It is CPU time of user and system that counts, not how long it takes: that
// would measure the clients, too, which share the machine.
package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
	"github.com/sio-gnet/sio-gnet/bench/internal/command"
)

// config is what the flags say.
type config struct {
	binary   string
	blocking bool
	peer     []string // a command; empty for none
	clients  int
	messages int
	warmup   int
	rounds   int
	payload  int
	timeout  time.Duration
	json     bool
}

// maxPayload keeps a message far below what the parser of answers takes.
const maxPayload = 32 << 10

func main() { command.Main("polling", run) }

func parse(args []string, stderr io.Writer) (config, error) {
	var (
		c    config
		peer string
	)
	flags := command.NewFlags("polling", stderr)
	flags.StringVar(&c.binary, "binary", "bin/sio-gnet", "the server to start (`make build` makes it)")
	flags.BoolVar(&c.blocking, "blocking", false, "run its handlers on goroutines, as is the default of programs, not inline")
	flags.StringVar(&peer, "peer", "", "another server's `command`, split at spaces, that prints its URL and is itself the server")
	flags.IntVar(&c.clients, "clients", 20, "how many `clients` send, each one message at a time")
	flags.IntVar(&c.messages, "messages", 20_000, "how many `messages` a round counts, of all clients")
	flags.IntVar(&c.warmup, "warmup", 5_000, "how many `messages` go before them uncounted")
	flags.IntVar(&c.rounds, "rounds", 5, "how many `rounds` each server has")
	flags.IntVar(&c.payload, "payload", 64, "the size of the text in a message, in `bytes`")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up after that long")
	flags.BoolVar(&c.json, "json", false, "print one JSON object")
	if err := command.Parse(flags, args); err != nil {
		return c, err //nolint:wrapcheck // it was told
	}
	c.peer = strings.Fields(peer)
	switch {
	case c.clients < 1 || c.messages < c.clients || c.warmup < 0 || c.rounds < 1:
		return c, command.Misused(flags, "-clients and -rounds must be above zero, and -messages at least as many as clients")
	case c.payload < 0 || c.payload > maxPayload:
		return c, command.Misused(flags, "-payload must be from 0 to %d", maxPayload)
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
	flags := []string{"--loops", "1"}
	if c.blocking {
		flags = append(flags, "--blocking-handlers")
	}
	ours, err := child.StartServer(ctx, c.binary, flags...)
	if err != nil {
		return err
	}
	defer ours.Stop()
	sides := []side{{name: "sio-gnet", addr: ours.Addr.String(), pid: ours.PID()}}
	if len(c.peer) > 0 {
		peer, err := child.Start(ctx, c.peer[0], c.peer[1:]...)
		if err != nil {
			return err
		}
		defer peer.Stop()
		sides = append(sides, side{name: "peer", addr: peer.Addr.String(), pid: peer.PID()})
	}
	progress := func(what string) { fmt.Fprintln(stderr, "polling:", what) }
	r, err := measure(ctx, c, sides, progress)
	if err != nil {
		return err
	}
	return command.Report(stdout, c.json, r, r.print)
}
