package scenario

import (
	"errors"
	"fmt"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// base is what all actors have.
type base struct {
	w        *worker
	part     *partInfo
	peer     *reactor.Peer
	self     actor
	index    int   // unlike that of any other client
	intended int64 // when it was to connect
	joined   bool
	ready    bool
}

func (b *base) common() *base             { return b }
func (b *base) start()                    {}
func (b *base) act(int64) bool            { return false }
func (b *base) missing() uint64           { return 0 }
func (b *base) giveUp(int64)              {}
func (b *base) counters() *stats.Counters { return b.w.rec.Part(b.part.index) }

// begin connects, as was to happen at a time.
func (b *base) begin(at int64) {
	b.intended = at
	b.peer.Begin(b.self.(client.User))
}

// enter notes that the client has joined.
func (b *base) enter() {
	b.joined = true
	b.w.settled++
	b.w.run.joined.Add(1)
	if c, ok := b.self.(*connector); !ok || !c.anew {
		b.w.rec.Setup(MetricConnect, b.intended, b.w.loop.Now())
	}
}

// makeReady notes that the client has done what comes before messages.
func (b *base) makeReady() {
	if b.ready {
		return
	}
	b.ready = true
	b.w.run.ready.Add(1)
	if b.w.sending() {
		b.self.start()
	}
}

// exit notes that the client is out, for whatever reason.
func (b *base) exit() {
	if b.joined {
		b.w.settled--
		b.w.run.joined.Add(-1)
	}
	if b.ready {
		b.w.run.ready.Add(-1)
	}
	b.joined, b.ready = false, false
}

// lose counts the loss of a client.
func (b *base) lose(err error) {
	if b.w.frozen {
		return
	}
	was := b.joined
	b.exit()
	b.peer.Forget()
	if was {
		b.w.run.lost.Add(1)
	} else {
		b.w.run.failed.Add(1)
	}
	b.w.rec.Error(kind(err))
}

// kind names an error so that those of a kind can be counted together.
func kind(err error) string {
	var e *client.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return fmt.Sprintf("%s: %s", e.Kind, e.Detail)
}

// idler is a client that only answers heartbeats.
type idler struct{ base }

// OnJoined implements [client.User].
func (i *idler) OnJoined(*client.Client) {
	i.enter()
	i.makeReady()
}

// OnMessage implements [client.User].
func (i *idler) OnMessage(*client.Client, *client.Received) {}

// OnLost implements [client.User].
func (i *idler) OnLost(_ *client.Client, err error) { i.lose(err) }
