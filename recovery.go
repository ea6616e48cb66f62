package sio

import (
	"encoding/json"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/ids"
	"github.com/sio-gnet/sio-gnet/loop"
)

// Recovery configures the recovery of connections that were lost for a short
// time: the client gets its socket's id, rooms and data back, and the events that
// it has missed. It does so on the server that it was connected to, and if that was
// not restarted. A zero field means its default. The limits are those of each
// namespace.
//
// Clients of Socket.IO 4.6 and later take part by themselves. Their listeners get
// an event's offset as one more argument, which is how the client knows what it has
// had; a client that never had an event can't recover.
type Recovery struct {
	// MaxDisconnectionDuration is how long a client may be away; default 2 min.
	MaxDisconnectionDuration time.Duration
	// RunMiddlewares has the namespace's middlewares asked about a client that comes
	// back, too; [Socket.Recovered] tells them.
	RunMiddlewares bool
	// MaxPackets (default 100,000) and MaxBytes (64 MiB) bound the events that are
	// kept. A client that would need older ones gets a new session.
	MaxPackets, MaxBytes int
	// MaxSessions (default 100,000) bounds the clients that may come back.
	MaxSessions int
}

func (r Recovery) withDefaults() Recovery {
	if r.MaxDisconnectionDuration <= 0 {
		r.MaxDisconnectionDuration = 2 * time.Minute
	}
	for _, f := range []struct {
		v *int
		d int
	}{{&r.MaxPackets, 100_000}, {&r.MaxBytes, 64 << 20}, {&r.MaxSessions, 100_000}} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	return r
}

// recoverable is what a socket has if connections can be recovered.
type recoverable struct {
	pid    string
	lost   *lostSession // that it goes on with; nil if it is new
	offset string       // the last that the client has
}

// recoverSession makes s the one that the client asks for, if that can be. A new
// socket gets a secret for the next time.
func (s *Socket) recoverSession(pid, offset string) {
	s.recovery = new(recoverable)
	if pid != "" {
		s.recovery.lost, s.recovery.offset = s.ns.log.take(pid, offset), offset
	}
	lost := s.recovery.lost
	if lost == nil {
		s.recovery.pid = ids.New()
		return
	}
	s.id, s.recovery.pid = lost.id, lost.pid
	s.data, s.early = lost.data, lost.rooms
}

// recoveryRequest returns which session a client wants to go on with, and the
// offset of the last event that it has; both are empty if it does not.
func recoveryRequest(auth []byte) (pid, offset string) {
	var ask struct {
		PID    any `json:"pid"`
		Offset any `json:"offset"`
	}
	if len(auth) == 0 || json.Unmarshal(auth, &ask) != nil {
		return "", ""
	}
	pid, ok := ask.PID.(string)
	if offset, both := ask.Offset.(string); ok && both {
		return pid, offset
	}
	return "", ""
}

// takeOver ends the connection of the socket that the client wants to go on with,
// if that is still there: the client knows better than we whether it is lost. The
// client enters when it has ended. On the loop.
func (c *client) takeOver(ns *Namespace, auth []byte, pid string) (begun bool) {
	old := ns.log.present(pid)
	if old == nil || old.client == c {
		return false
	}
	r := &resolving{client: c, name: ns.name, auth: auth, ns: ns, cancel: func() {}}
	c.resolving = append(c.resolving, r)
	old.client.session.Discard()
	old.client.session.Post(&handOver{old.client, r})
	return true
}

// handOver follows the end of a session, on its loop.
type handOver struct {
	old *client
	r   *resolving
}

// Run lets the other client go on.
func (t *handOver) Run(l *loop.Loop) {
	if t.old.session.Owned(l, t) {
		t.r.client.session.Post(t.r)
	}
}

// Recovered reports whether the socket goes on with the session of one that was
// lost; see [Options].ConnectionStateRecovery.
func (s *Socket) Recovered() bool { return s.recovery != nil && s.recovery.lost != nil }

// skipsMiddlewares reports whether the namespace's middlewares are not asked.
func (s *Socket) skipsMiddlewares() bool { return s.Recovered() && !s.ns.log.opts.RunMiddlewares }

// mayComeBack reports whether the session of a socket that ends is kept.
func (s *Socket) mayComeBack(reason Reason) bool {
	if s.recovery == nil || s.client.legacy() {
		return false
	}
	switch reason {
	case ReasonTransportClose, ReasonTransportError, ReasonPingTimeout, ReasonForcedClose, ReasonShuttingDown:
		return true
	}
	return false
}

// admit lets the socket in: its answer is queued before the socket can be reached
// by broadcasts, and so arrives before them. What it has missed arrives first. On
// the loop.
func (s *Socket) admit() error {
	if log := s.ns.log; log != nil {
		log.mu.Lock()
		defer log.mu.Unlock()
		if err := s.catchUp(log); err != nil {
			return err
		}
	}
	answer, err := s.client.encodeConnect(s)
	if err != nil {
		return err
	}
	if err := s.sendPacket(false, answer); err != nil {
		return err
	}
	s.ns.add(s)
	s.ns.hub.Add(&s.member, s, s.client.session.Home().Index())
	s.ns.hub.Join(&s.member, s.id)
	s.mu.Lock()
	s.ns.hub.Join(&s.member, s.early...)
	s.early = nil
	s.state.Store(socketConnected)
	s.mu.Unlock()
	if s.recovery != nil {
		s.ns.log.sockets[s.recovery.pid] = s
	}
	return nil
}

// catchUp sends what a recovered socket has missed. If the log does not have all of
// it any more, because the middlewares took long, the socket is a new one after all.
func (s *Socket) catchUp(log *recoveryLog) error {
	r := s.recovery
	if r.lost == nil {
		return nil
	}
	from, ok := log.after(r.offset)
	if !ok {
		r.lost = nil
		s.id, r.pid = ids.New(), ids.New()
		s.mu.Lock()
		s.data, s.early = nil, nil
		s.mu.Unlock()
		return nil
	}
	return log.replay(r.lost, from, func(p packet) error { return s.sendPacket(false, p) })
}

// recorded reports whether an event without acknowledgement can be recovered.
func (e Emitter) recorded() bool { return e.socket.ns.log != nil && !e.volatile }

// emitRecorded emits an event that a client can recover. One to a socket that was
// lost is kept for when it comes back.
func (e Emitter) emitRecorded(event string, args RawArgs) error {
	s := e.socket
	raw, err := s.ns.server.coding.convert(args)
	if err != nil {
		return err
	}
	if err := checkEvent(event); err != nil {
		return err
	}
	s.observe(event, raw)
	switch {
	case s.state.Load() < socketOver:
		return s.ns.log.emit(s.ns, event, raw, audience{rooms: []string{s.id}}, e.send)
	case s.lost():
		return s.ns.To(s.id).Local().Compress(!e.plain).EmitRaw(event, raw)
	}
	return ErrDisconnected // nobody will come for it: the log need not keep it
}

// lost reports whether a socket that is over was lost and may come back.
func (s *Socket) lost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.saved
}

// audience is whom b is for, as the log keeps it.
func (b Broadcast) audience() audience {
	a := audience{rooms: b.rooms, except: b.except}
	if b.skip != nil {
		a.skip = b.skip.id
	}
	return a
}
