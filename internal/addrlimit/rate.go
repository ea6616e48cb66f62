package addrlimit

import (
	"net/netip"
	"sync"
	"time"
)

// MaxAddresses bounds how many addresses a [Rate] remembers, at about 60 bytes
// each.
const MaxAddresses = 1 << 16

const (
	perShard = MaxAddresses / shards
	// sample is how many addresses are looked at for one to forget.
	sample = 8
)

// Rate bounds how often each address does something: a token bucket, in the form
// of the generic cell rate algorithm (ITU-T I.371), which remembers a single time
// for each address: when its bucket will be full again.
//
// Where more addresses are active than it remembers, it forgets some that are
// close to a full bucket, so that a flood from many addresses costs no memory and
// refuses nobody else. Any goroutine may call its methods. A nil Rate has no limit.
type Rate struct {
	interval, slack time.Duration
	started         time.Time
	shards          [shards]rateShard
}

type rateShard struct {
	mu   sync.Mutex
	full map[netip.Addr]time.Duration // since started
}

// NewRate returns a limit of so many a second, and burst at once; less than one is
// one. It is nil if perSecond is not positive.
func NewRate(perSecond float64, burst int, now time.Time) *Rate {
	if !(perSecond > 0) {
		return nil
	}
	r := &Rate{started: now}
	// From a day to a nanosecond, so that sums of it stay numbers.
	interval := min(float64(time.Second)/perSecond, float64(24*time.Hour))
	r.interval = max(time.Duration(interval), 1)
	r.slack = time.Duration(min(max(burst, 1), 1_000_000)-1) * min(r.interval, time.Hour)
	for i := range r.shards {
		r.shards[i].full = make(map[netip.Addr]time.Duration)
	}
	return r
}

// Allow takes a token of the address and returns 0, or returns how long it takes
// until there is one.
func (r *Rate) Allow(a netip.Addr, now time.Time) (wait time.Duration) {
	if r == nil {
		return 0
	}
	key, at := Key(a), now.Sub(r.started)
	s := &r.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	full, known := s.full[key]
	full = max(full, at)
	if early := full - at - r.slack; early > 0 {
		return early
	}
	if !known && len(s.full) >= perShard {
		s.forget(at)
	}
	s.full[key] = full + r.interval
	return 0
}

// forget makes room: of a few addresses it drops all whose bucket is full, and at
// least the one that comes closest.
func (s *rateShard) forget(now time.Duration) {
	var (
		closest netip.Addr
		when    time.Duration
		looked  int
	)
	for key, full := range s.full {
		if full <= now {
			delete(s.full, key)
		} else if !closest.IsValid() || full < when {
			closest, when = key, full
		}
		if looked++; looked == sample {
			break
		}
	}
	if len(s.full) >= perShard {
		delete(s.full, closest)
	}
}

// Addresses returns how many addresses are remembered.
func (r *Rate) Addresses() (n int) {
	if r == nil {
		return 0
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += len(s.full)
		s.mu.Unlock()
	}
	return n
}
