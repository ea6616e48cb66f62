package scenario

import (
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// worker is the part of a run that one loop has.
type worker struct {
	run  *Run
	loop *reactor.Loop
	rec  *stats.Recorder

	actors  []actor
	squads  []squad // by part
	settled int     // clients that have joined
	end     int64   // when sending ends; 0 before it begins
	frozen  bool    // the counts are final
	scratch []byte
}

// actor is a client with its task.
type actor interface {
	common() *base
	// begin connects, as was to happen at a time.
	begin(at int64)
	// start is called when sending begins, for those who are ready.
	start()
	// act does once what was due at a time; it says whether it could.
	act(at int64) bool
	// missing returns how many messages that this client was to get have not come.
	missing() uint64
	// giveUp no longer waits for what was sent before a time.
	giveUp(before int64)
}

// squad are the clients of one part on one loop that act by turns.
type squad struct {
	part  *partInfo
	list  []actor
	next  int
	share float64 // of what the part does, from 0 to 1
}

func newWorker(r *Run, l *reactor.Loop) *worker {
	w := &worker{run: r, loop: l, rec: stats.NewRecorder(r.metrics, len(r.parts)), squads: make([]squad, len(r.parts))}
	for i := range w.squads {
		w.squads[i].part = &r.parts[i]
	}
	return w
}

// add makes a client of a part.
func (w *worker) add(p *partInfo, g *group) {
	index := len(w.actors)*len(w.run.workers) + w.loop.Index()
	b := base{w: w, part: p, index: index, peer: w.loop.NewPeer(index)}
	var (
		a    actor
		acts = true
	)
	switch p.Kind {
	case Idle:
		a, acts = &idler{b}, false
	case Connect:
		a = &connector{base: b}
	case Echo:
		a = &echoer{base: b}
	case Presence:
		m := newMember(b, g)
		if m.slot == 0 { // who watches
			a, acts = m, false
			break
		}
		a = newChurner(m)
	default:
		m := newMember(b, g)
		a, acts = m, m.sends()
	}
	a.common().self = a
	w.actors = append(w.actors, a)
	if acts {
		s := &w.squads[p.index]
		s.list = append(s.list, a)
		s.share++
	}
}

// spread turns the number of a part's clients that act into their share of all.
func (w *worker) spread(p *partInfo) {
	all := p.Clients
	switch p.Kind {
	case Bcast, Fanout:
		all = p.Senders
	case Presence:
		all -= p.groups()
	}
	w.squads[p.index].share /= float64(max(all, 1))
}

// connect starts the clients.
func (w *worker) connect() {
	opts := &w.run.opts
	loops := float64(len(w.run.workers))
	r := &ramp{w: w, limit: max(opts.Connecting/len(w.run.workers), 1), next: float64(w.loop.Now())}
	if opts.ConnectRate > 0 {
		r.step = 1e9 * loops / opts.ConnectRate
		r.next += r.step * float64(w.loop.Index()) / loops
	}
	w.loop.AddSource(r)
	w.loop.AddSource(&probe{w: w, due: w.loop.Now()})
}

// begin has the clients send.
func (w *worker) begin(from, end int64) {
	w.end = end
	w.rec.From, w.rec.To = from, end
	for i := range w.squads {
		s := &w.squads[i]
		if len(s.list) == 0 {
			continue
		}
		if rate := s.part.Rate * s.share; rate > 0 {
			step := 1e9 / rate
			w.loop.AddSource(&arrivals{w: w, squad: s, step: step, next: float64(w.loop.Now()) + step*float64(w.loop.Index()+1)/float64(len(w.run.workers))})
		}
		if s.part.Storm > 0 {
			w.loop.AddSource(&storms{w: w, squad: s, every: int64(s.part.Storm), due: w.loop.Now() + int64(s.part.Storm)})
		}
	}
	w.loop.AddSource(&givingUp{w: w, due: w.loop.Now()})
	for _, a := range w.actors {
		if a.common().ready {
			a.start()
		}
	}
}

func (w *worker) cut() {
	if w.end > w.loop.Now() {
		w.end = w.loop.Now()
		w.rec.To = min(w.rec.To, w.end)
	}
}

// sending says whether messages are to be sent now.
func (w *worker) sending() bool { return w.loop.Now() < w.end }

// outstanding returns how many answers and deliveries have not come.
func (w *worker) outstanding() (n int64) {
	for _, a := range w.actors {
		n += int64(a.missing())
	}
	return n
}

// finish counts what has not come as lost, and nothing from then on.
func (w *worker) finish() {
	w.frozen = true
	for _, a := range w.actors {
		if p := a.common().part; p.Kind != Connect { // what connects still is not lost
			w.rec.Part(p.index).Lost += int64(a.missing())
		}
	}
}

func (w *worker) leave() {
	w.frozen = true
	for _, a := range w.actors {
		a.common().peer.Leave()
	}
}

// body returns the data of a message, valid until the next call.
func (w *worker) body(s stats.Stamp, size int) []byte {
	s.Run = w.run.opts.ID
	w.scratch = s.Append(w.scratch[:0])
	w.scratch = append(w.scratch, w.run.filler[:size-len(w.scratch)]...)
	return w.scratch
}

// remove takes a client out of those that act.
func (s *squad) remove(a actor) {
	for i, other := range s.list {
		if other == a {
			s.list = append(s.list[:i], s.list[i+1:]...)
			if s.next > i {
				s.next--
			}
			return
		}
	}
}
