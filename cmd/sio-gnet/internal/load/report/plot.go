package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// line is one line of a plot. What is not a number is a gap in it.
type line struct {
	name   string
	values []float64
}

// The size of a plot in the units of its drawing.
const (
	plotWidth, plotHeight  = 560.0, 250.0
	plotLeft, plotRight    = 64.0, 14.0
	plotTop, plotBottom    = 12.0, 30.0
	innerWidth             = plotWidth - plotLeft - plotRight
	innerHeight            = plotHeight - plotTop - plotBottom
	maxDots                = 60 // a line of more points has no dots, which would cover it
	ticks                  = 5
	smallestLog, mostDecks = 0.001, 7
)

// scale puts values between two bounds on an axis of 0 to 1.
type scale struct {
	low, high float64
	log       bool
}

func (s scale) at(v float64) float64 {
	if s.log {
		return (math.Log10(max(v, s.low)) - math.Log10(s.low)) / (math.Log10(s.high) - math.Log10(s.low))
	}
	return (v - s.low) / (s.high - s.low)
}

// marks are the values that the axis names.
func (s scale) marks() (marks []float64) {
	if s.log {
		for v := s.low; v <= s.high*1.001; v *= 10 {
			marks = append(marks, v)
		}
		return marks
	}
	step := nice((s.high - s.low) / ticks)
	for v := s.low; v <= s.high+step/1000; v += step {
		marks = append(marks, v)
	}
	return marks
}

// nice rounds a step up to 1, 2 or 5 times a power of ten.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if step <= factor*power*1.0001 {
			return factor * power
		}
	}
	return 10 * power
}

// fit makes the scale for the values of lines.
func fit(log bool, lines []line) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, v := range l.values {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	switch {
	case math.IsInf(high, -1) || high <= 0:
		return scale{0, 1, false}
	case !log:
		step := nice(high / ticks)
		return scale{0, math.Ceil(high/step-1e-9) * step, false}
	}
	top := math.Pow(10, math.Ceil(math.Log10(high)-1e-9))
	bottom := math.Pow(10, math.Floor(math.Log10(max(low, smallestLog))+1e-9))
	bottom = max(min(bottom, top/10), top/math.Pow(10, mostDecks))
	return scale{bottom, top, true}
}

// drawing puts a plot together.
type drawing struct {
	strings.Builder
	x, y scale
}

func (d *drawing) px(v float64) float64 { return plotLeft + innerWidth*min(max(d.x.at(v), 0), 1) }

func (d *drawing) py(v float64) float64 {
	return plotTop + innerHeight*(1-min(max(d.y.at(v), 0), 1))
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

// begin draws the frame, the grid and the names of the lines. Nothing in a title or a
// name comes from outside but the names of parts, which have no special characters; they
// are escaped nevertheless.
func (d *drawing) begin(title string, names []string, yText func(float64) string) {
	d.printf(`<figure><figcaption><b>%s</b>`, template.HTMLEscapeString(title))
	if len(names) > 1 {
		for i, name := range names {
			d.printf(`<span class="key k%d">%s</span>`, i, template.HTMLEscapeString(name))
		}
	}
	d.printf(`</figcaption><svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, plotWidth, plotHeight, template.HTMLEscapeString(title))
	for _, v := range d.y.marks() {
		y := d.py(v)
		d.printf(`<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, plotLeft, plotWidth-plotRight, y, y)
		d.printf(`<text class="y" x="%g" y="%.1f">%s</text>`, plotLeft-8, y+4, short(yText(v)))
	}
}

// short leaves the zeros behind a point out, which a mark on an axis does not need.
func short(s string) string {
	number, unit, spaced := strings.Cut(s, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if spaced {
		return number + " " + unit
	}
	return number
}

// polyline draws a line through points, with gaps where a value is not a number.
func (d *drawing) polyline(i int, xs []float64, l line, tip func(x, y float64) string) {
	var path strings.Builder
	pen := false
	for j, v := range l.values {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		command := "L"
		if !pen {
			command = "M"
		}
		pen = true
		fmt.Fprintf(&path, "%s%.1f %.1f", command, d.px(xs[j]), d.py(v))
	}
	d.printf(`<path class="line l%d" d="%s"/>`, i, path.String())
	for j, v := range l.values {
		if math.IsNaN(v) {
			continue
		}
		visible := ""
		if len(l.values) > maxDots {
			visible = " faint"
		}
		d.printf(`<circle class="dot l%d%s" cx="%.1f" cy="%.1f" r="3"><title>%s</title></circle>`,
			i, visible, d.px(xs[j]), d.py(v), template.HTMLEscapeString(tip(xs[j], v)))
	}
}

func (d *drawing) end() template.HTML {
	d.WriteString(`</svg></figure>`)
	return template.HTML(d.String()) //nolint:gosec // all text in it is escaped
}

// timePlot draws lines over the time of the run, with its phases behind them.
func (r *Result) timePlot(title string, text func(float64) string, log bool, lines ...line) template.HTML {
	xs := []float64{}
	end := 1.0
	for i := range r.Series {
		xs = append(xs, r.Series[i].At)
		end = max(end, r.Series[i].At)
	}
	d := &drawing{x: scale{0, end, false}, y: fit(log, lines)}
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	d.begin(title, names, text)
	r.phases(d)
	for _, v := range d.x.marks() {
		d.printf(`<text class="x" x="%.1f" y="%g">%g s</text>`, d.px(v), plotHeight-10, math.Round(v*100)/100)
	}
	for i, l := range lines {
		d.polyline(i, xs, l, func(x, y float64) string { return fmt.Sprintf("%s at %.1f s: %s", l.name, x, text(y)) })
	}
	return d.end()
}

// phases shades what is not measured.
func (r *Result) phases(d *drawing) {
	from := 0.0
	for i := range r.Series {
		p := &r.Series[i]
		if p.Phase != Measuring {
			d.printf(`<rect class="phase" x="%.1f" width="%.1f" y="%g" height="%g"><title>%s</title></rect>`,
				d.px(from), d.px(p.At)-d.px(from), plotTop, innerHeight, p.Phase)
		}
		from = p.At
	}
}

// curvePlot draws which part of the latencies is below which: each step to the right
// leaves a tenth of those above.
func (r *Result) curvePlot() template.HTML {
	curve := r.Latency[r.Main].Curve
	var xs, values []float64
	deepest := 2.0
	for _, p := range curve {
		x := -math.Log10(1 - p[0]/100)
		xs, values = append(xs, x), append(values, p[1])
		deepest = max(deepest, math.Ceil(x-1e-9))
	}
	l := line{r.Main, values}
	d := &drawing{x: scale{0, deepest, false}, y: fit(true, []line{l})}
	d.begin("Distribution of "+r.Main, nil, Millis)
	marks := []string{"0%", "90%", "99%", "99.9%", "99.99%", "99.999%"}
	for i, mark := range marks[:min(len(marks), int(deepest)+1)] {
		d.printf(`<line class="grid" x1="%.1f" x2="%.1f" y1="%g" y2="%g"/>`, d.px(float64(i)), d.px(float64(i)), plotTop, plotTop+innerHeight)
		d.printf(`<text class="x" x="%.1f" y="%g">%s</text>`, d.px(float64(i)), plotHeight-10, mark)
	}
	if slices.Max(append(values, 0)) > 0 {
		d.polyline(0, xs, l, func(x, y float64) string {
			return fmt.Sprintf("%.4g%% took %s or less", 100*(1-math.Pow(10, -x)), Millis(y))
		})
	}
	return d.end()
}
