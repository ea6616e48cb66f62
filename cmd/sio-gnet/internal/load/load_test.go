package load

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(childServer())
	}
	testkit.Main(m)
}

// patience bounds every wait, so that a failing test ends.
const patience = 20 * time.Second

// config is a short run against a server.
func config(t *testing.T, url string, parts ...scenario.Part) *Config {
	t.Helper()
	target, err := ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		parts[i] = parts[i].WithDefaults()
		if err := parts[i].Check(); err != nil {
			t.Fatal(err)
		}
	}
	return &Config{
		Target: target, Parts: parts,
		Client:     client.Config{Path: "/socket.io/", EIO: 4, Namespace: "/", MaxMessage: 1 << 20},
		Connecting: 10, JoinTimeout: patience, Duration: 300 * time.Millisecond, Warmup: 50 * time.Millisecond,
		Drain: patience, GiveUp: patience, Interval: 100 * time.Millisecond, Loops: 2,
	}
}

// testSome is test for our own server: on a busy machine a test may be over before
// anything was measured, and is repeated for longer then.
func testSome(t *testing.T, c *Config) *report.Result {
	t.Helper()
	for {
		r := test(t, c)
		some := true
		for _, p := range r.Parts {
			some = some && (p.Scenario == string(scenario.Idle) || p.Received > 0)
		}
		if c.Duration *= 2; some || c.Duration > patience/2 {
			return r
		}
	}
}

// test runs a test that must have a result.
func test(t *testing.T, c *Config) *report.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Partial {
		t.Fatal("the run took too long")
	}
	return r
}

// scenarios are runs in which messages are checked.
var scenarios = []struct {
	name string
	part scenario.Part
}{
	{"echo by acknowledgement", scenario.Part{Kind: scenario.Echo, Clients: 6, Window: 4}},
	{"echo by acknowledgement at a rate", scenario.Part{Kind: scenario.Echo, Clients: 6, Rate: 2000}},
	{"echo by event", scenario.Part{Kind: scenario.Echo, Clients: 6, Window: 4, Answer: scenario.ByEvent}},
	{"bcast", scenario.Part{Kind: scenario.Bcast, Clients: 6, Senders: 3, Rate: 300}},
	{"bcast with a window", scenario.Part{Kind: scenario.Bcast, Clients: 6, Senders: 3, Window: 4}},
	{"fanout", scenario.Part{Kind: scenario.Fanout, Clients: 6, Rate: 300}},
	{"rooms", scenario.Part{Kind: scenario.Rooms, Clients: 7, RoomSize: 3, Rate: 500}},
	{"presence", scenario.Part{Kind: scenario.Presence, Clients: 9, RoomSize: 3, Rate: 500}},
}

// What a server does wrong is counted exactly, whatever the scenario.
func TestFaultsAreCounted(t *testing.T) {
	every := func(k int64, f fault) func(int64) fault {
		return func(n int64) fault {
			if n%k == 0 {
				return f
			}
			return sound
		}
	}
	for _, s := range scenarios {
		for _, f := range []struct {
			name  string
			judge func(n int64) fault
		}{
			{"sound", every(1, sound)},
			{"loses", every(17, lose)},
			{"doubles", every(13, double)},
			{"reorders", every(11, swap)},
		} {
			t.Run(s.name+" "+f.name, func(t *testing.T) {
				t.Parallel()
				server := &faulty{judge: f.judge, late: f.name == "reorders", churn: s.part.Kind == scenario.Presence}
				c := config(t, server.serve(t), s.part)
				c.GiveUp = 50 * time.Millisecond
				c.drained = func(outstanding int64) bool { return outstanding == server.lost.Load() }
				r := test(t, c)
				p := r.Parts[0]
				if p.Sent == 0 || p.Received == 0 {
					t.Errorf("%d sent, %d received", p.Sent, p.Received)
				}
				lost, doubled, swapped := server.lost.Load(), server.doubled.Load(), server.swapped.Load()
				if p.Lost != lost || p.Doubled != doubled || p.Reordered != swapped || p.Stray != 0 {
					t.Errorf("counted %d lost, %d doubled, %d reordered, %d stray; the server lost %d, doubled %d, reordered %d",
						p.Lost, p.Doubled, p.Reordered, p.Stray, lost, doubled, swapped)
				}
				if f.name == "loses" && lost == 0 || f.name == "doubles" && doubled == 0 || f.name == "reorders" && swapped == 0 {
					t.Error("the server made no mistake")
				}
				if len(r.Errors) > 0 {
					t.Errorf("errors: %v", r.Errors)
				}
			})
		}
	}
}

// Who left a room and is told what is said there is told of a stray message.
func TestStrayMessagesAreCounted(t *testing.T) {
	server := &faulty{leaky: true, churn: true}
	c := config(t, server.serve(t), scenario.Part{Kind: scenario.Presence, Clients: 8, RoomSize: 8, Rate: 1000})
	if r := test(t, c); r.Parts[0].Stray == 0 {
		t.Errorf("none was: %+v", r.Parts[0])
	}
}

// A server that stands still for a while hides nothing: what was to be sent meanwhile
// counts from when it was to be sent.
func TestNoCoordinatedOmission(t *testing.T) {
	server := &faulty{delay: 400 * time.Millisecond, judge: func(n int64) fault {
		if n == 10 {
			return stall
		}
		return sound
	}}
	c := config(t, server.serve(t), scenario.Part{Kind: scenario.Echo, Clients: 1, Rate: 200})
	c.Warmup, c.Duration = 0, time.Second
	r := test(t, c)
	// Of 200 messages, those of the first 200 ms of the 400 wait for 200 at least: 40.
	if l := r.Latency["echo"]; l.Count < 150 || l.P90 < 200 {
		t.Errorf("p90 is %v ms of %d", l.P90, l.Count)
	}
}

func TestDelayIsMeasured(t *testing.T) {
	server := &faulty{delay: 30 * time.Millisecond, judge: func(int64) fault { return stall }}
	r := test(t, config(t, server.serve(t), scenario.Part{Kind: scenario.Echo, Clients: 3}))
	if l := r.Latency["echo"]; l.Count == 0 || l.Min < 30 {
		t.Errorf("the shortest of %d latencies is %v ms", l.Count, l.Min)
	}
}

// A server that does not read gets no more than some: what was due then is counted, and
// takes no memory.
func TestDeafServer(t *testing.T) {
	for _, kind := range []scenario.Kind{scenario.Echo, scenario.Fanout} {
		t.Run(string(kind), func(t *testing.T) {
			server := &faulty{deaf: true}
			c := config(t, server.serve(t), scenario.Part{Kind: kind, Clients: 1, Rate: 1000, Size: 1 << 20})
			c.Warmup, c.Drain = 0, time.Millisecond
			r := test(t, c)
			p := r.Parts[0]
			if p.Sent == 0 || p.Sent > 100 || p.Unsent == 0 || p.Received > 0 || p.Lost != p.Sent {
				t.Errorf("got %+v", p)
			}
			if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "nothing was sent when it was due") }) {
				t.Errorf("warnings: %q", r.Warnings)
			}
		})
	}
}
