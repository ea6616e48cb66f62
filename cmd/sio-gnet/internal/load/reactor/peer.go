package reactor

import (
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
)

// Peer is a client on a loop, and its connections. All use is on the loop.
type Peer struct {
	client.Client

	loop  *Loop
	conns [client.Lines]*conn
	index int // which of the run's clients it is: says its local address
	place int // in loop.peers, plus 1
}

// NewPeer returns a client of the loop.
func (l *Loop) NewPeer(index int) *Peer { return &Peer{loop: l, index: index} }

// Begin starts the client, or starts it anew after it has ended.
func (p *Peer) Begin(user client.User) {
	if p.place == 0 {
		p.loop.peers = append(p.loop.peers, p)
		p.place = len(p.loop.peers)
	}
	p.Start(p.loop.Shared, p, user, int64(p.loop.reactor.opts.JoinTimeout))
}

// Forget takes a client that has ended out of its loop's list.
func (p *Peer) Forget() {
	if p.place == 0 {
		return
	}
	peers := p.loop.peers
	last := len(peers) - 1
	peers[last].place = p.place
	peers[p.place-1] = peers[last]
	peers[last] = nil
	p.loop.peers, p.place = peers[:last], 0
}

// maxOutput is how much may wait for a server that does not read, in bytes.
const maxOutput = 1 << 20

// Clogged reports whether so much waits to be sent that no more should be.
func (p *Peer) Clogged() bool {
	c := p.conns[client.Socket]
	if c == nil {
		c = p.conns[client.Post]
	}
	return c != nil && c.link != nil && c.link.OutboundBuffered() > maxOutput
}

// Open implements [client.IO].
func (p *Peer) Open(line client.Line) {
	c := &conn{peer: p, line: line}
	p.conns[line] = c
	p.loop.reactor.dialer.add(c)
}

// Write implements [client.IO].
func (p *Peer) Write(line client.Line, b []byte) {
	if c := p.conns[line]; c != nil {
		c.write(b)
	}
}

// Close implements [client.IO].
func (p *Peer) Close(line client.Line, reset bool) {
	if c := p.conns[line]; c != nil {
		p.conns[line] = nil
		c.close(reset)
	}
}
