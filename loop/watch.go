package loop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// writeWatcher tells connections whose socket was full that it takes output
// again. It is an epoll instance of its own with one goroutine, because gnet
// offers no such callback. It costs something only for peers that read slowly.
type writeWatcher struct {
	epoll, wake int
	done        chan struct{}

	mu      sync.Mutex
	waiting map[int]*Conn
}

func newWriteWatcher() (*writeWatcher, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eventfd: %w", err), unix.Close(ep))
	}
	w := &writeWatcher{epoll: ep, wake: wake, done: make(chan struct{}), waiting: make(map[int]*Conn)}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}); err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(wake), unix.Close(ep))
	}
	go w.run()
	return w, nil
}

// watch asks for one report about c. On c's loop.
func (w *writeWatcher) watch(c *Conn) error {
	w.mu.Lock()
	w.waiting[c.fd] = c
	w.mu.Unlock()
	ev := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: int32(c.fd)}
	err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, c.fd, &ev)
	if errors.Is(err, unix.ENOENT) {
		err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, c.fd, &ev)
	}
	if err != nil {
		return fmt.Errorf("loop: watching a socket: %w", err)
	}
	return nil
}

// forget is called before c's descriptor is closed, which also takes it out of
// the epoll set.
func (w *writeWatcher) forget(c *Conn) {
	w.mu.Lock()
	if w.waiting[c.fd] == c {
		delete(w.waiting, c.fd)
	}
	w.mu.Unlock()
}

// drop ends what watch began, of a descriptor of which there is a copy.
func (w *writeWatcher) drop(c *Conn) {
	w.forget(c)
	_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, c.fd, nil) // at worst, c is looked at in vain
}

func (w *writeWatcher) run() {
	defer close(w.done)
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return // only a closed epoll gets here
		}
		for _, ev := range events[:max(n, 0)] {
			if int(ev.Fd) == w.wake {
				return
			}
			w.mu.Lock()
			c := w.waiting[int(ev.Fd)]
			delete(w.waiting, int(ev.Fd))
			w.mu.Unlock()
			if c != nil {
				c.loop.Post((*writableTask)(c))
			}
		}
	}
}

func (w *writeWatcher) stop() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	if _, err := unix.Write(w.wake, one[:]); err == nil {
		<-w.done
	}
	_ = unix.Close(w.epoll)
	_ = unix.Close(w.wake)
}

// writableTask goes on with the output of a connection that was blocked.
type writableTask Conn

func (t *writableTask) Run(*Loop) {
	c := (*Conn)(t)
	if c.closed || !c.blocked {
		return
	}
	c.blocked = false
	c.flush()
}
