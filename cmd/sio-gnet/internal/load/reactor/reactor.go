// Package reactor drives many clients on a few event loops of gnet: it dials, reads,
// and writes what a turn of a loop has produced for a connection at once. It has no
// goroutine, timer or buffer per client, but for clients over TLS.
//
// Each loop is a gnet client of its own, so that all connections of a client can be put
// on its loop.
package reactor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
)

// Never is a time that does not come.
const Never = int64(math.MaxInt64)

// Options of a reactor. None has a default.
type Options struct {
	Loops   int
	Address string       // host:port to connect to
	Sources []netip.Addr // local addresses, used in turn; none: the kernel chooses
	TLS     *tls.Config  // nil for plain TCP
	Dialers int          // connections that may be in the making at once
	Client  *client.Config
	// JoinTimeout bounds how long a connection may take to be made, and then how long a client
	// may take to join.
	JoinTimeout time.Duration
}

// Reactor is a set of loops. Its methods may be called from any goroutine.
type Reactor struct {
	opts    Options
	started time.Time
	loops   []*Loop
	dialer  *dialer
	stop    sync.Once
	err     error // of stopping
}

// New starts the loops. The caller must end them with [Reactor.Stop].
func New(opts Options) (*Reactor, error) {
	r := &Reactor{opts: opts, started: time.Now()}
	r.dialer = newDialer(r)
	for i := range opts.Loops {
		l, err := newLoop(r, i)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("starting event loop %d: %w", i, err), r.Stop())
		}
		r.loops = append(r.loops, l)
	}
	return r, nil
}

// Stop closes all connections, without telling clients, and ends the loops. It may be
// called again.
func (r *Reactor) Stop() error {
	r.stop.Do(func() {
		for _, l := range r.loops {
			l.stopped.Store(true)
		}
		r.dialer.stop()
		var errs []error
		for _, l := range r.loops {
			errs = append(errs, l.stop())
		}
		r.err = errors.Join(errs...)
	})
	return r.err
}

// Loops returns the loops. The slice must not be changed.
func (r *Reactor) Loops() []*Loop { return r.loops }

// Now returns nanoseconds since the start, from the monotonic clock.
func (r *Reactor) Now() int64 { return int64(time.Since(r.started)) }

// Started is when Now was 0.
func (r *Reactor) Started() time.Time { return r.started }
