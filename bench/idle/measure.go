package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
)

// report is the result. Memory is in bytes, times are in seconds.
type report struct {
	Clients        int     `json:"clients"`
	Transport      string  `json:"transport"`
	Deflate        bool    `json:"deflate"`
	PingInterval   float64 `json:"ping_interval_s"`
	RSSBefore      int64   `json:"rss_before_bytes"`
	RSSAfter       int64   `json:"rss_after_bytes"`
	PerClient      float64 `json:"rss_per_client_bytes"`
	PeakRSS        int64   `json:"rss_peak_bytes"`
	Threads        int     `json:"threads"`
	ConnectSeconds float64 `json:"connect_s"`
	ConnectCPU     float64 `json:"connect_cpu_s"`
	IdleSeconds    float64 `json:"idle_s"`
	IdleCPU        float64 `json:"idle_cpu_s"`
	IdleHeartbeats int64   `json:"idle_heartbeats"`
}

// settledHeartbeats is how many heartbeats each client has answered before the
// measurement: by then what connecting left behind has been collected, as far
// as it ever is.
const settledHeartbeats = 2

// measure joins the clients, waits until they have settled and watches the
// process pid for the window.
func measure(ctx context.Context, c config, addr netip.AddrPort, pid int, progress func(string)) (report, error) {
	r := report{Clients: c.clients, Transport: c.transport, Deflate: c.deflate, PingInterval: c.ping.Seconds()}
	before, err := child.Read(pid)
	if err != nil {
		return r, err
	}

	cs, err := newClients(addr, c)
	if err != nil {
		return r, err
	}
	defer cs.close()
	start := time.Now()
	if err := cs.runUntil(ctx, func() bool { return cs.joined == c.clients }); err != nil {
		return r, fmt.Errorf("%d of %d clients joined: %w", cs.joined, c.clients, err)
	}
	r.ConnectSeconds = time.Since(start).Seconds()
	joined, err := child.Read(pid)
	if err != nil {
		return r, err
	}
	progress(fmt.Sprintf("%d clients joined in %.1f s; waiting for %d heartbeats of each", c.clients, r.ConnectSeconds, settledHeartbeats))

	if err := cs.runUntil(ctx, func() bool { return cs.settled == c.clients }); err != nil {
		return r, fmt.Errorf("%d of %d clients saw %d heartbeats: %w", cs.settled, c.clients, settledHeartbeats, err)
	}
	progress(fmt.Sprintf("settled; watching for %v", c.window))

	quiet, err := child.Read(pid)
	if err != nil {
		return r, err
	}
	heartbeats, start := cs.heartbeats, time.Now()
	if err := cs.runUntil(ctx, func() bool { return time.Since(start) >= c.window }); err != nil {
		return r, err
	}
	after, err := child.Read(pid)
	if err != nil {
		return r, err
	}

	r.IdleSeconds = time.Since(start).Seconds()
	r.IdleHeartbeats = cs.heartbeats - heartbeats
	r.IdleCPU = (after.CPU - quiet.CPU).Seconds()
	r.ConnectCPU = (joined.CPU - before.CPU).Seconds()
	r.RSSBefore, r.RSSAfter, r.PeakRSS = before.RSS, after.RSS, after.Peak
	r.PerClient = float64(after.RSS-before.RSS) / float64(c.clients)
	r.Threads = after.Threads
	return r, nil
}

// print writes the report for people.
func (r report) print(w io.Writer) error {
	const mega = 1 << 20
	over := r.Transport
	if r.Deflate {
		over += " with compression"
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range []struct {
		name, format string
		args         []any
	}{
		{"clients", "%d over %s, heartbeat every %g s", []any{r.Clients, over, r.PingInterval}},
		{"memory before", "%.1f MiB", []any{float64(r.RSSBefore) / mega}},
		{"memory with clients", "%.1f MiB (peak %.1f MiB)", []any{float64(r.RSSAfter) / mega, float64(r.PeakRSS) / mega}},
		{"memory per client", "%.0f bytes", []any{r.PerClient}},
		{"threads", "%d", []any{r.Threads}},
		{"connecting", "%.2f s, %.2f s of CPU", []any{r.ConnectSeconds, r.ConnectCPU}},
		{"idle", "%.2f s of CPU in %.1f s, %d heartbeats", []any{r.IdleCPU, r.IdleSeconds, r.IdleHeartbeats}},
	} {
		if _, err := fmt.Fprintf(tw, "%s\t"+line.format+"\n", append([]any{line.name}, line.args...)...); err != nil {
			return err
		}
	}
	return tw.Flush()
}
