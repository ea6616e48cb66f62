package reactor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialer makes connections on a few goroutines, so that none is needed per client: a
// connection that is made is handed to its loop. What waits is bounded by the clients.
type dialer struct {
	reactor *Reactor
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	some   sync.Cond
	queue  []*conn
	links  map[*secureLink]struct{} // the connections over TLS
	idle   int
	active int
}

func newDialer(r *Reactor) *dialer {
	d := &dialer{reactor: r, links: make(map[*secureLink]struct{})}
	d.some.L = &d.mu
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// add has a connection made.
func (d *dialer) add(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, c)
	if d.idle > 0 {
		d.some.Signal()
		return
	}
	if d.active < d.reactor.opts.Dialers && d.ctx.Err() == nil {
		d.active++
		d.running.Go(d.work)
	}
}

func (d *dialer) stop() {
	d.mu.Lock()
	d.cancel()
	for s := range d.links {
		_ = s.tls.NetConn().Close() // its goroutines notice
	}
	d.mu.Unlock()
	d.some.Broadcast()
	d.running.Wait()
}

func (d *dialer) work() {
	for {
		c := d.next()
		if c == nil {
			return
		}
		if err := d.dial(c); err != nil && d.ctx.Err() == nil {
			l := c.peer.loop
			l.Post(func() { c.failed(err) })
		}
	}
}

// next waits for a connection to make; nil at the end.
func (d *dialer) next() *conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) == 0 && d.ctx.Err() == nil {
		d.idle++
		d.some.Wait()
		d.idle--
	}
	if d.ctx.Err() != nil {
		return nil
	}
	c := d.queue[0]
	d.queue[0] = nil
	if d.queue = d.queue[1:]; len(d.queue) == 0 {
		d.queue = nil
	}
	return c
}

// enrollment is a connection's context on its way to its loop.
type enrollment struct {
	conn   *conn
	opened bool
}

func (d *dialer) dial(c *conn) error {
	opts := &d.reactor.opts
	nd := net.Dialer{Timeout: opts.JoinTimeout, KeepAlive: -1}
	if n := len(opts.Sources); n > 0 {
		source := opts.Sources[c.peer.index%n]
		nd.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
		nd.Control = lateBind
	}
	tcp, err := nd.DialContext(d.ctx, "tcp", opts.Address)
	if err != nil {
		return plain(err)
	}
	if opts.TLS != nil {
		return d.secure(c, tcp)
	}
	e := &enrollment{conn: c}
	if _, err = c.peer.loop.gnet.EnrollContext(tcp, e); err == nil && !e.opened {
		err = errors.New("the event loop could not watch the connection")
	}
	return err
}

// lateBind leaves the choice of the local port to connect(2), which can take one that
// is in use for another server (ip(7), IP_BIND_ADDRESS_NO_PORT).
func lateBind(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	return errors.Join(err, failed)
}

// plain takes the addresses out of an error, so that equal ones can be counted.
func plain(err error) error {
	var sys *os.SyscallError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return errors.New("connecting: timeout")
	case errors.As(err, &sys):
		return fmt.Errorf("connecting: %w", sys.Err)
	}
	return fmt.Errorf("connecting: %w", err)
}

func (d *dialer) secure(c *conn, tcp net.Conn) error {
	ctx, cancel := context.WithTimeout(d.ctx, d.reactor.opts.JoinTimeout)
	defer cancel()
	t := tls.Client(tcp, d.reactor.opts.TLS)
	if err := t.HandshakeContext(ctx); err != nil {
		tcp.Close()
		return fmt.Errorf("TLS: %w", err)
	}
	return d.startSecure(c, t)
}
