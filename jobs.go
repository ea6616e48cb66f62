package sio

import (
	"sync"
	"sync/atomic"
)

// jobQueue runs functions one after the other, on a goroutine that exists only
// while there are any.
type jobQueue struct {
	running *atomic.Int64 // counts goroutines

	mu     sync.Mutex
	jobs   []func()
	active bool
}

// push queues a function. It may be called under locks.
func (q *jobQueue) push(f func()) {
	q.mu.Lock()
	q.jobs = append(q.jobs, f)
	start := !q.active
	q.active = true
	q.mu.Unlock()
	if start {
		q.running.Add(1)
		go q.work()
	}
}

func (q *jobQueue) work() {
	defer q.running.Add(-1)
	for {
		q.mu.Lock()
		batch := q.jobs
		q.jobs = nil
		q.active = len(batch) > 0
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, f := range batch {
			f()
		}
	}
}
