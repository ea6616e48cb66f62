package scenario

import (
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

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
	c.w.rec.Received(c.part.index, c.intended, stats.Fresh)
}

// OnMessage implements [client.User].
func (c *connector) OnMessage(*client.Client, *client.Received) {}

// OnLost implements [client.User].
func (c *connector) OnLost(_ *client.Client, err error) {
	if c.w.frozen {
		return
	}
	c.lose(err)
}

func (c *connector) begin(at int64) {
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
	c.exit()
	c.peer.Abort()
	c.begin(at)
}

// missing says whether it is connecting.
func (c *connector) missing() uint64 {
	if !c.joined && !c.peer.Gone() {
		return 1
	}
	return 0
}
