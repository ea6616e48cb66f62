package loop

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
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

func (r *Reactor) accept(ln net.Listener) error {
	var (
		context any // of its connections
		wg      sync.WaitGroup
		once    sync.Once
		first   error
		refusal = make(chan struct{}, maxRefusing)
	)
	if p, ok := ln.(*proxyListener); ok {
		context = &p.settings
	}
	for range acceptors {
		wg.Go(func() {
			if err := r.acceptLoop(ln, context, &wg, refusal); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	wg.Wait()
	return first
}

// acceptLoop accepts until the listener is closed. Errors that pass, such as
// running out of descriptors, are waited out: the kernel keeps the callers.
func (r *Reactor) acceptLoop(ln net.Listener, context any, wg *sync.WaitGroup, refusal chan struct{}) error {
	delay := minAcceptDelay
	for {
		c, err := ln.Accept()
		if err != nil {
			if !passing(err) {
				return err
			}
			r.opts.Logger.Warn("loop: accepting is paused", "error", err, "for", delay)
			if !r.pause(delay) {
				return nil
			}
			delay = min(2*delay, maxAcceptDelay)
			continue
		}
		delay = minAcceptDelay
		if r.conns.Add(1) > int64(r.opts.MaxConnections) {
			r.conns.Add(-1)
			r.opts.Logger.Warn("loop: connection refused: too many", "limit", r.opts.MaxConnections, "remote", c.RemoteAddr())
			r.refuse(c, wg, refusal)
			continue
		}
		peer, counted := addrPort(c.RemoteAddr()).Addr(), false
		if context == nil { // else it is the client that counts, once it is known
			var ok bool
			if ok, counted = r.perAddress.acquire(peer); !ok {
				r.conns.Add(-1)
				r.opts.Logger.Debug("loop: connection refused: too many of one address", "remote", c.RemoteAddr())
				r.refuse(c, wg, refusal)
				continue
			}
		}
		r.enroll(c, peer, counted, context)
	}
}

// enroll gives a connection to a loop. That duplicates the descriptor and closes c,
// whatever happens.
func (r *Reactor) enroll(c net.Conn, peer netip.Addr, counted bool, context any) {
	if counted {
		context = countedPeer{}
	}
	if _, err := r.client.EnrollContext(c, context); err != nil {
		r.conns.Add(-1)
		if counted {
			r.perAddress.counter.Release(peer)
		}
		r.opts.Logger.Warn("loop: a connection could not be taken", "error", err)
	}
}

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
