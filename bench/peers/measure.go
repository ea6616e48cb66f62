package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/bench/internal/child"
)

// test is one kind of load.
type test struct {
	name  string
	unit  string
	flags []string
	limit bool // the limits have it, too
	value func(*loadResult) float64
}

// loadResult is what of the load generator's result is used here.
type loadResult struct {
	Clients struct {
		Asked   int     `json:"asked"`
		Joined  int     `json:"joined"`
		Lost    int     `json:"lost"`
		Seconds float64 `json:"connect_s"`
	} `json:"clients"`
	Parts []struct {
		Received     int64   `json:"received"`
		ReceivedRate float64 `json:"received_per_s"`
		Lost         int64   `json:"lost"`
		Doubled      int64   `json:"doubled"`
		Reordered    int64   `json:"reordered"`
	} `json:"parts"`
	Latency map[string]map[string]any `json:"latency_ms"`
	Main    string                    `json:"main_latency"`
	Server  struct {
		CPU        float64 `json:"cpu_s"`
		PerMessage float64 `json:"cpu_us_per_message"`
		PerClient  float64 `json:"bytes_per_client"`
	} `json:"server"`
	Generator struct {
		LoopShare float64 `json:"loops_busy"`
	} `json:"generator"`
	Warnings []string `json:"warnings"`
}

func perMessage(r *loadResult) float64 { return r.Server.PerMessage }

var tests = []test{
	{"echo, 1 in flight", "µs of CPU a message", []string{"--scenario", "echo", "-c", "100", "-w", "1"}, true, perMessage},
	{"echo, 16 in flight", "µs of CPU a message", []string{"--scenario", "echo", "-c", "100", "-w", "16"}, true, perMessage},
	{"broadcast to 1,000", "µs of CPU a delivery", []string{"--scenario", "fanout", "-c", "1000", "-w", "4"}, true, perMessage},
	{"polling echo", "µs of CPU a message", []string{"--scenario", "echo", "-c", "50", "-w", "1", "--transport", "polling"}, false, perMessage},
	{"idle", "bytes a client", []string{"--scenario", "idle", "-c", "3000", "--connect-rate", "2000"}, false, func(r *loadResult) float64 { return r.Server.PerClient }},
	{"connecting", "µs of CPU a connection", []string{"--scenario", "connect", "-c", "50", "-r", "400"}, false, perMessage},
}

// figure is the result of one test of one server in one round.
type figure struct {
	Server string   `json:"server"`
	Test   string   `json:"test"`
	Value  float64  `json:"value"`
	Rate   float64  `json:"messages_per_s"`
	P50    float64  `json:"p50_ms"`
	P99    float64  `json:"p99_ms"`
	P999   float64  `json:"p99.9_ms"`
	Tool   float64  `json:"generator_busy"`
	Notes  []string `json:"notes,omitempty"`
}

// measurer runs servers and loads.
type measurer struct {
	binary   string
	duration time.Duration
}

// measure starts a server, runs one test against it, and ends it.
func (m *measurer) measure(ctx context.Context, s server, t test) (figure, error) {
	f := figure{Server: s.name, Test: t.name}
	if s.limit && !t.limit {
		return f, errNotMeant
	}
	ctx, cancel := context.WithTimeout(ctx, m.duration+2*time.Minute)
	defer cancel()
	command := append(pin(runtime.NumCPU()-1, s.env), s.command...)
	c, err := child.Start(ctx, command[0], command[1:]...)
	if err != nil {
		return f, err //nolint:wrapcheck // it says what
	}
	defer c.Stop()
	args := append(pin(0, nil), m.binary, "load", "run", "http://"+c.Addr.String(), "--quiet", "--json", "-",
		"--pid", strconv.Itoa(c.PID()), "--warmup", "1s", "--duration", m.duration.String())
	cmd := exec.CommandContext(ctx, args[0], append(args[1:], t.flags...)...) //nolint:gosec // they are ours
	var said strings.Builder
	cmd.Stderr = &said
	raw, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	var r loadResult
	if err := json.Unmarshal(raw, &r); err != nil {
		return f, fmt.Errorf("the load generator's result: %w", err)
	}
	f.fill(&r, t)
	return f, nil
}

var errNotMeant = errors.New("it is no server")

// pin runs a command on one processor, with further variables of its environment.
func pin(cpu int, env []string) []string {
	command := []string{"taskset", "-c", strconv.Itoa(cpu)}
	if len(env) > 0 {
		command = append(append(command, "env"), env...)
	}
	return command
}

func (f *figure) fill(r *loadResult, t test) {
	f.Value = t.value(r)
	f.Tool = r.Generator.LoopShare
	for _, p := range r.Parts {
		f.Rate += p.ReceivedRate
		if n := p.Lost + p.Doubled + p.Reordered; n > 0 {
			f.Notes = append(f.Notes, fmt.Sprintf("%d lost, %d doubled, %d out of order", p.Lost, p.Doubled, p.Reordered))
		}
	}
	if r.Clients.Lost > 0 || r.Clients.Joined < r.Clients.Asked {
		f.Notes = append(f.Notes, fmt.Sprintf("%d of %d clients joined, %d were lost", r.Clients.Joined, r.Clients.Asked, r.Clients.Lost))
	}
	latency := r.Latency[r.Main]
	number := func(name string) float64 { v, _ := latency[name].(float64); return v }
	f.P50, f.P99, f.P999 = number("p50"), number("p99"), number("p99.9")
}

// machine says where the figures come from.
type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

func describeMachine() machine {
	m := machine{CPUs: runtime.NumCPU(), Go: runtime.Version()}
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if raw, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(raw))
	}
	return m
}
