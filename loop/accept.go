package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Accepting is done here rather than by gnet, whose acceptor ends its engine on
// the first error such as EMFILE. It also lets any net.Listener be served. The
// price, measured on loopback against gnet's own acceptor: about 15 µs of CPU
// and 20 small allocations per connection.

const (
	// acceptors is how many goroutines a listener has: a connection is handed
	// to its loop by a rendezvous, and a busy loop must not hold up the others.
	acceptors = 8
	// maxRefusing bounds the connections that are being told 503 at once.
	maxRefusing     = 64
	refuseTimeout   = time.Second
	minAcceptDelay  = 5 * time.Millisecond
	maxAcceptDelay  = time.Second
	serviceOverload = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\nContent-Length: 21\r\n\r\ntoo many connections\n"
)

// gate lets one acceptor of a listener through at a time. Were all to wait in
// Accept, each would go on until it has met the error that one is waiting out.
type gate struct {
	mu     sync.Mutex
	scarce atomic.Bool    // a connection was lost for want of a descriptor
	proxy  *proxySettings // of the listener; nil unless it takes PROXY headers
}

func (r *Reactor) accept(ln net.Listener) error {
	var (
		wg      sync.WaitGroup
		once    sync.Once
		first   error
		g       gate
		refusal = make(chan struct{}, maxRefusing)
	)
	if p, ok := ln.(*proxyListener); ok {
		g.proxy = &p.settings
	}
	for range acceptors {
		wg.Go(func() {
			if err := r.acceptLoop(ln, &g, &wg, refusal); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	wg.Wait()
	return first
}

// acceptLoop accepts until the listener is closed.
func (r *Reactor) acceptLoop(ln net.Listener, g *gate, wg *sync.WaitGroup, refusal chan struct{}) error {
	for {
		c, err := r.next(ln, g)
		if c == nil {
			return err
		}
		if r.conns.Add(1) > int64(r.opts.MaxConnections) {
			r.conns.Add(-1)
			r.counts.turnedAway.Add(1)
			r.opts.Logger.Log(context.Background(), r.refusals.Level(r.now()), "loop: connection refused: too many", "limit", r.opts.MaxConnections, "remote", c.RemoteAddr())
			r.refuse(c, wg, refusal)
			continue
		}
		peer, counted := addrPort(c.RemoteAddr()).Addr(), false
		if g.proxy == nil { // else it is the client that counts, once it is known
			var ok bool
			if ok, counted = r.perAddress.acquire(peer); !ok {
				r.conns.Add(-1)
				r.opts.Logger.Debug("loop: connection refused: too many of one address", "remote", c.RemoteAddr())
				r.refuse(c, wg, refusal)
				continue
			}
		}
		r.enroll(c, g, peer, counted)
	}
}

// next accepts a connection. Errors that pass, such as running out of
// descriptors, are waited out: the kernel keeps the callers. It returns nil, nil
// if the reactor stops meanwhile.
func (r *Reactor) next(ln net.Listener, g *gate) (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for delay := minAcceptDelay; ; delay = min(2*delay, maxAcceptDelay) {
		var err error
		if g.scarce.Load() {
			// Who is accepted with the last descriptor can't be kept waiting.
			if err = probeDescriptors(); err == nil {
				g.scarce.Store(false)
			}
		}
		if err == nil {
			var c net.Conn
			if c, err = ln.Accept(); err == nil {
				return c, nil
			}
		}
		if !passing(err) {
			return nil, err
		}
		r.opts.Logger.Warn("loop: accepting is paused", "error", err, "for", delay)
		if !r.pause(delay) {
			return nil, nil
		}
	}
}

// enrollment is a connection's context on its way to its loop.
type enrollment struct {
	proxy   *proxySettings
	arrived *arrival // from a net/http server
	counted bool     // in the count of its peer's address
	opened  bool     // the loop has it
}

// enroll gives a connection to a loop. That duplicates the descriptor and closes c,
// whatever happens.
func (r *Reactor) enroll(c net.Conn, g *gate, peer netip.Addr, counted bool) {
	e := &enrollment{proxy: g.proxy, counted: counted}
	_, err := r.client.EnrollContext(c, e)
	if err == nil && !e.opened { // gnet has logged why, and tells nobody else
		err = errNotOpened
	}
	if err != nil {
		r.conns.Add(-1)
		if counted {
			r.perAddress.counter.Release(peer)
		}
		r.opts.Logger.Warn("loop: a connection could not be taken", "error", err)
		if passing(err) {
			g.scarce.Store(true)
		}
	}
}

var errNotOpened = errors.New("loop: its event loop could not watch it")

// passing says whether accepting may work again later.
func passing(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EPERM, syscall.EPROTO,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// pause waits for d and reports whether to go on.
func (r *Reactor) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return !r.stopping()
	case <-r.stopped:
		return false
	case <-r.failed:
		return false
	}
}

// refuse answers 503 and lets the peer read it before the connection goes.
func (r *Reactor) refuse(c net.Conn, wg *sync.WaitGroup, refusal chan struct{}) {
	select {
	case refusal <- struct{}{}:
	default:
		_ = c.Close() // a flood: not even an answer
		return
	}
	wg.Go(func() {
		defer func() { <-refusal }()
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(refuseTimeout))
		if _, err := io.WriteString(c, serviceOverload); err != nil {
			return
		}
		if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_, _ = io.Copy(io.Discard, c) // closing over unread input would reset the answer away
		}
	})
}
