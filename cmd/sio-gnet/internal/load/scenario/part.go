// Package scenario is what the clients of a load generator do: hold still, connect again
// and again, have messages come back, send to many, join and leave. It owns the clients of
// a run, counts what becomes of their messages, and knows nothing of files and terminals.
package scenario

import (
	"fmt"
	"math"
	"time"
)

// Kind is what the clients of a part do.
type Kind string

// The kinds.
const (
	Idle     Kind = "idle"
	Connect  Kind = "connect"
	Echo     Kind = "echo"
	Bcast    Kind = "bcast"
	Fanout   Kind = "fanout"
	Rooms    Kind = "rooms"
	Presence Kind = "presence"
)

// Kinds are all kinds.
var Kinds = []Kind{Idle, Connect, Echo, Bcast, Fanout, Rooms, Presence}

// Part is a number of clients that do the same.
type Part struct {
	Name    string
	Kind    Kind
	Clients int

	// Rate is how much is to happen a second, by all clients together: messages, joins and
	// leaves, or connections made anew. 0: as many as Window allows.
	Rate float64
	// Window is how many messages of a client may be under way at once, without Rate.
	Window int

	Size   int // of a message's data, in bytes
	Binary bool
	Event  string // to send
	Answer string // to an echo: ByAck or ByEvent

	Senders  int           // Bcast: how many clients send
	RoomSize int           // Rooms and Presence: clients of a room
	Storm    time.Duration // Connect: how often all are cut at once
}

// How a server answers an echo.
const (
	ByAck   = "ack"
	ByEvent = "event"
)

// Limits of a part.
const (
	MinSize    = 26 // the stamp of a message
	MaxSize    = 16 << 20
	MaxClients = 1 << 20
	MaxRate    = 1e7
	maxWindow  = 1 << 16
)

// WithDefaults returns the part with its defaults in place of zero fields.
func (p Part) WithDefaults() Part {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	if p.Name == "" {
		p.Name = string(p.Kind)
	}
	if p.Kind == Idle {
		return p
	}
	if p.Kind == Connect {
		if p.Rate == 0 && p.Storm == 0 {
			p.Rate = float64(p.Clients) / 10
		}
		return p
	}
	set(&p.Size, 64)
	event := map[Kind]string{Echo: "echo", Bcast: "bcast", Fanout: "bcast", Rooms: "rcast", Presence: "rcast"}[p.Kind]
	if p.Event == "" {
		p.Event = event
	}
	switch p.Kind {
	case Echo:
		if p.Answer == "" {
			p.Answer = ByAck
		}
	case Bcast:
		set(&p.Senders, min(p.Clients, 10))
	case Fanout:
		p.Senders = 1
	case Rooms, Presence:
		set(&p.RoomSize, 10)
	}
	if p.Kind == Presence {
		if p.Rate == 0 {
			p.Rate = float64(p.Clients)
		}
	} else if p.Rate == 0 {
		set(&p.Window, 1)
	}
	return p
}

// Check says what is wrong with a part that has its defaults. Its errors name the fields
// as flags and scenario files do.
func (p Part) Check() error {
	sends := p.Kind != Idle && p.Kind != Connect
	switch {
	case p.Clients < 1 || p.Clients > MaxClients:
		return fmt.Errorf("clients must be from 1 to %d, not %d", MaxClients, p.Clients)
	case !(p.Rate >= 0) || p.Rate > MaxRate:
		return fmt.Errorf("rate must be from 0 to %.0f a second, not %v", MaxRate, p.Rate)
	case p.Rate > 0 && p.Window > 0:
		return fmt.Errorf("rate and window exclude each other: a fixed rate does not wait for answers")
	case p.Window < 0 || p.Window > maxWindow:
		return fmt.Errorf("window must be from 1 to %d, not %d", maxWindow, p.Window)
	case sends && (p.Size < MinSize || p.Size > MaxSize):
		return fmt.Errorf("size must be from %d (the stamp that tells messages apart) to %d bytes, not %d", MinSize, MaxSize, p.Size)
	case p.Kind == Echo && p.Answer != ByAck && p.Answer != ByEvent:
		return fmt.Errorf("answer must be %s or %s, not %q", ByAck, ByEvent, p.Answer)
	case p.Kind == Bcast && (p.Senders < 1 || p.Senders > p.Clients):
		return fmt.Errorf("senders must be from 1 to the number of clients, %d, not %d", p.Clients, p.Senders)
	case p.Kind == Rooms && (p.RoomSize < 1 || p.RoomSize > p.Clients):
		return fmt.Errorf("room-size must be from 1 to the number of clients, %d, not %d", p.Clients, p.RoomSize)
	case p.Kind == Presence && (p.RoomSize < 2 || p.RoomSize > p.Clients):
		return fmt.Errorf("room-size must be from 2 (one watches) to the number of clients, %d, not %d", p.Clients, p.RoomSize)
	case p.Storm < 0 || p.Storm > 0 && p.Storm < 100*time.Millisecond:
		return fmt.Errorf("storm must be at least 100ms, not %v", p.Storm)
	case sends && !plainName(p.Event):
		return fmt.Errorf("event must be a name without quotes, backslashes and control characters, not %q", p.Event)
	}
	return nil
}

// plainName says whether a name can stand in JSON as it is.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' || c > '~' {
			return false
		}
	}
	return s != ""
}

// Latency names what is measured of the part's messages, or of its connecting anew; it is
// empty if there is nothing.
func (p *Part) Latency() string {
	switch {
	case p.Kind == Idle:
		return ""
	case p.Kind == Connect && p.Name == string(Connect):
		return "reconnect"
	case p.Kind == Connect:
		return p.Name + ".reconnect"
	}
	return p.Name
}

// joins names what is measured of its joins and leaves, if it has any.
func (p *Part) joins() string {
	if p.Kind == Rooms || p.Kind == Presence {
		return p.Name + ".join"
	}
	return ""
}

// groupSize returns how many clients a group has at most.
func (p *Part) groupSize() int {
	if p.Kind == Rooms || p.Kind == Presence {
		return p.RoomSize
	}
	return p.Clients
}

// groups returns how many groups of clients the part has that send to each other.
func (p *Part) groups() int {
	switch p.Kind {
	case Bcast, Fanout:
		return 1
	case Rooms, Presence:
		return int(math.Ceil(float64(p.Clients) / float64(p.RoomSize)))
	}
	return 0
}
