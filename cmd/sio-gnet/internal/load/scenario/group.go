package scenario

import (
	"sync/atomic"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// group are clients that get the same messages: those of a room, or all of a part. Its
// clients may be on several loops.
type group struct {
	id      uint32
	part    *partInfo
	joined  int // slots that are taken
	senders []senderState
}

// senderState is what the others have to know of a client of a group that sends.
type senderState struct {
	sent atomic.Uint64 // messages
	gone atomic.Bool   // what it sent last may never have left
}

func newGroup(id uint32, p *partInfo, size int) *group {
	if p.Senders > 0 {
		size = p.Senders
	}
	return &group{id: id, part: p, senders: make([]senderState, size)}
}

// room names the group at the server.
func (g *group) room(w *worker) string {
	return string(stats.Stamp{Run: w.run.opts.ID, Group: g.id}.Append([]byte("load-"))[:len("load-")+8])
}

// member is a client that gets all messages of its group, and may send some.
type member struct {
	base

	group    *group
	slot     int    // in the group
	count    uint64 // messages that it sent
	joinAt   int64
	trackers []stats.Tracker // of the group's members that send
	flight   stats.Flight    // of joining, and of messages while there is a window
}

func newMember(b base, g *group) *member {
	g.joined++
	return &member{base: b, group: g, slot: g.joined - 1}
}

// sends says whether it is one of those who send.
func (m *member) sends() bool {
	switch m.part.Kind {
	case Bcast, Fanout:
		return m.slot < m.part.Senders
	}
	return m.part.Kind == Rooms
}

// OnJoined implements [client.User].
func (m *member) OnJoined(*client.Client) {
	m.enter()
	m.trackers = make([]stats.Tracker, len(m.group.senders))
	if m.part.joins < 0 {
		m.makeReady()
		return
	}
	m.joinAt = m.w.loop.Now()
	m.emit(&client.Message{Event: "join", Room: m.group.room(m.w), ID: 0, Ack: true})
}

func (m *member) start() {
	if m.sends() {
		for range m.part.Window {
			m.send(m.w.loop.Now())
		}
	}
}

func (m *member) act(at int64) bool {
	if !m.ready || m.peer.Clogged() {
		return false
	}
	m.send(at)
	return true
}

func (m *member) send(at int64) {
	room := ""
	if m.part.Kind == Rooms {
		room = m.group.room(m.w)
	}
	if m.part.Window > 0 {
		m.flight.Send(at)
	}
	m.w.rec.Sent(m.part.index, at)
	m.emit(&client.Message{
		Event: m.part.Event, Room: room, Binary: m.part.Binary,
		Body: m.w.body(stats.Stamp{Group: m.group.id, Sender: uint32(m.slot), Seq: m.count, At: at}, m.part.Size),
	})
	m.count++
	m.group.senders[m.slot].sent.Store(m.count)
}

// OnMessage implements [client.User].
func (m *member) OnMessage(_ *client.Client, r *client.Received) {
	if m.w.frozen {
		return
	}
	if r.Event == nil {
		if m.ready || r.ID != 0 || m.part.joins < 0 {
			m.counters().Stray++
			return
		}
		m.w.rec.Setup(m.part.joins, m.joinAt, m.w.loop.Now())
		m.makeReady()
		return
	}
	s, ok := stats.ParseStamp(r.Body())
	if !ok || s.Run != m.w.run.opts.ID || s.Group != m.group.id || int(s.Sender) >= len(m.trackers) || !m.ready {
		if m.ready && m.w.run.stray(s, ok) {
			m.counters().Stray++
		}
		return
	}
	v := m.trackers[s.Sender].Take(s.Seq)
	m.w.rec.Received(m.part.index, s.At, v)
	if v == stats.Double {
		return
	}
	now := m.w.loop.Now()
	m.w.rec.Latency(m.part.latency, s.At, now)
	if int(s.Sender) == m.slot && m.part.Window > 0 {
		if _, _, given, ok := m.flight.Answer(s.Seq); ok && !given && m.w.sending() {
			m.send(now)
		}
	}
}

// OnLost implements [client.User].
func (m *member) OnLost(_ *client.Client, err error) {
	if m.w.frozen {
		return
	}
	if m.sends() {
		m.group.senders[m.slot].gone.Store(true)
	}
	m.lose(err)
	m.w.squads[m.part.index].remove(m)
}

func (m *member) giveUp(before int64) {
	for range m.flight.GiveUp(before) {
		m.send(m.w.loop.Now())
	}
}

// missing returns what it did not get of those who were there until the end, and what
// has gaps of the others. Of a client that was lost itself, only gaps count.
func (m *member) missing() (n uint64) {
	for slot := range m.trackers {
		s := &m.group.senders[slot]
		sent := s.sent.Load()
		if s.gone.Load() || !m.ready {
			sent = 0
		}
		n += m.trackers[slot].Missing(sent)
	}
	return n
}
