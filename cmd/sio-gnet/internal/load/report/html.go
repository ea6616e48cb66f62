package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// HTML writes the result as a page, in one file that needs no other.
func (r *Result) HTML(w io.Writer) error {
	return page.Execute(w, r.view()) //nolint:wrapcheck // the caller names the file
}

// view is what the page shows.
type view struct {
	*Result

	Title     string
	Tiles     []tile
	Rows      []row
	Facts     []fact
	Plots     []template.HTML
	Delivered []delivery
}

type tile struct{ Name, Value, Note string }

type row struct {
	Name  string
	Cells []string
}

type fact struct{ Name, Value string }

type delivery struct {
	Part

	Clean bool
}

func (r *Result) view() *view {
	v := &view{Result: r, Title: r.Settings.URL}
	v.Tiles = r.tiles()
	for _, name := range r.Names() {
		l := r.Latency[name]
		v.Rows = append(v.Rows, row{name, []string{
			fmt.Sprint(l.Count), Millis(l.Mean), Millis(l.P50), Millis(l.P90), Millis(l.P99), Millis(l.P999), Millis(l.P9999), Millis(l.Max),
		}})
	}
	for i := range r.Parts {
		p := r.Parts[i]
		if p.Scenario != "idle" {
			v.Delivered = append(v.Delivered, delivery{p, p.Received > 0 && p.Lost+p.Doubled+p.Reordered+p.Stray+p.Unsent == 0})
		}
	}
	v.Facts = r.facts()
	v.Plots = r.plots()
	return v
}

func (r *Result) tiles() (tiles []tile) {
	main := r.Latency[r.Main]
	if main.Count > 0 {
		tiles = append(tiles,
			tile{r.Main + " p50", Millis(main.P50), "half are faster"},
			tile{r.Main + " p99", Millis(main.P99), "one in a hundred is slower"})
	}
	received := 0.0
	for i := range r.Parts {
		received += r.Parts[i].ReceivedRate
	}
	if received > 0 {
		tiles = append(tiles, tile{"received", si(received) + "/s", "answers and deliveries"})
	}
	tiles = append(tiles, tile{"clients", fmt.Sprint(r.Clients.Held), fmt.Sprintf("held of %d", r.Clients.Asked)})
	if p := r.Server; p != nil {
		if p.PerMessage > 0 {
			tiles = append(tiles, tile{"server CPU", fmt.Sprintf("%.2f µs", p.PerMessage), "per message received"})
		} else {
			tiles = append(tiles, tile{"server CPU", fmt.Sprintf("%.2f", p.CPUShare), "processors busy"})
		}
		if r.Clients.Held >= manyClients && p.PerClient > 0 {
			tiles = append(tiles, tile{"server memory", Bytes(p.PerClient), "per client"})
		} else {
			tiles = append(tiles, tile{"server memory", Bytes(float64(p.RSS)), "resident"})
		}
	}
	return tiles
}

func (r *Result) facts() (facts []fact) {
	s, g := &r.Settings, &r.Generator
	add := func(name, format string, args ...any) {
		facts = append(facts, fact{name, fmt.Sprintf(format, args...)})
	}
	add("Transport", "%s%s", s.Transport, s.variants())
	add("Load", "%s", r.load())
	add("Time", "%.1f s measured after %g s of warm-up", r.Seconds, s.Warmup)
	add("Connecting", "%d of %d clients joined in %.2f s", r.Clients.Joined, r.Clients.Asked, r.Clients.Seconds)
	if p := r.Server; p != nil {
		add("Server", "process %d: %.2f processors busy, %s of memory (%s before the first client)", p.PID, p.CPUShare, Bytes(float64(p.RSS)), Bytes(float64(p.RSSBefore)))
	}
	add("This tool", "%.2f of %d processors busy, %d loop(s) %.0f%% busy, lag p50 %s and p99 %s, %s of memory",
		g.CPUShare, s.CPUs, s.Loops, 100*g.LoopShare, Millis(g.LagP50), Millis(g.LagP99), Bytes(float64(g.RSS)))
	add("Begun", "%s by %s", r.Started.Format("2006-01-02 15:04:05 MST"), r.Tool)
	return facts
}

// si writes a number in three digits.
func si(n float64) string {
	switch {
	case n >= 999_500:
		return fmt.Sprintf("%.3gM", n/1e6)
	case n >= 9_995:
		return fmt.Sprintf("%.3gk", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}

// plots are the pictures of the page.
func (r *Result) plots() (all []template.HTML) {
	series := func(of func(p *Point) float64) []float64 {
		values := make([]float64, len(r.Series))
		for i := range r.Series {
			values[i] = of(&r.Series[i])
		}
		return values
	}
	latency := func(of func(l Brief) float64) []float64 {
		return series(func(p *Point) float64 {
			if l, ok := p.Latency[r.Main]; ok {
				return of(l)
			}
			return math.NaN()
		})
	}
	memory := func(n float64) string { return fmt.Sprintf("%g MiB", math.Round(n*10)/10) }
	cpus := func(n float64) string { return fmt.Sprintf("%.2g", n) }
	all = append(all,
		r.timePlot("Latency of "+r.Main, Millis, true,
			line{"p50", latency(func(l Brief) float64 { return l.P50 })},
			line{"p99", latency(func(l Brief) float64 { return l.P99 })},
			line{"max", latency(func(l Brief) float64 { return l.Max })}),
		r.curvePlot(),
		r.timePlot("Messages a second", si, false,
			line{"sent", series(func(p *Point) float64 { return p.Sent })},
			line{"received", series(func(p *Point) float64 { return p.Received })}),
		r.timePlot("Clients", si, false, line{"connected", series(func(p *Point) float64 { return float64(p.Clients) })}))
	cpu := []line{{"this tool", series(func(p *Point) float64 { return p.CPU })}}
	if r.Server != nil {
		cpu = append([]line{{"server", series(func(p *Point) float64 { return p.ServerCPU })}}, cpu...)
	}
	all = append(all, r.timePlot("Processors busy", cpus, false, cpu...))
	if r.Server != nil {
		all = append(all, r.timePlot("Memory of the server", memory, false, line{"resident", series(func(p *Point) float64 { return float64(p.ServerRSS) / (1 << 20) })}))
	}
	return all
}
