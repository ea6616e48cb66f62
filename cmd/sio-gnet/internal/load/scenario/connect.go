package scenario

import "github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"

// connector is a client that disconnects and connects anew, when it is its turn or when
// all are cut. One that fails does so in its next turn.
type connector struct {
	base

	anew bool // it has begun before
}

// OnJoined implements [client.User].
func (c *connector) OnJoined(*client.Client) {
	c.enter()
	if c.anew {
		c.w.rec.Latency(c.part.latency, c.intended, c.w.loop.Now())
	}
	c.makeReady()
	k := c.counters()
	k.Arrived++
	if c.w.rec.Counts(c.intended) {
		k.Received++
	}
}

// OnMessage implements [client.User].
func (c *connector) OnMessage(*client.Client, *client.Received) {}

// OnLost implements [client.User].
func (c *connector) OnLost(_ *client.Client, err error) {
	if c.w.frozen {
		return
	}
	c.lose(err)
	c.counters().Expected-- // it is an error, not lost
}

func (c *connector) begin(at int64) {
	k := c.counters()
	k.Expected++
	c.anew = c.intended > 0
	c.w.rec.Sent(c.part.index, at)
	c.base.begin(at)
}

// act disconnects and connects. A client that is connecting has no time for that.
func (c *connector) act(at int64) bool {
	switch {
	case c.joined:
		c.exit()
		c.peer.Leave()
	case !c.peer.Gone():
		return false
	}
	c.begin(at)
	return true
}

// cut ends the connection without a word and connects.
func (c *connector) cut(at int64) {
	if !c.joined {
		c.counters().Expected -= int64(b2i(!c.peer.Gone()))
	}
	c.exit()
	c.peer.Abort()
	c.begin(at)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
