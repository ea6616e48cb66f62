package loop

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// gnet reads whatever comes, and has no way to stop that. But a handler that is
// slower than its peer must slow that down, or its upload would have to be kept.
// So the interest in a socket's input is taken out of gnet's epoll instance for a
// while, which gnet does not notice. A peer that resets the connection is still
// noticed, one that closes it once reading goes on.

// readEvents is what gnet waits for.
const readEvents = unix.EPOLLIN | unix.EPOLLPRI

var errPoller = errors.New("loop: gnet's epoll instance was not found")

// findPoller finds out the descriptor of a gnet loop's epoll instance, which gnet
// keeps to itself, and makes sure that it is the one which the anchor is in.
func findPoller(el gnet.EventLoop, anchor gnet.Conn) (epoll int, err error) {
	v := reflect.ValueOf(el)
	for _, field := range []string{"poller", "fd"} {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return -1, errPoller
		}
		if v = v.FieldByName(field); !v.IsValid() {
			return -1, errPoller
		}
	}
	if !v.CanInt() {
		return -1, errPoller
	}
	epoll = int(v.Int())
	if err := setEvents(epoll, anchor, readEvents); err != nil {
		return -1, fmt.Errorf("%w: %w", errPoller, err)
	}
	return epoll, nil
}

func setEvents(epoll int, gc gnet.Conn, events uint32) error {
	ev := pollEvent(gc)
	ev.Events = events
	return unix.EpollCtl(epoll, unix.EPOLL_CTL_MOD, gc.Fd(), &ev) //nolint:wrapcheck // its callers know what it was for
}

// pauseInput stops reading from the socket, and reports whether that is so. What
// was read already is still consumed.
func (c *Conn) pauseInput() bool {
	if c.paused || c.closed || c.half {
		return true
	}
	if c.loop.epoll < 0 {
		return false
	}
	if err := setEvents(c.loop.epoll, c.gnet, 0); err != nil {
		c.loop.log.Error("loop: pausing a connection failed", "error", err)
		return false
	}
	c.paused = true
	return true
}

// resumeInput goes on reading.
func (c *Conn) resumeInput() {
	if !c.paused || c.closed {
		return
	}
	c.paused = false
	if err := setEvents(c.loop.epoll, c.gnet, readEvents); err != nil {
		c.Abort(fmt.Errorf("loop: reading on: %w", err))
	}
}
