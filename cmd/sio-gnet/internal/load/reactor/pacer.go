package reactor

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// grain is the shortest time between two turns that a pacer asks for: what is due
// within it is done at once.
const grain = 100 * time.Microsecond

// pacer wakes a loop when something is due. It sleeps in ppoll(2), which is exact to
// some 50 µs; Go's timers round up to a millisecond in a process that is otherwise
// asleep.
type pacer struct {
	loop  *Loop
	event int          // descriptor that ends its sleep
	alarm atomic.Int64 // when the loop wants to be woken
	until atomic.Int64 // until when it sleeps
	quit  atomic.Bool
	done  sync.WaitGroup
}

func newPacer(l *Loop) (*pacer, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what for
	}
	p := &pacer{loop: l, event: event}
	p.alarm.Store(Never)
	p.done.Go(p.run)
	return p, nil
}

// set says when the loop is to be woken. On the loop.
func (p *pacer) set(at int64) {
	p.alarm.Store(at)
	if at < p.until.Load() {
		p.nudge()
	}
}

func (p *pacer) nudge() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.event, one[:]) // it is full only if it is set
}

func (p *pacer) stop() {
	p.quit.Store(true)
	p.nudge()
	p.done.Wait()
	_ = unix.Close(p.event)
}

func (p *pacer) run() {
	fds := []unix.PollFd{{Fd: int32(p.event), Events: unix.POLLIN}}
	earliest := int64(0) // when it may wake the loop again
	for !p.quit.Load() {
		now := p.loop.reactor.Now()
		if wait := earliest - now; wait > 0 {
			// It looks at the alarm anyway when it wakes up: no need to nudge it.
			p.until.Store(math.MinInt64)
			p.sleep(fds, wait, false)
			continue
		}
		at := p.alarm.Load()
		p.until.Store(at)
		if p.alarm.Load() != at {
			continue // it was set meanwhile
		}
		if wait := at - now; wait > 0 {
			p.sleep(fds, wait, at == Never)
			continue
		}
		// Until the loop sets the alarm anew, there is nothing to do.
		if p.alarm.CompareAndSwap(at, Never) {
			earliest = now + int64(grain)
			p.loop.wake()
		}
	}
}

// sleep waits for a time, or forever, or for a nudge.
func (p *pacer) sleep(fds []unix.PollFd, d int64, forever bool) {
	var timeout *unix.Timespec
	if !forever {
		t := unix.NsecToTimespec(d)
		timeout = &t
	}
	fds[0].Revents = 0
	if n, _ := unix.Ppoll(fds, timeout, nil); n > 0 {
		var b [8]byte
		_, _ = unix.Read(p.event, b[:])
	}
}
