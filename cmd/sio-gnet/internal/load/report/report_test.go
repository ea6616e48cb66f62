package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sample is a result with some of everything.
func sample() *Result {
	l := Latency{Count: 1000, Min: 0.1, Mean: 1.5, P50: 1, P90: 2, P99: 50, P999: 70, P9999: 80, Max: 90, Curve: [][2]float64{{0, 0.1}, {50, 1}, {90, 2}, {99, 50}}}
	r := &Result{
		Format: Format, Tool: "sio-gnet test", Started: time.Unix(1e9, 0).UTC(), Seconds: 10, Main: "echo",
		Settings: Settings{URL: "http://a/<b>", Transport: "websocket", EIO: 4, Namespace: "/", Duration: 10, Warmup: 2, CPUs: 2, Loops: 1},
		Clients:  Clients{Asked: 2000, Joined: 2000, Held: 1999, Lost: 1, Seconds: 1.5},
		Parts: []Part{
			{Name: "echo", Scenario: "echo", Clients: 1000, Rate: 100, Size: 64, SentRate: 100, ReceivedRate: 99, Lost: 3, Doubled: 2, Reordered: 1},
			{Name: "idle", Scenario: "idle", Clients: 1000},
		},
		Latency: map[string]Latency{"echo": l, "connect": {Count: 2000, P50: 3, Max: 9}, "lag": {Count: 10, P99: 0.2}, "none": {}},
		Errors:  []Error{{Kind: `closed: "<script>"`, Count: 4}}, Warnings: []string{"this tool was slow"}, Crossed: []string{},
		Server:    &Process{PID: 7, CPU: 1, CPUShare: 0.1, PerMessage: 3.25, RSS: 10 << 20, PerClient: 2048},
		Generator: Generator{CPUShare: 0.2, LoopShare: 0.15, LagP99: 0.2, RSS: 5 << 20, PerClient: 1024},
	}
	for i := range 12 {
		p := Point{At: float64(i + 1), Phase: Measuring, Clients: 2000, Sent: 100, Received: 99, ServerCPU: 0.1, ServerRSS: 10 << 20, CPU: 0.2}
		switch {
		case i < 2:
			p.Phase = Connecting
		case i != 7:
			p.Latency = map[string]Brief{"echo": {1, 50, 90}}
		}
		r.Series = append(r.Series, p)
	}
	return r
}

func TestThresholds(t *testing.T) {
	for _, tt := range []struct {
		condition, want string
	}{
		{"p99>49ms", "p99>49ms (it is 50.0 ms)"},
		{"p99>50ms", ""},
		{"p99>=50ms", "p99>=50ms (it is 50.0 ms)"},
		{" p99.9 > 0.06s ", "p99.9 > 0.06s (it is 70.0 ms)"},
		{"p99.99<1s", "p99.99<1s (it is 80.0 ms)"},
		{"echo.p99.9>69999us", "echo.p99.9>69999us (it is 70.0 ms)"},
		{"echo.p99.99==80ms", "echo.p99.99==80ms (it is 80.0 ms)"},
		{"connect.max>8ms", "connect.max>8ms (it is 9.00 ms)"},
		{"connect.p50>1h", ""},
		{"mean<=1500µs", "mean<=1500µs (it is 1.50 ms)"},
		{"lost>0", "lost>0 (it is 3)"},
		{"doubled!=2", ""},
		{"reordered<1", ""},
		{"received<100", "received<100 (it is 99)"},
		{"errors>3", "errors>3 (it is 4)"},
		{"clients<2000", "clients<2000 (it is 1999)"},
		{"cpu>3us", "cpu>3us (it is 3.25 µs)"},
		{"cpus>0.09", "cpus>0.09 (it is 0.1)"},
		{"rss>9MiB", "rss>9MiB (it is 10.0 MiB)"},
		{"rss>11MB", ""},
		{"client-size>2KB", "client-size>2KB (it is 2.0 KiB)"},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			c, err := ParseThreshold(tt.condition)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Crossed(sample()); got != tt.want || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestThresholdsThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct {
		condition string
		want      error
	}{
		{"", ErrThreshold},
		{"p99", ErrThreshold},
		{"p99>", ErrThreshold},
		{"p99>50", ErrThreshold}, // a time needs a unit
		{"p99>50MB", ErrThreshold},
		{"p99=50ms", ErrThreshold},
		{"lost>3ms", ErrThreshold},
		{"rss>3ms", ErrThreshold},
		{"lost>1.2.3", ErrThreshold},
		{"p95>50ms", ErrMetric},
		{"latency>50ms", ErrMetric},
		{"echo.p95>50ms", ErrMetric},
		{"P99>50ms", ErrMetric},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			if _, err := ParseThreshold(tt.condition); !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	r := sample()
	r.Server = nil
	for _, condition := range []string{"bcast.p99>5ms", "cpu>3us"} {
		c, err := ParseThreshold(condition)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Crossed(r); !errors.Is(err, ErrMetric) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

func TestReadWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	var b bytes.Buffer
	if err := sample().Write(&b); err != nil {
		t.Fatal(err)
	}
	first := b.String()
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := r.Write(&b); err != nil || b.String() != first {
		t.Errorf("it changes when it is read: %v", err)
	}
	for _, text := range []string{"", "{}", "[1]", `{"format": 2}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := sample(), sample()
	l := b.Latency["echo"]
	l.P99, l.P50 = 75, 0.5
	b.Latency["echo"] = l
	b.Parts[0].Lost, b.Parts[0].Doubled = 0, 2000
	b.Parts[0].Rate = 200
	b.Server.PerMessage = 3
	b.Partial, b.Warnings = true, nil
	var out strings.Builder
	if err := Compare(&out, a, b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(` +`).ReplaceAllString(out.String(), " ")
	for _, want := range []string{
		"note: the loads differ: echo of 64 bytes at 100/s, idle and echo of 64 bytes at 200/s, idle\n",
		"note: A: this tool was slow\n", "note: B was interrupted\n",
		" echo p50 1.00 ms 500 µs -50.0%\n", " echo p99 50.0 ms 75.0 ms +50.0%\n", " echo p90 2.00 ms 2.00 ms =\n",
		" lost 3 0 -100.0%\n", " doubled 2 2000 ×1000\n", " server: CPU per message 3.25 µs 3.00 µs -7.7%\n", " connect max 9.00 ms 9.00 ms =\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func TestText(t *testing.T) {
	r := sample()
	r.Partial = true
	r.Crossed = []string{"p99>1ms (it is 50 ms)"}
	var out strings.Builder
	if err := r.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"INTERRUPTED", "websocket, 10.0 s measured after 2 s of warm-up", "2000 of 2000 joined in 1.50 s, 1999 held to the end, 0 failed, 1 lost",
		"100 sent/s, 99 received/s, 3 lost, 2 doubled, 1 reordered\n", "2.0 KiB per client, 3.25 µs of CPU per message received",
		"  4 × closed: ", "warning: this tool was slow", "failed: p99>1ms",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}

// The page is one file that asks for nothing, whatever is in the result.
func TestPage(t *testing.T) {
	empty := &Result{Format: Format, Main: "connect", Latency: map[string]Latency{}}
	for name, r := range map[string]*Result{"full": sample(), "empty": empty} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := r.HTML(&out); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			for _, no := range []string{"<script", "src=", "href=", "url(", "@import", "NaN", "Inf"} {
				if strings.Contains(text, no) {
					t.Errorf("it has %s", no)
				}
			}
			plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
			if len(plots) < 4 {
				t.Errorf("it has %d plots", len(plots))
			}
			for _, plot := range plots {
				d := xml.NewDecoder(strings.NewReader(plot))
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("%v in %s", err, plot)
					}
				}
			}
			if name == "full" && (!strings.Contains(text, "a/&lt;b&gt;") || !strings.Contains(text, "3.25 µs")) {
				t.Error("it does not say what it is of")
			}
		})
	}
}

func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		high float64
		log  bool
		want []float64
	}{
		{100, false, []float64{0, 20, 40, 60, 80, 100}},
		{7, false, []float64{0, 2, 4, 6, 8}},
		{0.3, false, []float64{0, 0.1, 0.2, 0.30000000000000004}},
		{90, true, []float64{1, 10, 100}},
	} {
		s := fit(tt.log, []line{{"x", []float64{tt.high, 2}}})
		if tt.high < 2 {
			s = fit(tt.log, []line{{"x", []float64{tt.high}}})
		}
		got := s.marks()
		if len(got) != len(tt.want) {
			t.Errorf("up to %v: %v, want %v", tt.high, got, tt.want)
			continue
		}
		for i := range got {
			if d := got[i] - tt.want[i]; d > 1e-9 || d < -1e-9 {
				t.Errorf("up to %v: %v, want %v", tt.high, got, tt.want)
			}
		}
	}
}

// Where a line can't be written over there are few, and they are whole.
func TestProgressInAFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is read by another
	p := NewProgress(f, 10*time.Second)
	for i := range 3 {
		p.shown = time.Time{}
		if i > 0 {
			p.shown = time.Now().Add(-2 * plainEvery)
		}
		p.Show(&Point{At: float64(i), Phase: Measuring, Clients: 5, Sent: 10, Received: 9, Errors: 1, Loop: 0.9, Latency: map[string]Brief{"echo": {1, 2, 3}}})
	}
	p.End()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := "  1.0 of 10 s  measuring  5 clients  10 sent/s  9 received/s  echo p99 2.00 ms  1 errors  (this tool is busy: 90%)\n"
	if got := string(b); got != want+strings.Replace(want, "1.0 of", "2.0 of", 1) {
		t.Errorf("got %q", got)
	}
}
