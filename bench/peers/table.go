package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// results is all that was measured.
type results struct {
	Machine  machine           `json:"machine"`
	Started  time.Time         `json:"started"`
	Rounds   int               `json:"rounds"`
	Duration string            `json:"duration"`
	Servers  map[string]string `json:"servers"`
	Missing  []string          `json:"missing"`
	Failures []string          `json:"failures"`
	Figures  []figure          `json:"figures"`
}

// of returns the figures of a server in a test.
func (r *results) of(server, test string) []figure {
	var list []figure
	for _, f := range r.Figures {
		if f.Server == server && f.Test == test {
			list = append(list, f)
		}
	}
	return list
}

// spread is the median, the least and the most of what a figure is about.
func spread(list []figure, value func(figure) float64) (median, least, most float64) {
	values := make([]float64, 0, len(list))
	for _, f := range list {
		values = append(values, value(f))
	}
	if len(values) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return values[len(values)/2], values[0], values[len(values)-1]
}

// markdown returns the tables.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rounds of %s each, in random order; %d processors of %s, Linux %s, %s. Medians, with the least and the most of the rounds.\n",
		r.Rounds, r.Duration, r.Machine.CPUs, r.Machine.CPU, r.Machine.Kernel, r.Machine.Go)
	for _, t := range tests {
		r.table(&b, t)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "\nNot installed, and so not measured: %s.\n", strings.Join(r.Missing, ", "))
	}
	for _, f := range r.Failures {
		if !strings.HasSuffix(f, errNotMeant.Error()) {
			fmt.Fprintf(&b, "\nFailed: %s.\n", f)
		}
	}
	return b.String()
}

func (r *results) table(b *strings.Builder, t test) {
	ours, _, _ := spread(r.of("sio-gnet", t.name), func(f figure) float64 { return f.Value })
	fmt.Fprintf(b, "\n### %s\n\n| | %s | least – most | ratio to sio-gnet | messages a second | p50, p99, p99.9 in ms | generator busy |\n|---|---|---|---|---|---|---|\n",
		strings.ToUpper(t.name[:1])+t.name[1:], t.unit)
	for _, s := range all("", "") {
		list := r.of(s.name, t.name)
		if len(list) == 0 {
			continue
		}
		value, least, most := spread(list, func(f figure) float64 { return f.Value })
		rate, _, _ := spread(list, func(f figure) float64 { return f.Rate })
		p50, _, _ := spread(list, func(f figure) float64 { return f.P50 })
		p99, _, _ := spread(list, func(f figure) float64 { return f.P99 })
		p999, _, _ := spread(list, func(f figure) float64 { return f.P999 })
		busy, _, _ := spread(list, func(f figure) float64 { return f.Tool })
		fmt.Fprintf(b, "| %s | %s | %s – %s | %.2f | %.0f | %.2f, %.2f, %.2f | %.0f %% |\n",
			s.name, number(value), number(least), number(most), value/ours, rate, p50, p99, p999, 100*busy)
	}
	for _, s := range all("", "") {
		notes := make(map[string]int)
		for _, f := range r.of(s.name, t.name) {
			for _, n := range f.Notes {
				notes[n]++
			}
		}
		for n := range notes {
			fmt.Fprintf(b, "\n%s: %s.\n", s.name, n)
		}
	}
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
