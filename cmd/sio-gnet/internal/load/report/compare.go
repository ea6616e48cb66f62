package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Compare writes what two results have in common side by side, and by how much the
// second differs.
func Compare(w io.Writer, a, b *Result) error {
	var out strings.Builder
	for _, d := range differences(a, b) {
		fmt.Fprintf(&out, "note: %s\n", d)
	}
	if out.Len() > 0 {
		out.WriteString("\n")
	}
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tA\tB\tchange\t")
	row := func(name string, x, y float64, format func(float64) string) {
		if x == 0 && y == 0 {
			return
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t\n", name, format(x), format(y), change(x, y))
	}
	number := func(n float64) string { return fmt.Sprintf("%.0f", n) }
	row("clients held", float64(a.Clients.Held), float64(b.Clients.Held), number)
	row("connecting", a.Clients.Seconds*1000, b.Clients.Seconds*1000, Millis)
	for _, name := range a.Names() {
		x := a.Latency[name]
		y, ok := b.Latency[name]
		if !ok || name == "lag" {
			continue
		}
		for _, q := range []string{"mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"} {
			row(name+" "+q, quantiles[q](&x), quantiles[q](&y), Millis)
		}
	}
	for _, m := range []struct {
		name, metric string
		format       func(float64) string
	}{
		{"sent/s", "sent", number},
		{"received/s", "received", number},
		{"lost", "lost", number},
		{"doubled", "doubled", number},
		{"reordered", "reordered", number},
		{"stray", "stray", number},
		{"unsent", "unsent", number},
		{"errors", "errors", number},
		{"server: processors busy", "cpus", func(n float64) string { return fmt.Sprintf("%.2f", n) }},
		{"server: CPU per message", "cpu", func(n float64) string { return fmt.Sprintf("%.2f µs", n) }},
		{"server: memory", "rss", Bytes},
		{"server: memory per client", "client-size", Bytes},
	} {
		x, hasX := metrics[m.metric].of(a)
		y, hasY := metrics[m.metric].of(b)
		if hasX && hasY {
			row(m.name, x, y, m.format)
		}
	}
	_ = tw.Flush()
	_, err := io.WriteString(w, out.String())
	return err //nolint:wrapcheck // the caller knows where to
}

// change is by how much y differs from x.
func change(x, y float64) string {
	switch x {
	case y:
		return "="
	case 0:
		return "new"
	}
	percent := 100 * (y - x) / x
	if math.Abs(percent) >= 1000 {
		return fmt.Sprintf("×%.0f", y/x)
	}
	return fmt.Sprintf("%+.1f%%", percent)
}

// differences are what makes two results hard to compare.
func differences(a, b *Result) (list []string) {
	for _, s := range []struct {
		what string
		a, b any
	}{
		{"transports", a.Settings.Transport, b.Settings.Transport},
		{"Engine.IO revisions", a.Settings.EIO, b.Settings.EIO},
		{"MessagePack", a.Settings.MessagePack, b.Settings.MessagePack},
		{"compression", a.Settings.Deflate, b.Settings.Deflate},
		{"TLS", a.Settings.TLS, b.Settings.TLS},
		{"clients asked for", a.Clients.Asked, b.Clients.Asked},
		{"durations in seconds", a.Settings.Duration, b.Settings.Duration},
		{"processors", a.Settings.CPUs, b.Settings.CPUs},
		{"loads", a.load(), b.load()},
	} {
		if s.a != s.b {
			list = append(list, fmt.Sprintf("the %s differ: %v and %v", s.what, s.a, s.b))
		}
	}
	for i, r := range []*Result{a, b} {
		if r.Partial {
			list = append(list, fmt.Sprintf("%c was interrupted", 'A'+i))
		}
		for _, w := range r.Warnings {
			list = append(list, fmt.Sprintf("%c: %s", 'A'+i, w))
		}
	}
	return list
}

// load describes what was done.
func (r *Result) load() string {
	var parts []string
	for i := range r.Parts {
		p := &r.Parts[i]
		s := p.Scenario
		if p.Size > 0 {
			s += fmt.Sprintf(" of %d bytes", p.Size)
		}
		switch {
		case p.Rate > 0:
			s += fmt.Sprintf(" at %g/s", p.Rate)
		case p.Window > 0:
			s += fmt.Sprintf(" with %d under way", p.Window)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}
