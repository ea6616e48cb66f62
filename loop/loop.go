package loop

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// Task is work for a loop, handed over with [Loop.Post].
type Task interface {
	// Run is called on the loop, once. It must not block.
	Run(l *Loop)
}

// TaskFunc makes a Task of a function.
type TaskFunc func(l *Loop)

// Run calls f.
func (f TaskFunc) Run(l *Loop) { f(l) }

// Loop is one event loop: the sole owner of its connections, their timers and
// whatever state its users attach to them.
type Loop struct {
	index   int
	reactor *Reactor
	gnet    gnet.EventLoop
	anchor  *anchor
	epoll   int // gnet's, for pausing input; -1 if it is not known
	log     *slog.Logger
	over    chan struct{} // closed when it has ended

	// The mailbox. awake says that the loop is in a turn and looks into the
	// mailbox before it sleeps; signalled, that a wake-up is under way.
	mu        sync.Mutex
	mailbox   []Task
	awake     bool
	signalled bool

	// All below belongs to the loop's goroutine.
	spare      []Task  // the mailbox's other half
	turns      int     // since the sockets had their say
	steps      uint64  // inputs, tasks, timers and ends of connections so far
	conns      *Conn   // all connections, as a list
	draining   bool    // connections end with their next response
	dirty      []*Conn // connections with output queued in this turn
	reading    *Conn   // whose input is being handled right now
	group      group   // of writes, which is being queued right now
	wheel      *wheel
	alarm      *time.Timer // wakes the loop when the wheel is due
	alarmAt    int64
	alarmFired atomic.Bool
	queues     []*outQueue // emptied, for reuse, as are https and readers
	https      []*httpState
	readers    []*wsReader
	inflater   inflater
	deflater   deflater
	iovecs     []unix.Iovec
	request    Request // reused for each request's head
	date       dateCache

	// Local is free for the user of the package: state of one loop, touched on
	// the loop only.
	Local any
}

// maxMailRounds bounds how often one turn goes back to the mailbox before it
// lets the sockets have their say. maxTurns bounds the turns in a row that other
// goroutines' posts start.
const (
	maxMailRounds = 4
	maxTurns      = 16
)

func newLoop(r *Reactor, index int) *Loop {
	return &Loop{
		index:   index,
		reactor: r,
		log:     r.opts.Logger,
		epoll:   -1,
		wheel:   newWheel(r.now()),
		alarmAt: never,
		over:    make(chan struct{}),
		iovecs:  make([]unix.Iovec, maxIovecs),
	}
}

// Index returns the loop's number, from 0. Any goroutine may call it.
func (l *Loop) Index() int { return l.index }

// Post hands t to the loop, which runs it in its present or next turn, in the
// order of all Posts. It never blocks and may be called from any goroutine,
// the loop's own included. After the reactor has stopped, t never runs.
func (l *Loop) Post(t Task) {
	l.mu.Lock()
	l.mailbox = append(l.mailbox, t)
	wake := !l.awake && !l.signalled
	if wake {
		l.signalled = true
	}
	l.mu.Unlock()
	if wake {
		l.signal()
	}
}

// Schedule makes t due after d, rounded up to a millisecond, and calls off
// what it was scheduled for before. On the loop.
func (l *Loop) Schedule(t *Timer, d time.Duration, h TimerHandler) {
	t.handler = h
	ticks := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ticks++
	}
	l.wheel.add(t, l.reactor.now()+ticks)
}

// Cancel calls t off. On the loop.
func (l *Loop) Cancel(t *Timer) { l.wheel.remove(t) }

// signal makes gnet run a turn of this loop behind the events that are ready.
func (l *Loop) signal() {
	err := l.gnet.Execute(context.Background(), gnet.RunnableFunc(l.runTurn))
	if err != nil && !l.reactor.stopping() {
		l.log.Error("loop: waking an event loop failed", "loop", l.index, "error", err)
	}
}

// runTurn is a turn without input: the mailbox, the timers, then all output.
func (l *Loop) runTurn(context.Context) error {
	l.mu.Lock()
	l.awake, l.signalled = true, false
	l.mu.Unlock()
	l.turns++
	l.protect(nil, l.fireTimers)
	l.drainMailbox()
	l.flushAll()
	l.sleep()
	return nil
}

// beginInput and endInput frame a turn that a connection's input started.
func (l *Loop) beginInput(c *Conn) {
	l.mu.Lock()
	l.awake = true
	l.mu.Unlock()
	l.turns = 0
	l.steps++
	l.reading = c
}

// endInput lets the turn's output out. A connection that only answered its own
// peer is flushed here, with no further system call. Output for others waits
// for the end of the whole epoll round, so that what further input of the
// round adds to it leaves in the same write.
func (l *Loop) endInput(c *Conn) {
	l.drainMailbox()
	switch {
	case len(l.dirty) == 0:
	case len(l.dirty) == 1 && l.dirty[0] == c && !l.turnComing():
		l.flushAll()
	default:
		l.requestTurn()
	}
	l.reading = nil
	l.sleep()
}

func (l *Loop) turnComing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signalled
}

func (l *Loop) requestTurn() {
	l.mu.Lock()
	wake := !l.signalled
	l.signalled = true
	l.mu.Unlock()
	if wake {
		l.signal()
	}
}

// sleep ends a turn. Mail that came after the last look gets a turn of its own.
//
// That turn is asked for through the anchor's socket: gnet runs what is given to
// Execute without end, as long as there is more of it, and looks at no socket
// meanwhile. So does a steady stream of posts that finds the loop asleep each
// time, which is why one is asked for after maxTurns, too.
func (l *Loop) sleep() {
	l.setAlarm()
	l.mu.Lock()
	l.awake = false
	wake := (len(l.mailbox) > 0 || l.turns >= maxTurns) && !l.signalled
	if wake {
		l.signalled = true
	}
	l.mu.Unlock()
	if !wake {
		return
	}
	if err := l.anchor.wake(); err != nil {
		l.log.Error("loop: waking an event loop failed", "loop", l.index, "error", err)
		l.signal()
	}
}

// endClose follows the end of a connection, which may come outside of a turn:
// what its Stream has queued for others, or scheduled, must not wait for the next.
func (l *Loop) endClose() {
	l.steps++
	l.setAlarm()
	if len(l.dirty) > 0 {
		l.requestTurn()
	}
}

func (l *Loop) drainMailbox() {
	for range maxMailRounds {
		l.mu.Lock()
		mail := l.mailbox
		if len(mail) == 0 {
			l.mu.Unlock()
			return
		}
		l.mailbox, l.spare = l.spare[:0], nil
		l.mu.Unlock()
		for i, t := range mail {
			mail[i] = nil
			l.runTask(t)
		}
		if cap(mail) <= maxSpareTasks {
			l.spare = mail[:0]
		}
	}
}

// maxSpareTasks bounds the mailbox's memory that is kept between turns.
const maxSpareTasks = 1 << 16

func (l *Loop) runTask(t Task) {
	l.steps++
	defer l.recoverPanic(nil)
	t.Run(l)
}

// protect calls f and turns a panic into the end of c alone.
func (l *Loop) protect(c *Conn, f func()) {
	defer l.recoverPanic(c)
	f()
}

// recoverPanic is deferred around every callback: gnet would let a panic end
// the process.
func (l *Loop) recoverPanic(c *Conn) {
	v := recover()
	if v == nil {
		return
	}
	l.log.Error("loop: panic in callback", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if c != nil {
		c.Abort(ErrPanic)
	}
}

func (l *Loop) flushAll() {
	// flush may close connections and so extend or shorten what is dirty: by
	// index, and each connection knows whether it is still to be flushed.
	for i := 0; i < len(l.dirty); i++ {
		c := l.dirty[i]
		l.dirty[i] = nil
		c.dirty = false
		if !c.closed {
			l.protect(c, c.flush)
		}
	}
	l.dirty = l.dirty[:0]
}

func (l *Loop) fireTimers() {
	if l.alarmFired.Swap(false) {
		l.alarmAt = never
	}
	l.wheel.advance(l.reactor.now(), l.fireTimer)
}

func (l *Loop) fireTimer(t *Timer) {
	l.steps++
	defer l.recoverPanic(nil)
	t.handler.OnTimer(l, t)
}

// setAlarm makes sure that the loop wakes when the wheel is due next.
func (l *Loop) setAlarm() {
	next := l.wheel.nextEvent()
	if next >= l.alarmAt {
		return // it wakes early enough, and sets the next alarm then
	}
	if l.reactor.clock.held() {
		return // it is Step that fires timers
	}
	l.alarmAt = next
	if next == never {
		return
	}
	wait := time.Duration(max(next-l.reactor.now(), 0)) * time.Millisecond
	if l.alarm == nil {
		l.alarm = time.AfterFunc(wait, l.wakeForTimers)
		return
	}
	l.alarm.Reset(wait)
}

func (l *Loop) wakeForTimers() {
	l.alarmFired.Store(true)
	l.requestTurn()
}

func (l *Loop) stopAlarm() {
	if l.alarm != nil {
		l.alarm.Stop()
	}
}
