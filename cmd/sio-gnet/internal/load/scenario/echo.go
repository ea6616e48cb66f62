package scenario

import (
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// echoer is a client whose messages come back.
type echoer struct {
	base

	flight stats.Flight
}

// OnJoined implements [client.User].
func (e *echoer) OnJoined(*client.Client) {
	e.enter()
	e.makeReady()
}

func (e *echoer) start() {
	for range e.part.Window {
		e.send(e.w.loop.Now())
	}
}

func (e *echoer) act(at int64) bool {
	if !e.ready || e.peer.Clogged() {
		return false
	}
	e.send(at)
	return true
}

func (e *echoer) send(at int64) {
	n := e.flight.Send(at)
	e.w.rec.Sent(e.part.index, at)
	e.emit(&client.Message{
		Event: e.part.Event, Binary: e.part.Binary, ID: n, Ack: e.part.Answer == ByAck,
		Body: e.w.body(stats.Stamp{Group: noGroup, Sender: uint32(e.index), Seq: n, At: at}, e.part.Size),
	})
}

// noGroup is the group of those who have none.
const noGroup = 1<<24 - 1

// emit sends, which can fail only for what can't be encoded.
func (b *base) emit(m *client.Message) {
	if err := b.peer.Emit(m); err != nil {
		b.w.rec.Error("encoding: " + err.Error())
	}
}

// OnMessage implements [client.User].
func (e *echoer) OnMessage(_ *client.Client, m *client.Received) {
	if e.w.frozen {
		return
	}
	s, stamped := stats.ParseStamp(m.Body())
	n, ok := e.number(m, s, stamped)
	if !ok {
		if m.Event == nil || e.w.run.stray(s, stamped) {
			e.counters().Stray++
		}
		return
	}
	now := e.w.loop.Now()
	at, v, given, ok := e.flight.Answer(n)
	if !ok {
		e.counters().Stray++
		return
	}
	e.w.rec.Received(e.part.index, at, v)
	if v == stats.Double {
		return
	}
	e.w.rec.Latency(e.part.latency, at, now)
	if e.part.Window > 0 && !given && e.w.sending() {
		e.send(now)
	}
}

// number finds out which message is answered. An acknowledgement says so by its id; if
// it has a stamp, too, it must be that of the message.
func (e *echoer) number(m *client.Received, s stats.Stamp, stamped bool) (n uint64, ok bool) {
	ours := stamped && s.Run == e.w.run.opts.ID && s.Sender == uint32(e.index) && s.Group == noGroup
	if e.part.Answer == ByEvent {
		return s.Seq, ours && m.Event != nil
	}
	return m.ID, m.Event == nil && (!stamped || ours && s.Seq == m.ID)
}

// OnLost implements [client.User]. What was under way is lost with the client, which is
// one error.
func (e *echoer) OnLost(_ *client.Client, err error) {
	if e.w.frozen {
		return
	}
	e.lose(err)
	e.w.squads[e.part.index].remove(e)
}

func (e *echoer) missing() uint64 {
	if !e.joined {
		return 0
	}
	return uint64(e.flight.Waiting())
}

func (e *echoer) giveUp(before int64) {
	for range e.flight.GiveUp(before) {
		e.send(e.w.loop.Now())
	}
}
