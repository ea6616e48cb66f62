package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFile(t *testing.T) {
	parts, err := ReadFile(write(t, `
clients: 100
rate: 900
parts:
  - scenario: echo
    weight: 2
    size: 200
    binary: true
  - scenario: rooms
    room-size: 7
    name: halls
  - scenario: echo
    window: 3
    answer: event
    event: ping
  - scenario: idle
    clients: 5
  - scenario: bcast
    clients: 4
    senders: 2
    rate: 7.5
  - {scenario: connect, clients: 20, storm: 1s}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{
		{Name: "echo", Kind: Echo, Clients: 50, Rate: 600, Size: 200, Binary: true, Event: "echo", Answer: ByAck},
		{Name: "halls", Kind: Rooms, Clients: 25, Rate: 300, Size: 64, Event: "rcast", RoomSize: 7},
		{Name: "echo2", Kind: Echo, Clients: 25, Window: 3, Size: 64, Event: "ping", Answer: ByEvent},
		{Name: "idle", Kind: Idle, Clients: 5},
		{Name: "bcast", Kind: Bcast, Clients: 4, Rate: 7.5, Size: 64, Event: "bcast", Senders: 2},
		{Name: "connect", Kind: Connect, Clients: 20, Storm: time.Second},
	}
	if len(parts) != len(want) {
		t.Fatalf("%d parts", len(parts))
	}
	for i := range want {
		if parts[i] != want[i] {
			t.Errorf("part %d:\ngot  %+v\nwant %+v", i, parts[i], want[i])
		}
	}
}

// What is wrong with a file is said with its line and column.
func TestFileErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "empty"},
		{"no YAML", "a: [", "yaml"},
		{"a list", "- a", ":1:1: a map"},
		{"unknown key", "clients: 1\nfoo: 2", `:2:1: unknown key "foo"`},
		{"unknown key of a part", "parts:\n  - scenario: echo\n    sise: 3", `:3:5: unknown key "sise"`},
		{"a key twice", "clients: 1\nclients: 2", `:2:1: key "clients" is there twice`},
		{"no parts", "clients: 1", "no parts"},
		{"no list of parts", "parts: 3", ":1:8: parts must be a list"},
		{"unknown scenario", "clients: 1\nparts:\n  - scenario: ecko", `:3:5: scenario must be one of [idle connect echo bcast fanout rooms presence], not "ecko"`},
		{"no number", "clients: many", `:1:10: a whole number is wanted, not "many"`},
		{"half a client", "clients: 1.5", `:1:10: a whole number is wanted, not "1.5"`},
		{"no rate", "rate: fast", `:1:7: a number is wanted`},
		{"no bool", "parts:\n  - binary: maybe", `:2:13: true or false is wanted`},
		{"no text", "parts:\n  - scenario: [a]", `:2:15: a text is wanted`},
		{"no clients", "parts:\n  - scenario: echo", `:2:5: neither this part nor the file`},
		{"too many clients", "clients: 99999999\nparts:\n  - scenario: echo", `clients must be from 1`},
		{"no weight", "clients: 1\nparts:\n  - scenario: echo\n    weight: -1", `:3:5: weight must be positive`},
		{"no time", "parts:\n  - scenario: connect\n    storm: often", `:3:12: storm must be a time`},
		{"a part that can't be", "clients: 5\nparts:\n  - scenario: echo\n    size: 3", `:3:5: size must be from 26`},
		{"a name for nobody", "clients: 5\nparts:\n  - scenario: echo\n    name: a b", `:3:5: name must be of letters`},
		{"rate and window", "clients: 5\nparts:\n  - scenario: echo\n    rate: 5\n    window: 3", `:3:5: rate and window exclude each other`},
		{"not a number", "clients: 5\nrate: .nan\nparts:\n  - scenario: echo", `rate must be from 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.text)
			_, err := ReadFile(path)
			if err == nil || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

func TestPartChecks(t *testing.T) {
	for _, tt := range []struct {
		name string
		part Part
		want string
	}{
		{"echo", Part{Kind: Echo, Clients: 1}, ""},
		{"idle", Part{Kind: Idle, Clients: 1}, ""},
		{"connect", Part{Kind: Connect, Clients: 1}, ""},
		{"fanout", Part{Kind: Fanout, Clients: 1}, ""},
		{"one sends to one", Part{Kind: Bcast, Clients: 1}, ""},
		{"no clients", Part{Kind: Echo}, "clients must be"},
		{"a room of more than all", Part{Kind: Rooms, Clients: 3, RoomSize: 4}, "room-size must be"},
		{"a room of one to churn", Part{Kind: Presence, Clients: 3, RoomSize: 1}, "room-size must be"},
		{"more senders than clients", Part{Kind: Bcast, Clients: 3, Senders: 4}, "senders must be"},
		{"a small message", Part{Kind: Echo, Clients: 1, Size: MinSize - 1}, "size must be"},
		{"the smallest message", Part{Kind: Echo, Clients: 1, Size: MinSize}, ""},
		{"a large message", Part{Kind: Echo, Clients: 1, Size: MaxSize + 1}, "size must be"},
		{"no window", Part{Kind: Echo, Clients: 1, Window: -1}, "window must be"},
		{"storms without end", Part{Kind: Connect, Clients: 1, Storm: time.Millisecond}, "storm must be"},
		{"an event with quotes", Part{Kind: Echo, Clients: 1, Event: `a"b`}, "event must be"},
		{"another answer", Part{Kind: Echo, Clients: 1, Answer: "letter"}, "answer must be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.part.WithDefaults().Check()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// puppet is an actor that can act when it is told that it can.
type puppet struct {
	base

	able bool
	acts []int64
}

func (p *puppet) act(at int64) bool {
	if p.able {
		p.acts = append(p.acts, at)
	}
	return p.able
}

// What is due is done by turns and for the time at which it was due, however late that
// is; if nobody can, that is counted.
func TestArrivals(t *testing.T) {
	part := &partInfo{}
	a, b, c := &puppet{able: true}, &puppet{}, &puppet{able: true}
	w := &worker{rec: stats.NewRecorder([]string{"connect", "lag"}, 1), end: 1000}
	w.rec.To = 1000
	s := &arrivals{w: w, squad: &squad{part: part, list: []actor{a, b, c}}, next: 100, step: 150}
	for range 4 {
		if s.Due() >= 1000 {
			t.Fatal("it is over")
		}
		s.Fire(900)
	}
	if !slices.Equal(a.acts, []int64{100, 400}) || !slices.Equal(c.acts, []int64{250, 550}) {
		t.Errorf("%v and %v", a.acts, c.acts)
	}
	a.able, c.able = false, false
	s.Fire(900)
	if n := w.rec.Part(0).Unsent; n != 1 {
		t.Errorf("%d were not sent", n)
	}
	for s.Due() != reactor.Never {
		s.Fire(2000)
	}
	if n := w.rec.Part(0).Unsent; n != 2 { // 700, 850; 1000 is too late
		t.Errorf("%d were not sent", n)
	}
	total := stats.NewTotals([]string{"connect", "lag"}, 1)
	w.rec.AddTo(total)
	if n := total.Hists[MetricLag].Count(); n != 6 {
		t.Errorf("%d lags", n)
	}
}

// Messages of a sender that has gone may never have left it: only gaps in what came are
// lost. What a client that was lost itself did not get is not lost either.
func TestMissing(t *testing.T) {
	g := newGroup(0, &partInfo{}, 2)
	m := &member{group: g, trackers: make([]stats.Tracker, 2)}
	m.ready = true
	for _, n := range []uint64{0, 1, 4} { // 2 and 3 are missing
		m.trackers[0].Take(n)
	}
	g.senders[0].sent.Store(10)
	g.senders[1].sent.Store(3)
	for _, tt := range []struct {
		name        string
		gone, ready bool
		want        uint64
	}{
		{"all are there", false, true, 7 + 3},
		{"a sender has gone", true, true, 2 + 3},
		{"it was lost", false, false, 2},
	} {
		g.senders[0].gone.Store(tt.gone)
		m.ready = tt.ready
		if got := m.missing(); got != tt.want {
			t.Errorf("%s: %d are missing, want %d", tt.name, got, tt.want)
		}
	}
}
