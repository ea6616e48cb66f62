// Command peers measures this server beside others, each with the same application
// (echo, bcast, join, leave, rcast) in its own language: one server at a time, pinned
// to one processor, and the load generator on another. The rounds of all servers are
// interleaved in random order, so that whatever else the machine does falls on all.
//
//	make bench-peers           # installs the peers, measures, writes the tables
//	make bench-peers QUICK=1   # shorter
//
// What counts is the server's CPU time for a message, and its memory for a client. A
// peer that is not installed is left out, and the tables say so.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		dir    = flag.String("dir", ".cache/peers", "where the peers are installed")
		binary = flag.String("binary", "bin/sio-gnet", "the server and load generator (`make build` makes it)")
		out    = flag.String("out", "bench/results", "folder for the results")
		rounds = flag.Int("rounds", 5, "how many `rounds` each server has")
		length = flag.Duration("duration", 4*time.Second, "how long each measurement takes")
		only   = flag.String("only", "", "comma-separated `names` of the servers to measure; all if empty")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	servers, missing := available(*binary, *dir, *only)
	if len(servers) == 0 {
		return fmt.Errorf("no server is installed in %s: run `make bench-peers`", *dir)
	}
	m := measurer{binary: *binary, duration: *length}
	r := results{Machine: describeMachine(), Started: time.Now(), Rounds: *rounds, Duration: length.String(), Missing: missing, Servers: describe(servers)}
	for round := range *rounds {
		order := slices.Clone(servers)
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, s := range order {
			for _, t := range tests {
				fmt.Fprintf(os.Stderr, "peers: round %d of %d: %s, %s\n", round+1, *rounds, s.name, t.name)
				f, err := m.measure(ctx, s, t)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					r.Failures = append(r.Failures, fmt.Sprintf("%s, %s: %v", s.name, t.name, err))
					continue
				}
				r.Figures = append(r.Figures, f)
			}
		}
	}
	if err := os.MkdirAll(*out, 0o755); err != nil { //nolint:gosec // it is for all to read
		return fmt.Errorf("results: %w", err)
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	file := filepath.Join(*out, "peers.json")
	if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil { //nolint:gosec // it is for all to read
		return fmt.Errorf("results: %w", err)
	}
	fmt.Print(r.markdown())
	return nil
}
