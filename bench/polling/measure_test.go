package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/bench/internal/testserver"
	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

func TestMeasure(t *testing.T) {
	addr := testserver.Serve(t, &sio.Options{}).String()
	c := config{clients: 3, messages: 100, warmup: 10, rounds: 2, payload: 5000}
	sides := []side{{"first", addr, os.Getpid()}, {"second", addr, os.Getpid()}}
	var turns []string
	r, err := measure(t.Context(), c, sides, func(what string) {
		_, what, _ = strings.Cut(what, ": ")
		name, _, _ := strings.Cut(what, " ")
		turns = append(turns, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "second", "first", "second"}; !slices.Equal(turns, want) {
		t.Errorf("turns %v, want %v", turns, want)
	}
	if r.Clients != 3 || r.Messages != 102 || r.Payload != 5000 || len(r.Sides) != 2 || len(r.Sides[1].Rounds) != 2 {
		t.Errorf("report %+v", r)
	}
}

func TestMeasureFails(t *testing.T) {
	addr := testserver.Serve(t, &sio.Options{}).String()
	c := config{clients: 3, messages: 3, rounds: 1}
	if _, err := measure(t.Context(), c, []side{{"no process", addr, -1}}, func(string) {}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a process: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := measure(ctx, c, []side{{"canceled", addr, os.Getpid()}}, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	c.payload = 100_000 // more than the parser takes
	if _, err := measure(t.Context(), c, []side{{"too large", addr, os.Getpid()}}, func(string) {}); !errors.Is(err, wire.ErrProtocol) {
		t.Errorf("too large: %v", err)
	}
}

func TestDoubt(t *testing.T) {
	if got := doubt(200 * time.Millisecond); got != "" {
		t.Errorf("enough is doubted: %q", got)
	}
	for _, cpu := range []time.Duration{0, 190 * time.Millisecond} {
		if got := doubt(cpu); !strings.Contains(got, cpu.String()) {
			t.Errorf("%v: got %q", cpu, got)
		}
	}
}

func TestFigure(t *testing.T) {
	for _, tt := range []struct {
		name             string
		rounds           []float64
		low, middle, top float64
	}{
		{"one", []float64{2}, 2, 2, 2},
		{"odd", []float64{3, 1, 9}, 1, 3, 9},
		{"even", []float64{4, 1, 9, 3}, 1, 3.5, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFigure(tt.name, tt.rounds)
			if f.Min != tt.low || f.Median != tt.middle || f.Max != tt.top || f.Rounds[0] != tt.rounds[0] {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestPrint(t *testing.T) {
	r := report{Clients: 20, Messages: 100, Payload: 64, Sides: []figure{newFigure("ours", []float64{10, 12, 11})}}
	for _, tt := range []struct {
		name  string
		ratio float64
		lines int
	}{{"alone", 0, 2}, {"beside a peer", 0.25, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			r.Ratio = tt.ratio
			var b bytes.Buffer
			if err := r.print(&b); err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(b.String())
			if strings.Count(b.String(), "\n") != tt.lines || !slices.Contains(words, "11.0") || slices.Contains(words, "0.250") != (tt.ratio > 0) {
				t.Errorf("printed\n%s", b.String())
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"defaults", nil, true},
		{"all", []string{"-binary", "x", "-blocking", "-peer", "node peer.mjs", "-clients", "5", "-messages", "10", "-warmup", "0", "-rounds", "1", "-payload", "0", "-timeout", "1s", "-json"}, true},
		{"no clients", []string{"-clients", "0"}, false},
		{"fewer messages than clients", []string{"-messages", "19"}, false},
		{"negative warm-up", []string{"-warmup", "-1"}, false},
		{"no rounds", []string{"-rounds", "0"}, false},
		{"negative payload", []string{"-payload", "-1"}, false},
		{"large payload", []string{"-payload", "40000"}, false},
		{"unknown", []string{"-nope"}, false},
		{"surplus", []string{"surplus"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			c, err := parse(tt.args, &out)
			if (err == nil) != tt.ok || tt.ok == (out.Len() > 0) {
				t.Errorf("error %v, output %q", err, out.String())
			}
			if c.blocking != (tt.name == "all") {
				t.Errorf("blocking: %v", c.blocking)
			}
			if tt.name == "all" && !slices.Equal(c.peer, []string{"node", "peer.mjs"}) {
				t.Errorf("peer %q", c.peer)
			}
		})
	}
}
