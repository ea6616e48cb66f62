package sio

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/ids"
	"github.com/sio-gnet/sio-gnet/loop"
)

// recoveryLog keeps what was emitted in a namespace, and the sessions that were
// lost, for a while. Its lock is also what makes the log's order that of the
// wire: it is held from an event's number to its being handed to the loops.
type recoveryLog struct {
	opts  Recovery
	clock *loop.Loop // sweeps
	epoch string     // begins this log's offsets, which mean nothing to another

	mu       sync.Mutex
	next     uint64 // number of the next entry
	entries  []logEntry
	head     int // entries before are gone
	bytes    int
	sockets  map[string]*Socket      // that are connected, by pid
	sessions map[string]*lostSession // by pid
	order    []*lostSession          // the oldest first
	timer    loop.Timer
	sweeping bool
	now      func() time.Time
}

// logEntry is one event. It holds a reference to each of the packet's messages.
type logEntry struct {
	at     time.Time
	packet packet
	audience
	size int
}

// audience is whom an event was for.
type audience struct {
	rooms, except []string
	skip          string // the sender's id
}

// includes reports whether a socket was meant that has that id and these rooms.
func (a *audience) includes(id string, rooms []string) bool {
	in := func(room string) bool { return slices.Contains(rooms, room) }
	return (len(a.rooms) == 0 || slices.ContainsFunc(a.rooms, in)) && !slices.ContainsFunc(a.except, in) && a.skip != id
}

// lostSession is a socket that was lost and may come back.
type lostSession struct {
	id, pid string
	rooms   []string
	until   time.Time
	socket  *Socket // while its handlers run, which may still change its data
	data    any     // once they are done
}

func newRecoveryLog(opts Recovery, clock *loop.Loop) *recoveryLog {
	return &recoveryLog{
		opts: opts, clock: clock, epoch: ids.New()[:6] + ".", sockets: make(map[string]*Socket), sessions: make(map[string]*lostSession), now: clock.Now,
	}
}

// offset is what the event with that number carries.
func (l *recoveryLog) offset(n uint64) string { return l.epoch + strconv.FormatUint(n, 36) }

// after returns the number of the entry behind an offset, if the log still has
// all from there on.
func (l *recoveryLog) after(offset string) (n uint64, ok bool) {
	number, ok := strings.CutPrefix(offset, l.epoch)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 36, 64)
	if err != nil || n >= l.next {
		return 0, false
	}
	first := l.next - uint64(len(l.entries)-l.head)
	return n + 1, n+1 >= first
}

// logOverhead is what an entry costs beside its bytes.
const logOverhead = 256

// emit gives an event its offset, encodes and keeps it, and has it sent. args
// belong to the log.
func (l *recoveryLog) emit(ns *Namespace, event string, args RawArgs, to audience, send func(packet) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	offset, err := ns.server.coding.appendArgument(nil, l.offset(l.next))
	if err != nil {
		return err
	}
	args.values = append(slices.Clip(args.values), offset)
	p, err := encodeRawEvent(ns, event, args, 0, false)
	if err != nil {
		return err
	}
	p.retain(1)
	e := logEntry{at: l.now(), packet: p, audience: to, size: p.size() + logOverhead}
	l.entries = append(l.entries, e)
	l.bytes += e.size
	l.next++
	l.evict(e.at)
	l.sweepLater()
	return send(p)
}

// evict lets go of what is too old or too much.
func (l *recoveryLog) evict(now time.Time) {
	oldest := now.Add(-l.opts.MaxDisconnectionDuration)
	for l.head < len(l.entries) {
		e := &l.entries[l.head]
		if len(l.entries)-l.head <= l.opts.MaxPackets && l.bytes <= l.opts.MaxBytes && !e.at.Before(oldest) {
			break
		}
		l.bytes -= e.size
		e.packet.release()
		*e = logEntry{}
		l.head++
	}
	if l.head > len(l.entries)/2 { // what is left moves to the front, in memory of its size
		l.entries = append(make([]logEntry, 0, len(l.entries)-l.head), l.entries[l.head:]...)
		l.head = 0
	}
	gone := 0
	for _, s := range l.order {
		if l.sessions[s.pid] == s {
			if len(l.sessions) <= l.opts.MaxSessions && s.until.After(now) {
				break
			}
			delete(l.sessions, s.pid)
		}
		gone++
	}
	l.order = l.order[gone:]
	if len(l.order) == 0 {
		l.order = nil
	}
}

// present returns the socket with that pid, if it is connected.
func (l *recoveryLog) present(pid string) *Socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sockets[pid]
}

// end takes a socket out, and keeps its session if its client may come back.
func (l *recoveryLog) end(s *Socket, rooms []string, keep bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sockets[s.recovery.pid] == s {
		delete(l.sockets, s.recovery.pid)
	}
	if !keep {
		return
	}
	now := l.now()
	lost := &lostSession{
		id: s.id, pid: s.recovery.pid, socket: s, rooms: rooms, until: now.Add(l.opts.MaxDisconnectionDuration),
	}
	l.sessions[lost.pid] = lost
	l.order = append(l.order, lost)
	l.evict(now)
	l.sweepLater()
}

// detach lets go of a socket that was saved, after the last of its handlers: of
// itself, little more than its data is to stay in memory.
func (l *recoveryLog) detach(s *Socket) {
	data := s.Data()
	l.mu.Lock()
	defer l.mu.Unlock()
	if lost := l.sessions[s.recovery.pid]; lost != nil && lost.socket == s {
		lost.socket, lost.data = nil, data
	}
}

// take returns a lost session, once, if the log has all that came after offset.
func (l *recoveryLog) take(pid, offset string) *lostSession {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.evict(l.now())
	s := l.sessions[pid]
	if s == nil {
		return nil
	}
	delete(l.sessions, pid)
	if _, ok := l.after(offset); !ok {
		return nil
	}
	if s.socket != nil {
		s.data, s.socket = s.socket.Data(), nil
	}
	return s
}

// replay calls send with all that a session has missed, from the entry with that
// number on. With the lock held.
func (l *recoveryLog) replay(s *lostSession, from uint64, send func(packet) error) error {
	for i := len(l.entries) - int(l.next-from); i < len(l.entries); i++ {
		e := &l.entries[i]
		if !e.includes(s.id, s.rooms) {
			continue
		}
		e.packet.retain(1)
		if err := send(e.packet); err != nil {
			return err
		}
	}
	return nil
}

// sweepInterval is how often a log that holds anything looks for what is too old.
const sweepInterval = time.Minute

func (l *recoveryLog) sweepLater() {
	if l.sweeping {
		return
	}
	l.sweeping = true
	l.clock.Post(loop.TaskFunc(func(*loop.Loop) {
		l.clock.Schedule(&l.timer, min(l.opts.MaxDisconnectionDuration, sweepInterval), l)
	}))
}

// OnTimer sweeps.
func (l *recoveryLog) OnTimer(*loop.Loop, *loop.Timer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.evict(l.now())
	if l.sweeping = false; len(l.order) > 0 || len(l.entries) > l.head {
		l.sweepLater()
	}
}

// close lets go of everything.
func (l *recoveryLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.head < len(l.entries); l.head++ {
		l.entries[l.head].packet.release()
	}
	l.entries, l.head, l.bytes, l.order = nil, 0, 0, nil
	clear(l.sessions)
}
