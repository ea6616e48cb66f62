package siotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// memory is a network without ports: a net.Listener whose connections are pairs
// of unix sockets. The server has real descriptors to poll, and the kernel tells
// what is in flight.
type memory struct {
	backlog chan net.Conn
	closed  chan struct{}
	once    sync.Once

	// ops counts what the clients have sent and received: as long as it stays the
	// same, nothing has happened. working is what they are doing besides.
	ops     atomic.Uint64
	working atomic.Int64

	mu    sync.Mutex
	conns map[*memoryConn]struct{} // the clients' ends
}

// maxBacklog is how many connections wait to be accepted.
const maxBacklog = 128

func newMemory() *memory {
	return &memory{
		backlog: make(chan net.Conn, maxBacklog), closed: make(chan struct{}),
		conns: make(map[*memoryConn]struct{}),
	}
}

// Accept returns the server's end of the next connection.
func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.backlog:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept, and the connections that wait for it.
func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	for {
		select {
		case c := <-m.backlog:
			c.Close()
		default:
			return nil
		}
	}
}

// Addr returns an address that says what this is.
func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "siotest", Net: "unix"} }

// dial connects to the server.
func (m *memory) dial(ctx context.Context) (net.Conn, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("siotest: socket pair: %w", err)
	}
	client, clientErr := netConn(fds[0])
	server, serverErr := netConn(fds[1])
	if err := errors.Join(clientErr, serverErr); err != nil {
		return nil, err
	}
	c := &memoryConn{UnixConn: client, memory: m}
	if c.raw, err = client.SyscallConn(); err != nil {
		return nil, fmt.Errorf("siotest: %w", err)
	}
	refused := net.ErrClosed
	select {
	case <-m.closed:
	default:
		select {
		case m.backlog <- server:
			m.mu.Lock()
			m.conns[c] = struct{}{}
			m.mu.Unlock()
			return c, nil
		case <-m.closed:
		case <-ctx.Done():
			refused = ctx.Err()
		}
	}
	return nil, errors.Join(refused, client.Close(), server.Close())
}

// netConn makes a connection of a descriptor, which it takes over.
func netConn(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "siotest")
	c, err := net.FileConn(f)
	if err = errors.Join(err, f.Close()); err != nil { // c has its own descriptor
		return nil, fmt.Errorf("siotest: %w", err)
	}
	return c.(*net.UnixConn), nil
}

// memoryConn is the client's end of a connection.
type memoryConn struct {
	*net.UnixConn

	memory *memory
	raw    syscall.RawConn

	mu sync.Mutex
	// attended says that somebody reads all the time; only then is what came and
	// was not read yet waited for. busy, that the reader is not back yet for more.
	attended, busy bool
	ended          bool // the reader knows that nothing more comes
}

// attend says whether a goroutine reads the connection all the time.
func (c *memoryConn) attend(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attended, c.busy = on, on
}

// Read is like any connection's. What was taken off the socket counts as work of
// the reader from the same moment on, until it asks for more in vain.
func (c *memoryConn) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	var readErr error
	err = c.raw.Read(func(fd uintptr) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for {
			n, readErr = unix.Read(int(fd), p)
			if !errors.Is(readErr, unix.EINTR) {
				break
			}
		}
		if errors.Is(readErr, unix.EAGAIN) {
			c.busy = false
			return false
		}
		c.memory.ops.Add(1)
		c.busy = c.attended
		c.ended = n <= 0
		return true
	})
	switch {
	case err != nil:
		return 0, err //nolint:wrapcheck // it is a *net.OpError already
	case readErr != nil:
		return 0, &net.OpError{Op: "read", Net: "unix", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", readErr)}
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write is like any connection's.
func (c *memoryConn) Write(p []byte) (int, error) {
	c.memory.ops.Add(1)
	return c.UnixConn.Write(p) //nolint:wrapcheck // it is a *net.OpError already
}

// WriteTo and ReadFrom hide those of UnixConn, which would go past Read and Write.

// ReadFrom copies from r.
func (c *memoryConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r) //nolint:wrapcheck // it is what it is
}

// WriteTo copies to w.
func (c *memoryConn) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c}) //nolint:wrapcheck // it is what it is
}

// closeWait bounds how long Close waits for the server to notice.
const closeWait = 2 * time.Second

// Close closes the connection once the server has noticed the end, so that what
// follows from it has begun when Close returns.
func (c *memoryConn) Close() error {
	c.memory.mu.Lock()
	_, open := c.memory.conns[c]
	delete(c.memory.conns, c)
	c.memory.mu.Unlock()
	if !open {
		return net.ErrClosed
	}
	c.memory.ops.Add(1)
	c.memory.working.Add(1)
	defer c.memory.working.Add(-1)
	_ = c.CloseWrite() // fails if the server has closed it
	if err := c.raw.Control(func(fd uintptr) {
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd)}}, int(closeWait/time.Millisecond)) // for POLLHUP
	}); err != nil {
		return err //nolint:wrapcheck // it is a *net.OpError already
	}
	return c.UnixConn.Close() //nolint:wrapcheck // it is a *net.OpError already
}

// inFlight reports whether bytes, or the end, are on their way in either
// direction, or the reader has still to do with them.
func (c *memoryConn) inFlight() (busy bool) {
	err := c.raw.Control(func(fd uintptr) {
		c.mu.Lock()
		defer c.mu.Unlock()
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		if _, err := unix.Poll(poll, 0); err != nil {
			busy = true // EINTR: look again
			return
		}
		if hup := poll[0].Revents&unix.POLLHUP != 0; !hup {
			unread, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			busy = err != nil || unread > 0
		}
		if c.attended && !c.ended {
			unread, err := unix.IoctlGetInt(int(fd), unix.SIOCINQ)
			busy = busy || c.busy || err != nil || unread > 0 || poll[0].Revents&unix.POLLRDHUP != 0
		}
	})
	return busy && err == nil // a closed one has nothing
}

// inFlight returns how many connections have something in flight.
func (m *memory) inFlight() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.conns {
		if c.inFlight() {
			n++
		}
	}
	return n
}
