package load

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// sampler collects the series of a run.
type sampler struct {
	phase  string
	points []report.Point
	begun  time.Time
	last   time.Time
	usage  map[int]stats.Process // as of the last sample
	hists  []*stats.Hist
	peak   int64 // the server's memory
	ended  bool  // the server's process
}

// pollEvery is how often it is looked whether a phase is over.
const pollEvery = 5 * time.Millisecond

// wait waits until done says so or ctx ends, and samples meanwhile.
func (r *runner) wait(ctx context.Context, done func() bool) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for ctx.Err() == nil && !done() {
		if time.Since(r.last) >= r.cfg.Interval {
			r.sample()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (r *runner) waitUntil(ctx context.Context, at int64) {
	r.wait(ctx, func() bool { return r.reactor.Now() >= at })
}

// readProcesses reads what the server and this process use. That the server's can't be
// read is an error.
func (r *runner) readProcesses(into map[int]stats.Process) (err error) {
	if into[os.Getpid()], err = stats.ReadProcess(os.Getpid()); err != nil || r.cfg.PID == 0 {
		return err //nolint:wrapcheck // it says all there is
	}
	p, err := stats.ReadProcess(r.cfg.PID)
	if err != nil {
		return err //nolint:wrapcheck // it says all there is
	}
	into[r.cfg.PID] = p
	return nil
}

// usageNow reads the same. A server that has ended has used what it had at last.
func (r *runner) usageNow() map[int]stats.Process {
	now := make(map[int]stats.Process)
	err := r.readProcesses(now)
	if last, ok := r.usage[r.cfg.PID]; ok && err != nil && r.cfg.PID > 0 {
		now[r.cfg.PID] = last
		r.ended = true
	}
	return now
}

// startSampling begins the first interval.
func (r *runner) startSampling() {
	for range r.run.Metrics() {
		r.hists = append(r.hists, stats.NewHist())
	}
	r.usage, r.begun = r.before, time.Now()
	r.last = r.begun
}

// shortest is the shortest interval that is worth a point of its own.
const shortest = 50 * time.Millisecond

// enter begins a phase, and ends the interval of the one before.
func (r *runner) enter(phase string) {
	if time.Since(r.last) >= shortest {
		r.sample()
	}
	r.phase = phase
}

// sample ends an interval.
func (r *runner) sample() {
	now := time.Now()
	elapsed := now.Sub(r.last).Seconds()
	metrics := r.run.Metrics()
	for _, h := range r.hists {
		h.Reset()
	}
	p := report.Point{
		At: now.Sub(r.begun).Seconds(), Phase: r.phase, Clients: r.run.State().Joined,
		Latency: map[string]report.Brief{},
	}
	r.run.Swap(func(i *scenario.Interval) {
		for m, h := range i.Hists {
			r.hists[m].Merge(h)
		}
		p.Sent += float64(i.Sent) / elapsed
		p.Received += float64(i.Received) / elapsed
		p.Errors += i.Errors
	})
	for m, h := range r.hists {
		if h.Count() == 0 {
			continue
		}
		if m == scenario.MetricLag {
			p.Lag = h.Quantile(99)
			continue
		}
		p.Latency[metrics[m]] = report.Brief{P50: h.Quantile(50), P99: h.Quantile(99), Max: h.Max()}
	}
	usage := r.usageNow()
	p.CPU = (usage[os.Getpid()].CPU - r.usage[os.Getpid()].CPU).Seconds() / elapsed
	p.Loop = r.cfg.loopsBusy(p.CPU)
	if s, ok := usage[r.cfg.PID]; ok && r.cfg.PID > 0 {
		p.ServerCPU = max((s.CPU-r.usage[r.cfg.PID].CPU).Seconds()/elapsed, 0)
		p.ServerRSS = s.RSS
		r.peak = max(r.peak, s.RSS)
	}
	r.usage, r.last = usage, now
	r.points = append(r.points, p)
	if r.cfg.Progress != nil {
		r.cfg.Progress(&p)
	}
}

// meter measures what is used in the measured time.
type meter struct {
	from, to      time.Time
	before, after map[int]stats.Process
}

func (m *meter) start(r *runner) {
	m.from, m.before = time.Now(), r.usageNow()
}

func (m *meter) stop(r *runner) {
	m.to, m.after = time.Now(), r.usageNow()
}

// seconds returns how long was measured.
func (m *meter) seconds() float64 { return m.to.Sub(m.from).Seconds() }

// busy returns how many processors a process kept busy.
func (m *meter) busy(pid int) float64 {
	if m.seconds() <= 0 {
		return 0
	}
	return max((m.after[pid].CPU-m.before[pid].CPU).Seconds()/m.seconds(), 0)
}

// loopsBusy turns the processors that this process keeps busy into a share of those that
// it can use: one for each loop, or over TLS, which is done elsewhere, all.
func (c *Config) loopsBusy(cpus float64) float64 {
	can := c.Loops
	if c.Target.TLS {
		can = runtime.GOMAXPROCS(0)
	}
	return min(cpus/float64(can), 1)
}
