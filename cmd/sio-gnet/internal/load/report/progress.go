package report

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Progress shows how a run goes on: on a terminal in one line that is written over, else in
// a line every few seconds.
type Progress struct {
	file     *os.File
	terminal bool
	total    time.Duration // that the run takes, without connecting
	shown    time.Time
	since    float64 // when connecting was over, in seconds
}

// plainEvery is how often a line is written where it can't be written over.
const plainEvery = 5 * time.Second

// NewProgress shows progress on a file.
func NewProgress(f *os.File, total time.Duration) *Progress {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return &Progress{file: f, terminal: err == nil, total: total}
}

// Show shows an interval.
func (p *Progress) Show(at *Point) {
	now := time.Now()
	if p.shown.IsZero() {
		p.shown = now // the first line comes when there is something to say
	}
	if !p.terminal && now.Sub(p.shown) < plainEvery {
		return
	}
	p.shown = now
	line := p.line(at)
	if p.terminal {
		fmt.Fprintf(p.file, "\r%s\x1b[K", line)
		return
	}
	fmt.Fprintln(p.file, line)
}

// line describes an interval.
func (p *Progress) line(at *Point) string {
	var b strings.Builder
	if at.Phase == Connecting {
		p.since = at.At
		fmt.Fprintf(&b, "%5.1f s", at.At)
	} else {
		fmt.Fprintf(&b, "%5.1f of %.0f s", at.At-p.since, p.total.Seconds())
	}
	fmt.Fprintf(&b, "  %s  %d clients", at.Phase, at.Clients)
	if at.Sent+at.Received > 0 {
		fmt.Fprintf(&b, "  %.0f sent/s  %.0f received/s", at.Sent, at.Received)
	}
	for _, name := range slices.Sorted(maps.Keys(at.Latency)) {
		if name != "connect" || at.Phase == Connecting {
			fmt.Fprintf(&b, "  %s p99 %s", name, Millis(at.Latency[name].P99))
			break // one is enough for a line
		}
	}
	if at.Errors > 0 {
		fmt.Fprintf(&b, "  %d errors", at.Errors)
	}
	if at.Loop > 0.85 {
		fmt.Fprintf(&b, "  (this tool is busy: %.0f%%)", 100*at.Loop)
	}
	return b.String()
}

// End leaves the line.
func (p *Progress) End() {
	if p.terminal {
		fmt.Fprint(p.file, "\r\x1b[K")
	}
}
