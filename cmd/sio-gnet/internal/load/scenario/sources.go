package scenario

import "github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"

// ramp connects the clients of a loop, at a rate or as fast as it goes.
type ramp struct {
	w     *worker
	done  int     // clients that were started
	next  float64 // when the next one is due
	step  float64 // nanoseconds between two, 0 for as fast as it goes:
	limit int     // as long as no more than these are on their way
}

func (r *ramp) Due() int64 {
	if r.done == len(r.w.actors) || r.step == 0 && r.underway() >= r.limit {
		return reactor.Never
	}
	if r.step == 0 {
		return 0
	}
	return int64(r.next)
}

// underway returns how many clients have started and neither joined nor failed.
func (r *ramp) underway() int { return len(r.w.loop.Peers()) - r.w.settled }

func (r *ramp) Fire(now int64) {
	a := r.w.actors[r.done]
	r.done++
	if r.step == 0 {
		a.begin(now)
		return
	}
	a.begin(int64(r.next))
	r.next += r.step
}

// arrivals has the clients of a squad act at a fixed rate, whatever the server does.
type arrivals struct {
	w          *worker
	squad      *squad
	next, step float64
}

func (s *arrivals) Due() int64 {
	at := int64(s.next)
	if at >= s.w.end {
		return reactor.Never
	}
	return at
}

func (s *arrivals) Fire(now int64) {
	at := int64(s.next)
	s.next += s.step
	s.w.rec.Latency(MetricLag, at, now)
	q := s.squad
	for range min(len(q.list), maxTries) {
		if q.next >= len(q.list) {
			q.next = 0
		}
		a := q.list[q.next]
		q.next++
		if a.act(at) {
			return
		}
	}
	s.w.rec.Part(q.part.index).Unsent++
}

// maxTries bounds how long it is looked for a client that can act.
const maxTries = 64

// storms cuts all clients of a squad at once, again and again, and has them connect anew.
type storms struct {
	w          *worker
	squad      *squad
	due, every int64
}

func (s *storms) Due() int64 {
	if s.due >= s.w.end {
		return reactor.Never
	}
	return s.due
}

func (s *storms) Fire(int64) {
	at := s.due
	s.due += s.every
	for _, a := range s.squad.list {
		if c, ok := a.(*connector); ok {
			c.cut(at)
		}
	}
}

// givingUp frees windows of what was lost.
type givingUp struct {
	w   *worker
	due int64
}

const giveUpEvery = int64(100e6)

func (g *givingUp) Due() int64 {
	if g.due >= g.w.end {
		return reactor.Never
	}
	return g.due
}

func (g *givingUp) Fire(now int64) {
	g.due = now + giveUpEvery
	for i := range g.w.squads {
		if s := &g.w.squads[i]; s.part.Window > 0 || s.part.Kind == Presence {
			for _, a := range s.list {
				a.giveUp(now - int64(g.w.run.opts.GiveUp))
			}
		}
	}
}

// probe measures how late the loop is.
type probe struct {
	w   *worker
	due int64
}

const probeEvery = int64(10e6)

func (p *probe) Due() int64 { return p.due }

func (p *probe) Fire(now int64) {
	p.w.rec.Latency(MetricLag, p.due, now)
	p.due = max(p.due+probeEvery, now)
}
