package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
)

// side is a server under measurement.
type side struct {
	name, addr string
	pid        int
}

// report is the result. Times are the server's CPU time for one message, in
// microseconds.
type report struct {
	Clients  int      `json:"clients"`
	Messages int      `json:"messages_per_round"`
	Payload  int      `json:"payload_bytes"`
	Sides    []figure `json:"servers"`
	// Ratio is the median of the first server by that of the second; 0 without one.
	Ratio float64 `json:"ratio_of_medians"`
}

// figure is what was measured of one server.
type figure struct {
	Name   string    `json:"name"`
	Rounds []float64 `json:"rounds_us"`
	Min    float64   `json:"min_us"`
	Median float64   `json:"median_us"`
	Max    float64   `json:"max_us"`
}

func newFigure(name string, rounds []float64) figure {
	s := slices.Sorted(slices.Values(rounds))
	n := len(s)
	return figure{Name: name, Rounds: rounds, Min: s[0], Median: (s[(n-1)/2] + s[n/2]) / 2, Max: s[n-1]}
}

// measure lets the servers take turns.
func measure(ctx context.Context, c config, sides []side, progress func(string)) (report, error) {
	r := report{Clients: c.clients, Messages: share(c.messages, c.clients) * c.clients, Payload: c.payload}
	rounds := make([][]float64, len(sides))
	for i := range c.rounds {
		for k, s := range sides {
			start := time.Now()
			cpu, err := round(ctx, c, s)
			if err != nil {
				return r, fmt.Errorf("%s, round %d: %w", s.name, i+1, err)
			}
			each := float64(cpu.Nanoseconds()) / 1e3 / float64(r.Messages)
			rounds[k] = append(rounds[k], each)
			progress(fmt.Sprintf("round %d of %d: %s %.1f µs (took %.1f s%s)", i+1, c.rounds, s.name, each, time.Since(start).Seconds(), doubt(cpu)))
		}
	}
	for k, s := range sides {
		r.Sides = append(r.Sides, newFigure(s.name, rounds[k]))
	}
	if len(sides) > 1 && r.Sides[1].Median > 0 {
		r.Ratio = r.Sides[0].Median / r.Sides[1].Median
	}
	return r, nil
}

// doubt says why a CPU time tells nothing: it is read in steps of 10 ms, and that of
// a process which only started the server stays at 0.
func doubt(cpu time.Duration) string {
	const least = 200 * time.Millisecond
	if cpu >= least {
		return ""
	}
	return fmt.Sprintf("; %v of CPU are too few to tell: raise -messages, or is the server another process?", cpu)
}

// share is how many of n messages each client sends, at least.
func share(n, clients int) int { return (n + clients - 1) / clients }

// round joins new clients to the server and returns the CPU time that it spends
// on their messages, joining and warming up not counted.
func round(ctx context.Context, c config, s side) (time.Duration, error) {
	cs := make([]*client, c.clients)
	defer func() {
		for _, cl := range cs {
			if cl != nil {
				cl.close()
			}
		}
	}()
	err := each(cs, func(i int) (err error) {
		cs[i], err = join(ctx, s.addr, c.payload)
		return err
	})
	if err != nil {
		return 0, err
	}
	echo := func(n int) error {
		return each(cs, func(i int) error { return cs[i].echo(n) })
	}
	if err := echo(share(c.warmup, c.clients)); err != nil {
		return 0, err
	}
	before, err := child.Read(s.pid)
	if err != nil {
		return 0, fmt.Errorf("measuring: %w", err)
	}
	if err := echo(share(c.messages, c.clients)); err != nil {
		return 0, err
	}
	after, err := child.Read(s.pid)
	if err != nil {
		return 0, fmt.Errorf("measuring: %w", err)
	}
	return after.CPU - before.CPU, nil
}

// each calls f for all clients at the same time, and waits for all.
func each(cs []*client, f func(i int) error) error {
	errs := make([]error, len(cs))
	var wg sync.WaitGroup
	for i := range cs {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// print writes the report for people.
func (r report) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintf(tw, "%d clients, %d messages a round, %d bytes\tCPU µs per message: median\tmin\tmax\n", r.Clients, r.Messages, r.Payload); err != nil {
		return err
	}
	for _, f := range r.Sides {
		if _, err := fmt.Fprintf(tw, "%s, %d rounds\t%.1f\t%.1f\t%.1f\n", f.Name, len(f.Rounds), f.Median, f.Min, f.Max); err != nil {
			return err
		}
	}
	if r.Ratio > 0 {
		if _, err := fmt.Fprintf(tw, "ratio of medians\t%.3f\n", r.Ratio); err != nil {
			return err
		}
	}
	return tw.Flush()
}
