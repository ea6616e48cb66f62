// Package stats has what a load generator counts and measures: latencies, the fate of
// numbered messages, and what processes use. Nothing in it is safe for concurrent use
// unless it says so.
package stats

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Hist is a histogram of latencies, in microseconds with three digits, up to ten
// minutes; what is longer counts as that.
type Hist struct{ h *hdrhistogram.Histogram }

const maxMicros = int64(10 * time.Minute / time.Microsecond)

// NewHist returns an empty histogram.
func NewHist() *Hist { return &Hist{hdrhistogram.New(1, maxMicros, 3)} }

// Record adds a latency in nanoseconds.
func (h *Hist) Record(ns int64) {
	_ = h.h.RecordValue(min(max((ns+500)/1000, 0), maxMicros))
}

// Merge adds all of other.
func (h *Hist) Merge(other *Hist) { h.h.Merge(other.h) }

// Reset empties the histogram.
func (h *Hist) Reset() { h.h.Reset() }

// Count returns how many latencies there are.
func (h *Hist) Count() int64 { return h.h.TotalCount() }

// Quantile returns a quantile, such as that of 99 percent, in milliseconds.
func (h *Hist) Quantile(percent float64) float64 {
	if h.Count() == 0 {
		return 0
	}
	return float64(h.h.ValueAtPercentile(percent)) / 1000
}

// Max returns the longest in milliseconds.
func (h *Hist) Max() float64 { return float64(h.h.Max()) / 1000 }

// Min returns the shortest in milliseconds.
func (h *Hist) Min() float64 { return float64(h.h.Min()) / 1000 }

// Mean returns the mean in milliseconds.
func (h *Hist) Mean() float64 { return h.h.Mean() / 1000 }
