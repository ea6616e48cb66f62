// Package report is the result of a load test: its form as JSON, as a text for the
// terminal and as a page, thresholds on it, and the comparison of two.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Format is the version of the JSON form. It grows when a field changes its meaning.
const Format = 1

// Result is all that a run has found out. Latencies are in milliseconds, memory is in bytes.
type Result struct {
	Format  int       `json:"format"`
	Tool    string    `json:"tool"`
	Started time.Time `json:"started"`
	// Partial says that the run was interrupted: it is shorter than it was to be.
	Partial  bool     `json:"partial"`
	Settings Settings `json:"settings"`

	// Seconds is how long was measured.
	Seconds float64            `json:"measured_s"`
	Clients Clients            `json:"clients"`
	Parts   []Part             `json:"parts"`
	Latency map[string]Latency `json:"latency_ms"`
	Main    string             `json:"main_latency"` // the name in Latency that p50, p99… stand for
	Errors  []Error            `json:"errors"`

	Server    *Process  `json:"server,omitempty"`
	Generator Generator `json:"generator"`
	Warnings  []string  `json:"warnings"`
	Crossed   []string  `json:"thresholds_crossed"`
	Series    []Point   `json:"series"`
}

// Settings are how the run was made.
type Settings struct {
	URL         string  `json:"url"`
	Transport   string  `json:"transport"`
	EIO         int     `json:"eio"`
	Namespace   string  `json:"namespace"`
	MessagePack bool    `json:"msgpack"`
	Deflate     string  `json:"deflate"`
	TLS         bool    `json:"tls"`
	ConnectRate float64 `json:"connect_rate"`
	Warmup      float64 `json:"warmup_s"`
	Duration    float64 `json:"duration_s"`
	Loops       int     `json:"loops"`
	CPUs        int     `json:"cpus"`
}

// Clients is what became of the clients.
type Clients struct {
	Asked  int `json:"asked"`
	Joined int `json:"joined"` // as sending began
	Held   int `json:"held"`   // as it ended
	Failed int `json:"failed"` // did not get in
	Lost   int `json:"lost"`   // were in, and were thrown out
	// Seconds is how long connecting took.
	Seconds float64 `json:"connect_s"`
}

// Part is what one part of the clients has done.
type Part struct {
	Name     string  `json:"name"`
	Scenario string  `json:"scenario"`
	Clients  int     `json:"clients"`
	Rate     float64 `json:"rate,omitempty"`
	Window   int     `json:"window,omitempty"`
	Size     int     `json:"size,omitempty"`
	Binary   bool    `json:"binary,omitempty"`

	// Sent and Received are those of the measured time, the others of all the run.
	Sent         int64   `json:"sent"`
	Received     int64   `json:"received"`
	SentRate     float64 `json:"sent_per_s"`
	ReceivedRate float64 `json:"received_per_s"`
	Lost         int64   `json:"lost"`
	Doubled      int64   `json:"doubled"`
	Reordered    int64   `json:"reordered"`
	Stray        int64   `json:"stray"`
	Unsent       int64   `json:"unsent"`
}

// Latency is a distribution of latencies.
type Latency struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	P9999 float64 `json:"p99.99"`
	Max   float64 `json:"max"`
	// Curve are points of the distribution: percentages, and the latencies they have.
	Curve [][2]float64 `json:"curve,omitempty"`
}

// Error is a kind of error, and how often it came.
type Error struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

// Process is what the server's process used, in the measured time.
type Process struct {
	PID        int     `json:"pid"`
	CPU        float64 `json:"cpu_s"`
	CPUShare   float64 `json:"cpus_busy"` // 1 is one processor
	PerMessage float64 `json:"cpu_us_per_message,omitempty"`
	RSSBefore  int64   `json:"rss_before"` // before the first client
	RSS        int64   `json:"rss"`        // as sending ended
	PeakRSS    int64   `json:"rss_peak"`   // of what was sampled
	PerClient  float64 `json:"bytes_per_client"`
}

// Generator is what this program used, in the measured time.
type Generator struct {
	CPUShare  float64 `json:"cpus_busy"`
	LoopShare float64 `json:"loops_busy"` // of the processors that its event loops can use
	LagP50    float64 `json:"lag_p50_ms"`
	LagP99    float64 `json:"lag_p99_ms"`
	LagMax    float64 `json:"lag_max_ms"`
	RSS       int64   `json:"rss"`
	PerClient float64 `json:"bytes_per_client"`
}

// Phases of a run.
const (
	Connecting = "connecting"
	WarmingUp  = "warm-up"
	Measuring  = "measuring"
	Draining   = "draining"
)

// Point is about a second of a run.
type Point struct {
	At       float64 `json:"at_s"` // its end, since the start
	Phase    string  `json:"phase"`
	Clients  int     `json:"clients"`
	Sent     float64 `json:"sent_per_s"`
	Received float64 `json:"received_per_s"`
	Errors   int64   `json:"errors"`
	// Latency are those of what arrived, by name.
	Latency map[string]Brief `json:"latency_ms,omitempty"`

	ServerCPU float64 `json:"server_cpus"`
	ServerRSS int64   `json:"server_rss"`
	CPU       float64 `json:"generator_cpus"`
	Loop      float64 `json:"loops_busy"`
	Lag       float64 `json:"lag_p99_ms"`
}

// Brief is a distribution in a few numbers.
type Brief struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Write writes the result as JSON.
func (r *Result) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r) //nolint:wrapcheck // the caller names the file
}

// ErrFormat is the error for a file that is no result of a run. Compare with [errors.Is].
var ErrFormat = errors.New("no result of sio-gnet load")

// Read reads a result from a file.
func Read(path string) (*Result, error) {
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	var r Result
	if err := json.Unmarshal(b, &r); err != nil || r.Format == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrFormat)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("%s: %w of this version (its format is %d, not %d)", path, ErrFormat, r.Format, Format)
	}
	return &r, nil
}
