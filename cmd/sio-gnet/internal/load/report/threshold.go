package report

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Threshold is a condition on a result, such as p99>50ms.
type Threshold struct {
	text   string
	metric string // such as p99, or of a latency: connect.p99
	op     string
	limit  float64
}

// ErrThreshold is the error for a condition that makes no sense. Compare with [errors.Is].
var ErrThreshold = errors.New("no condition such as p99>50ms")

// ErrMetric is the error for a metric that a result does not have. Compare with
// [errors.Is].
var ErrMetric = errors.New("unknown metric")

var thresholdForm = regexp.MustCompile(`^\s*([\w.-]+)\s*(>=|<=|==|!=|>|<)\s*([\d.]+)\s*(%|[a-zA-Zµ]*)\s*$`)

// unit is what a metric is measured in.
type unit uint8

const (
	inCount unit = iota
	inMillis
	inBytes
	inMicros
)

// quantiles are the metrics of a latency.
var quantiles = map[string]func(l *Latency) float64{
	"min": func(l *Latency) float64 { return l.Min }, "mean": func(l *Latency) float64 { return l.Mean },
	"p50": func(l *Latency) float64 { return l.P50 }, "p90": func(l *Latency) float64 { return l.P90 },
	"p99": func(l *Latency) float64 { return l.P99 }, "p99.9": func(l *Latency) float64 { return l.P999 },
	"p99.99": func(l *Latency) float64 { return l.P9999 }, "max": func(l *Latency) float64 { return l.Max },
}

// metrics are all others. The second value says whether the result has it.
var metrics = map[string]struct {
	unit unit
	of   func(r *Result) (float64, bool)
}{
	"sent":      {inCount, sum(func(p *Part) float64 { return p.SentRate })},
	"received":  {inCount, sum(func(p *Part) float64 { return p.ReceivedRate })},
	"lost":      {inCount, sum(func(p *Part) float64 { return float64(p.Lost) })},
	"doubled":   {inCount, sum(func(p *Part) float64 { return float64(p.Doubled) })},
	"reordered": {inCount, sum(func(p *Part) float64 { return float64(p.Reordered) })},
	"stray":     {inCount, sum(func(p *Part) float64 { return float64(p.Stray) })},
	"unsent":    {inCount, sum(func(p *Part) float64 { return float64(p.Unsent) })},
	"errors": {inCount, func(r *Result) (n float64, ok bool) {
		for _, e := range r.Errors {
			n += float64(e.Count)
		}
		return n, true
	}},
	"clients":     {inCount, func(r *Result) (float64, bool) { return float64(r.Clients.Held), true }},
	"cpu":         {inMicros, server(func(p *Process) float64 { return p.PerMessage })},
	"cpus":        {inCount, server(func(p *Process) float64 { return p.CPUShare })},
	"rss":         {inBytes, server(func(p *Process) float64 { return float64(p.RSS) })},
	"client-size": {inBytes, server(func(p *Process) float64 { return p.PerClient })},
}

func sum(of func(p *Part) float64) func(r *Result) (float64, bool) {
	return func(r *Result) (n float64, ok bool) {
		for i := range r.Parts {
			n += of(&r.Parts[i])
		}
		return n, true
	}
}

func server(of func(p *Process) float64) func(r *Result) (float64, bool) {
	return func(r *Result) (float64, bool) {
		if r.Server == nil {
			return 0, false
		}
		return of(r.Server), true
	}
}

// ParseThreshold reads a condition: a metric, one of > >= < <= == !=, and a number with
// a unit that fits the metric. Whether a latency of the name in front of a dot is there,
// only the result knows.
func ParseThreshold(s string) (*Threshold, error) {
	m := thresholdForm.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("%q is %w", s, ErrThreshold)
	}
	t := &Threshold{text: strings.TrimSpace(s), metric: m[1], op: m[2]}
	u := inMillis
	if other, ok := metrics[t.metric]; ok {
		u = other.unit
	} else if _, quantile := splitLatency(t.metric); quantile == "" {
		return nil, fmt.Errorf("%q: %w %s", s, ErrMetric, t.metric)
	}
	var err error
	if t.limit, err = parseLimit(m[3], m[4], u); err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	return t, nil
}

// splitLatency splits echo.p99.9 into echo and p99.9; the name may be missing. quantile
// is empty if it is none.
func splitLatency(metric string) (name, quantile string) {
	for q := range quantiles {
		if metric == q {
			return "", q
		}
		if rest, ok := strings.CutSuffix(metric, "."+q); ok && rest != "p99" && !strings.HasSuffix(rest, ".p99") {
			name, quantile = rest, q
		}
	}
	return name, quantile
}

var byteUnits = map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// parseLimit reads a number in the unit of a metric.
func parseLimit(number, suffix string, u unit) (float64, error) {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, ErrThreshold
	}
	switch u {
	case inMillis, inMicros:
		d, err := time.ParseDuration(number + suffix)
		if err != nil {
			return 0, fmt.Errorf("%w: a time needs a unit, us, ms or s", ErrThreshold)
		}
		if u == inMicros {
			return float64(d) / 1e3, nil
		}
		return float64(d) / 1e6, nil
	case inBytes:
		factor, ok := byteUnits[suffix]
		if !ok {
			return 0, fmt.Errorf("%w: memory is in B, KB, MB, GB, KiB, MiB or GiB", ErrThreshold)
		}
		return n * factor, nil
	}
	if suffix != "" {
		return 0, fmt.Errorf("%w: it has no unit", ErrThreshold)
	}
	return n, nil
}

// Crossed says what is wrong with a result by the condition, or nothing if it does not
// hold. The error is that the result does not have the metric.
func (t *Threshold) Crossed(r *Result) (string, error) {
	value, shown, err := t.value(r)
	if err != nil {
		return "", err
	}
	holds := map[string]bool{
		">": value > t.limit, ">=": value >= t.limit, "<": value < t.limit, "<=": value <= t.limit,
		"==": value == t.limit, "!=": value != t.limit,
	}[t.op]
	if !holds {
		return "", nil
	}
	return fmt.Sprintf("%s (it is %s)", t.text, shown), nil
}

func (t *Threshold) value(r *Result) (value float64, shown string, err error) {
	if m, ok := metrics[t.metric]; ok {
		value, ok := m.of(r)
		switch {
		case !ok:
			return 0, "", fmt.Errorf("%w %s: it needs --pid", ErrMetric, t.metric)
		case m.unit == inBytes:
			return value, Bytes(value), nil
		case m.unit == inMicros:
			return value, fmt.Sprintf("%.2f µs", value), nil
		}
		return value, strconv.FormatFloat(value, 'f', -1, 64), nil
	}
	name, quantile := splitLatency(t.metric)
	if name == "" {
		name = r.Main
	}
	l, ok := r.Latency[name]
	if !ok {
		return 0, "", fmt.Errorf("%w %s: the latencies are %s", ErrMetric, t.metric, strings.Join(r.Names(), ", "))
	}
	value = quantiles[quantile](&l)
	return value, Millis(value), nil
}
