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
	flight stats.Flight  // of joins and leaves
}

// newChurner takes the place of a member.
func newChurner(m *member) *churner {
	c := &churner{base: m.base, group: m.group, slot: m.slot}
	m.group.members[m.slot] = c
	return c
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
	c.counters().Expected++
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
	if c.inside {
		c.say(at)
	} else {
		c.busy = false
	}
}

// say tells the room: who watches and the client itself must get it.
func (c *churner) say(at int64) {
	c.counters().Expected += int64(c.group.receivers.Load()) + 1
	c.emit(&client.Message{
		Event: c.part.Event, Room: c.group.room(c.w), Binary: c.part.Binary,
		Body: c.w.body(stats.Stamp{Group: c.group.id, Sender: uint32(c.slot), Seq: c.here, At: at}, c.part.Size),
	})
	c.here++
}

// onSaid takes what is said in the room. What others say is none of its business, as
// long as it is in: nobody can tell what it must have got.
func (c *churner) onSaid(m *client.Received) {
	s, ok := stats.ParseStamp(m.Body())
	if !ok || s.Run != c.w.run.opts.ID || s.Group != c.group.id || !c.inside && c.flight.Waiting() == 0 {
		c.counters().Stray++
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
	c.counters().Expected -= int64(c.flight.Waiting()) + int64(c.own.Missing(c.here))
	c.lose(err)
	c.w.squads[c.part.index].remove(c)
}

// giveUp lets it go on after an answer that did not come.
func (c *churner) giveUp(before int64) {
	if c.busy && c.since < before {
		c.busy = false
	}
}

func (c *churner) sent() (n uint64, whole bool) { return c.here, c.ready }

func (c *churner) missing() uint64 {
	if !c.ready {
		return 0
	}
	return uint64(c.flight.Waiting()) + c.own.Missing(c.here)
}
