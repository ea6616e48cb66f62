package loop

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// A peer that closes its half of a connection behind a request may still wait for the
// response, as nc -N does. But gnet closes a connection at the end of its input,
// whatever is still to be said. So one whose request an http.Handler is at, or that it has
// hijacked, leaves gnet then, with a descriptor of its own, and ends with the response;
// writing has no need of gnet. Handlers see what they see of any net/http server: the request's context ends.

// outlive is called when gnet is about to close a connection and its descriptor for
// err. It reports whether the connection lives on.
func (c *Conn) outlive(err error) bool {
	var read *os.SyscallError // else, it is an error of the socket
	if c.err != nil || c.aborted || c.lastWrite || c.mode != modeHTTP || c.loop.reactor.ending() != nil ||
		!errors.Is(err, io.EOF) || !errors.As(err, &read) ||
		c.http == nil || c.http.front == nil {
		return false
	}
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false
	}
	if c.proxy == nil {
		c.proxy = &proxied{client: c.gnet.RemoteAddr()}
	}
	if c.watched {
		c.loop.reactor.watcher.drop(c)
	}
	c.half, c.fd, c.gnet, c.paused = true, fd, nil, false
	c.http.keepAlive = false
	c.http.front.inputEnded()
	if c.blocked {
		if err := c.loop.reactor.watcher.watch(c); err != nil {
			c.Abort(err)
		}
	}
	return true
}

// inputEnded ends the request's context, and what is read; the response goes on.
func (f *frontConn) inputEnded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.half = true
	if f.cancel != nil {
		f.cancel(io.EOF)
	}
	if f.readErr == nil {
		f.readErr = io.EOF
	}
	f.readable.Broadcast()
}
