// Command polling measures what a message over HTTP long polling costs the
// server: clients send an event and get it back, each by one POST and one GET on
// connections that are kept alive, while the server's CPU time is read from
// /proc. The server is the built one, on one event loop, as a child process.
//
// With -peer, another server is measured beside it, in alternating rounds, so
// that whatever else the machine does falls on both. The one in peer is the
// reference on Node:
//
//	make build && npm ci --prefix bench/polling/peer
//	go run ./bench/polling -peer 'node bench/polling/peer/peer.mjs'
//
// It is CPU time of user and system that counts, not how long it takes: that
// would measure the clients, too, which share the machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
)

// config is what the flags say.
type config struct {
	binary   string
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "polling:", err)
		os.Exit(1)
	}
}

// errUsage is returned for flags that make no sense, after it was said why.
var errUsage = errors.New("wrong usage")

func parse(args []string, stderr io.Writer) (config, error) {
	var (
		c    config
		peer string
	)
	flags := flag.NewFlagSet("polling", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.binary, "binary", "bin/sio-gnet", "the server to start (`make build` makes it)")
	flags.StringVar(&peer, "peer", "", "another server's `command`, split at spaces, that prints its URL")
	flags.IntVar(&c.clients, "clients", 20, "how many `clients` send, each one message at a time")
	flags.IntVar(&c.messages, "messages", 20_000, "how many `messages` a round counts, of all clients")
	flags.IntVar(&c.warmup, "warmup", 5_000, "how many `messages` go before them uncounted")
	flags.IntVar(&c.rounds, "rounds", 5, "how many `rounds` each server has")
	flags.IntVar(&c.payload, "payload", 64, "the size of the text in a message, in `bytes`")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up after that long")
	flags.BoolVar(&c.json, "json", false, "print one JSON object")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return c, flag.ErrHelp
		}
		return c, errUsage // the flag set has told
	}
	c.peer = strings.Fields(peer)
	switch {
	case c.clients < 1 || c.messages < c.clients || c.warmup < 0 || c.rounds < 1 || flags.NArg() > 0:
		fmt.Fprintln(stderr, "polling: -clients and -rounds must be above zero, -messages at least as many as clients, and there are no other arguments")
		return c, errUsage
	case c.payload < 0 || c.payload > maxPayload:
		fmt.Fprintf(stderr, "polling: -payload must be from 0 to %d\n", maxPayload)
		return c, errUsage
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
	ours, err := child.StartServer(ctx, c.binary, "--loops", "1")
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
	if c.json {
		return json.NewEncoder(stdout).Encode(r)
	}
	return r.print(stdout)
}
