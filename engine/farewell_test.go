package engine

import (
	"net/http"
	"testing"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// TestCloseBesidePoll shows E51: a peer that polls and then closes, on two
// connections, gets the same whichever of the two is seen first.
func TestCloseBesidePoll(t *testing.T) {
	f := serve(t)
	for _, tc := range []struct {
		name   string
		queued []string
		want   string // what the poll gets
	}{
		{"nothing to say", nil, "6"},
		{"messages", []string{"a", "b"}, "4a\x1e4b"},
	} {
		t.Run(tc.name+", poll first", func(t *testing.T) {
			c := f.poll(t)
			c.startPoll()
			c.inspect(t, func() { // both in one turn
				c.send(t, tc.queued...)
				c.Post(loop.TaskFunc(func(*loop.Loop) { c.onPacket(engineio.Packet{Type: engineio.Close}) }))
			})
			c.get.want(http.StatusOK, tc.want)
			c.wantClosed(t, TransportClose, nil)
		})
		t.Run(tc.name+", close first", func(t *testing.T) {
			c := f.poll(t)
			c.startPoll()
			c.inspect(t, func() { // the poll is taken away and comes again, behind the close packet
				poll := c.polling.get
				c.polling.get = nil
				c.send(t, tc.queued...)
				c.Post(loop.TaskFunc(func(*loop.Loop) {
					c.onPacket(engineio.Packet{Type: engineio.Close})
					c.onPoll(c.Owner(), poll)
				}))
			})
			c.get.want(http.StatusOK, tc.want)
			c.wantClosed(t, TransportClose, nil)
		})
	}
	t.Run("answer to the close", func(t *testing.T) {
		c := f.poll(t)
		c.wantPost("1") // no poll comes
		c.wantClosed(t, TransportClose, nil)
		c.wantGone()
	})
}
