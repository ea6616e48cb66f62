package scenario

import (
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// churner is a client that joins its room, says so in it, and leaves it again, by turns.
// The first member of each room stays, and counts what is said.
type churner struct {
	base

	group  *group
	slot   int
	here   uint64        // messages that it sent to the room
	own    stats.Tracker // of them, those that came back
	inside bool          // it is in the room, or joins it
	busy   bool          // what it was to do is not done
	since  int64         // since then
	leftAt int64         // when the server last said that it is out
	flight stats.Flight  // of joins and leaves
}

// newChurner takes the place of a member, which the group has counted.
func newChurner(m *member) *churner {
	return &churner{base: m.base, group: m.group, slot: m.slot}
}

// OnJoined implements [client.User].
func (c *churner) OnJoined(*client.Client) {
	c.enter()
	c.makeReady()
}

// act joins or leaves, unless it is about that already.
func (c *churner) act(at int64) bool {
	if !c.ready || c.busy {
		return false
	}
	c.busy, c.since = true, at
	event := "join"
	if c.inside {
		event = "leave"
	}
	c.inside = !c.inside
	n := c.flight.Send(at)
	c.w.rec.Sent(c.part.index, at)
	c.emit(&client.Message{Event: event, Room: c.group.room(c.w), ID: n, Ack: true})
	return true
}

// OnMessage implements [client.User].
func (c *churner) OnMessage(_ *client.Client, m *client.Received) {
	switch {
	case c.w.frozen:
	case m.Event == nil:
		c.onAck(m.ID)
	default:
		c.onSaid(m)
	}
}

func (c *churner) onAck(id uint64) {
	now := c.w.loop.Now()
	at, v, _, ok := c.flight.Answer(id)
	if !ok {
		c.counters().Stray++
		return
	}
	c.w.rec.Received(c.part.index, at, v)
	if v == stats.Double {
		return
	}
	c.w.rec.Latency(c.part.joins, at, now)
	if !c.inside {
		c.leftAt = now
	}
	switch {
	case id+1 != c.flight.Sent(): // it was given up, and something else is under way
	case c.inside:
		c.say(now)
	default:
		c.busy = false
	}
}

// say tells the room: who watches and the client itself must get it.
func (c *churner) say(at int64) {
	c.emit(&client.Message{
		Event: c.part.Event, Room: c.group.room(c.w), Binary: c.part.Binary,
		Body: c.w.body(stats.Stamp{Group: c.group.id, Sender: uint32(c.slot), Seq: c.here, At: at}, c.part.Size),
	})
	c.here++
	c.group.senders[c.slot].sent.Store(c.here)
}

// onSaid takes what is said in the room. What others say is none of its business, as
// long as it is in: nobody can tell what it must have got. But what is said after it has
// left is not for it.
func (c *churner) onSaid(m *client.Received) {
	s, ok := stats.ParseStamp(m.Body())
	out := !c.inside && c.flight.Waiting() == 0 && s.At > c.leftAt
	if !ok || s.Run != c.w.run.opts.ID || s.Group != c.group.id || out {
		if c.w.run.stray(s, ok) {
			c.counters().Stray++
		}
		return
	}
	if int(s.Sender) != c.slot {
		return
	}
	if s.Seq >= c.here {
		c.counters().Stray++
		return
	}
	v := c.own.Take(s.Seq)
	c.w.rec.Received(c.part.index, s.At, v)
	if v != stats.Double {
		c.busy = false
		c.w.rec.Latency(c.part.latency, s.At, c.w.loop.Now())
	}
}

// OnLost implements [client.User].
func (c *churner) OnLost(_ *client.Client, err error) {
	if c.w.frozen {
		return
	}
	c.group.senders[c.slot].gone.Store(true)
	c.lose(err)
	c.w.squads[c.part.index].remove(c)
}

// giveUp lets it go on after an answer that did not come.
func (c *churner) giveUp(before int64) {
	if c.busy && c.since < before {
		c.busy = false
	}
}

func (c *churner) missing() uint64 {
	if !c.ready {
		return 0
	}
	return uint64(c.flight.Waiting()) + c.own.Missing(c.here)
}
