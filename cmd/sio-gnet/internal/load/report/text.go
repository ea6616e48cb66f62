package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// manyClients is from when on memory per client says something: before, it is mostly what
// the process would take anyway.
const manyClients = 1000

// Text writes the result for people.
func (r *Result) Text(w io.Writer) error {
	var b strings.Builder
	s := &r.Settings
	if r.Partial {
		b.WriteString("INTERRUPTED: what follows is a part of the run\n\n")
	}
	fmt.Fprintf(&b, "%s over %s%s, %.1f s measured", s.URL, s.Transport, s.variants(), r.Seconds)
	if s.Warmup > 0 {
		fmt.Fprintf(&b, " after %g s of warm-up", s.Warmup)
	}
	b.WriteString("\n\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	c := &r.Clients
	fmt.Fprintf(tw, "clients\t%d of %d joined in %.2f s, %d held to the end", c.Joined, c.Asked, c.Seconds, c.Held)
	if c.Failed+c.Lost > 0 {
		fmt.Fprintf(tw, ", %d failed, %d lost", c.Failed, c.Lost)
	}
	fmt.Fprintln(tw)
	for i := range r.Parts {
		r.Parts[i].text(tw)
	}
	if p := r.Server; p != nil {
		fmt.Fprintf(tw, "server\t%.2f processors busy, %s", p.CPUShare, Bytes(float64(p.RSS)))
		if c.Held >= manyClients && p.PerClient > 0 { // else it had the memory before
			fmt.Fprintf(tw, ", %s per client", Bytes(p.PerClient))
		}
		if p.PerMessage > 0 {
			fmt.Fprintf(tw, ", %.2f µs of CPU per message received", p.PerMessage)
		}
		fmt.Fprintln(tw)
	}
	g := &r.Generator
	fmt.Fprintf(tw, "this tool\t%.2f processors busy, its loops %.0f%% busy, lag p99 %s, %s",
		g.CPUShare, 100*g.LoopShare, Millis(g.LagP99), Bytes(float64(g.RSS)))
	if c.Held >= manyClients {
		fmt.Fprintf(tw, ", %s per client", Bytes(g.PerClient))
	}
	fmt.Fprintln(tw)
	_ = tw.Flush()
	r.latencies(&b)
	if len(r.Errors) > 0 {
		b.WriteString("\nerrors\n")
		for _, e := range r.Errors {
			fmt.Fprintf(&b, "  %d × %s\n", e.Count, e.Kind)
		}
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s\n", warning)
	}
	for _, crossed := range r.Crossed {
		fmt.Fprintf(&b, "\nfailed: %s\n", crossed)
	}
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // the caller knows where to
}

// variants are what is not the usual about the protocol.
func (s *Settings) variants() string {
	out := ""
	if s.TLS {
		out += " and TLS"
	}
	if s.EIO != 4 {
		out += fmt.Sprintf(", EIO %d", s.EIO)
	}
	if s.MessagePack {
		out += ", MessagePack"
	}
	if s.Deflate != "" {
		out += ", " + s.Deflate
	}
	if s.Namespace != "/" {
		out += ", namespace " + s.Namespace
	}
	return out
}

func (p *Part) text(w io.Writer) {
	if p.Scenario == "idle" {
		return
	}
	fmt.Fprintf(w, "%s\t%.0f sent/s, %.0f received/s", p.Name, p.SentRate, p.ReceivedRate)
	for _, count := range []struct {
		n    int64
		what string
	}{{p.Lost, "lost"}, {p.Doubled, "doubled"}, {p.Reordered, "reordered"}, {p.Stray, "stray"}, {p.Unsent, "unsent"}} {
		if count.n > 0 {
			fmt.Fprintf(w, ", %d %s", count.n, count.what)
		}
	}
	if p.Lost+p.Doubled+p.Reordered+p.Stray == 0 && p.Received > 0 && p.Scenario != "connect" {
		fmt.Fprint(w, ", each exactly once and in order")
	}
	fmt.Fprintln(w)
}

// Names returns the names of the latencies that there are: the main one, then the
// others, and how late this program was last.
func (r *Result) Names() (names []string) {
	for name, l := range r.Latency {
		if l.Count > 0 {
			names = append(names, name)
		}
	}
	rank := func(name string) int {
		switch name {
		case r.Main:
			return 0
		case "connect":
			return 2
		case "lag":
			return 3
		}
		return 1
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

func (r *Result) latencies(b *strings.Builder) {
	names := r.Names()
	if len(names) == 0 {
		return
	}
	b.WriteString("\n")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "latency\tcount\tmean\tp50\tp90\tp99\tp99.9\tp99.99\tmax\t")
	for _, name := range names {
		l := r.Latency[name]
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, l.Count, Millis(l.Mean),
			Millis(l.P50), Millis(l.P90), Millis(l.P99), Millis(l.P999), Millis(l.P9999), Millis(l.Max))
	}
	_ = tw.Flush()
}

// Millis writes a time in milliseconds with three digits, in the unit that fits.
func Millis(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms < 1:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2f s", ms/1000)
}

// Bytes writes an amount of memory in the unit that fits.
func Bytes(n float64) string {
	const step = 1024
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	i := 0
	for n >= step && i < len(units)-1 {
		n /= step
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f bytes", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
