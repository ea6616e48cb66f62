package load

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

var (
	transportNames = map[client.Transport]string{client.WebSocket: "websocket", client.Polling: "polling", client.Upgrade: "upgrade"}
	deflateNames   = map[client.Deflate]string{client.Deflated: "permessage-deflate", client.DeflateTakeover: "permessage-deflate with takeover"}
)

// begin makes a result of what is known before.
func (r *runner) begin() *report.Result {
	c := r.cfg
	return &report.Result{
		Format: report.Format, Tool: c.Tool, Started: r.reactor.Started(),
		Settings: report.Settings{
			URL: c.Target.URL, Transport: transportNames[c.Client.Transport], EIO: c.Client.EIO,
			Namespace: c.Client.Namespace, MessagePack: c.Client.MessagePack, Deflate: deflateNames[c.Client.Deflate],
			TLS: c.Target.TLS, ConnectRate: c.ConnectRate, Warmup: c.Warmup.Seconds(), Duration: c.Duration.Seconds(),
			Loops: c.Loops, CPUs: runtime.NumCPU(),
		},
		Clients:  report.Clients{Asked: r.run.Clients()},
		Warnings: []string{}, Crossed: []string{},
	}
}

// fill adds what was measured.
func (r *runner) fill(res *report.Result, t *stats.Totals, m *meter) {
	res.Seconds = m.seconds()
	res.Series = r.points
	res.Errors = errorsOf(t)
	res.Latency = make(map[string]report.Latency)
	for i, name := range t.Metrics {
		res.Latency[name] = latencyOf(t.Hists[i])
	}
	received := int64(0)
	for i := range r.cfg.Parts {
		p := partOf(&r.cfg.Parts[i], &t.Counters[i], res.Seconds)
		received += p.Received
		res.Parts = append(res.Parts, p)
	}
	res.Main = r.mainLatency()
	r.processes(res, m, received)
	res.Warnings = append(res.Warnings, r.warnings(res)...)
}

// mainLatency is that of the first part that has messages, else of connecting.
func (r *runner) mainLatency() string {
	for i := range r.cfg.Parts {
		p := &r.cfg.Parts[i]
		switch name := p.Latency(); {
		case p.Kind == scenario.Presence:
			return name + ".join"
		case name != "":
			return name
		}
	}
	return "connect"
}

func errorsOf(t *stats.Totals) []report.Error {
	list := []report.Error{}
	for kind, n := range t.Errors {
		list = append(list, report.Error{Kind: kind, Count: n})
	}
	slices.SortFunc(list, func(a, b report.Error) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return list
}

// curve are the percentages of the points of a distribution that are kept.
var curve = []float64{
	0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96.5, 98, 99, 99.3, 99.6, 99.8, 99.9,
	99.93, 99.96, 99.98, 99.99, 99.995, 99.999,
}

func latencyOf(h *stats.Hist) report.Latency {
	if h.Count() == 0 {
		return report.Latency{}
	}
	l := report.Latency{
		Count: h.Count(), Min: h.Min(), Mean: h.Mean(), P50: h.Quantile(50), P90: h.Quantile(90),
		P99: h.Quantile(99), P999: h.Quantile(99.9), P9999: h.Quantile(99.99), Max: h.Max(),
	}
	for _, q := range curve {
		if q > 0 && float64(h.Count())*(100-q) < 100 {
			break // less than one latency is above
		}
		l.Curve = append(l.Curve, [2]float64{q, h.Quantile(q)})
	}
	return l
}

func partOf(p *scenario.Part, c *stats.Counters, seconds float64) report.Part {
	out := report.Part{
		Name: p.Name, Scenario: string(p.Kind), Clients: p.Clients, Rate: p.Rate, Window: p.Window, Size: p.Size, Binary: p.Binary,
		Sent: c.Sent, Received: c.Received, Lost: c.Lost, Doubled: c.Doubled, Reordered: c.Reordered, Stray: c.Stray, Unsent: c.Unsent,
	}
	if seconds > 0 {
		out.SentRate, out.ReceivedRate = float64(c.Sent)/seconds, float64(c.Received)/seconds
	}
	return out
}

func (r *runner) processes(res *report.Result, m *meter, received int64) {
	self, clients := os.Getpid(), float64(max(res.Clients.Held, 1))
	lag := res.Latency["lag"]
	res.Generator = report.Generator{
		CPUShare: m.busy(self), LoopShare: r.cfg.loopsBusy(m.busy(self)), LagP50: lag.P50, LagP99: lag.P99, LagMax: lag.Max,
		RSS: m.after[self].RSS, PerClient: max(float64(m.after[self].RSS-r.before[self].RSS)/clients, 0),
	}
	pid := r.cfg.PID
	if pid == 0 {
		return
	}
	res.Server = &report.Process{
		PID: pid, CPU: (m.after[pid].CPU - m.before[pid].CPU).Seconds(), CPUShare: m.busy(pid),
		RSSBefore: r.before[pid].RSS, RSS: m.after[pid].RSS, PeakRSS: max(r.peak, m.after[pid].RSS),
		PerClient: max(float64(m.after[pid].RSS-r.before[pid].RSS)/clients, 0),
	}
	if received > 0 {
		res.Server.PerMessage = res.Server.CPU * 1e6 / float64(received)
	}
}

// warnings says where the result is this program's rather than the server's.
func (r *runner) warnings(res *report.Result) (list []string) {
	g := &res.Generator
	if g.LoopShare > 0.85 {
		list = append(list, fmt.Sprintf("this tool was busy for %.0f%% of the time that its event loops have: it is the bottleneck, not the server. Use more --loops, or less load.", 100*g.LoopShare))
	}
	latency := res.Latency[res.Main]
	if g.LagP99 > 1 && g.LagP99 > latency.P99/10 {
		list = append(list, fmt.Sprintf("this tool did what was due up to %s late (p99): that is part of the latencies.", report.Millis(g.LagP99)))
	}
	busy := g.CPUShare
	if res.Server != nil {
		busy += res.Server.CPUShare
		if cpus := float64(res.Settings.CPUs); busy > 0.95*cpus {
			list = append(list, fmt.Sprintf("server and tool together kept %.1f of %d processors busy, and took them from each other.", busy, res.Settings.CPUs))
		}
	}
	if r.ended {
		list = append(list, fmt.Sprintf("the server's process, %d, ended before the run did.", r.cfg.PID))
	}
	for i := range res.Parts {
		p := &res.Parts[i]
		if p.Unsent > 0 {
			list = append(list, fmt.Sprintf("%s: %d times nothing was sent when it was due, since no client could: the server did not read, or had not answered.", p.Name, p.Unsent))
		}
		if p.Rate > 0 && res.Seconds > 0 && p.SentRate < 0.98*p.Rate {
			list = append(list, fmt.Sprintf("%s: %.0f a second were done of the %.0f that were asked for.", p.Name, p.SentRate, p.Rate))
		}
	}
	return list
}
