package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/reactor"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/stats"
)

// Run runs a test. If ctx ends, so does the test, and the result is marked as partial.
// The error says why there is no result.
func Run(ctx context.Context, c *Config) (*report.Result, error) {
	server, err := resolve(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := c.checkLimits(server); err != nil {
		return nil, err
	}
	c.Client.Host, c.Client.Query = c.Target.Host, c.Target.Query
	r := &runner{cfg: c, before: map[int]stats.Process{}}
	if err := r.readProcesses(r.before); err != nil {
		return nil, err
	}
	r.reactor, err = reactor.New(reactor.Options{
		Loops: c.Loops, Address: server.String(), Sources: c.Sources, TLS: c.tls(),
		Dialers: c.Connecting, Client: &c.Client, JoinTimeout: c.JoinTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("starting: %w", err)
	}
	defer func() { err = errors.Join(err, r.reactor.Stop()) }()
	if err := r.try(ctx); err != nil {
		return nil, err
	}
	r.run = scenario.New(r.reactor, scenario.Options{
		Parts: c.Parts, ID: rand.Uint32() & (1<<24 - 1),
		ConnectRate: c.ConnectRate, Connecting: c.Connecting, GiveUp: c.GiveUp,
	})
	return r.phases(ctx)
}

// runner is one run.
type runner struct {
	cfg     *Config
	reactor *reactor.Reactor
	run     *scenario.Run

	before map[int]stats.Process // by process id, before the first client
	sampler
}

// resolve finds the server's address: the first that takes a connection.
func resolve(ctx context.Context, c *Config) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(c.Target.Addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: %w", c.Target.URL, err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: %w", c.Target.URL, err)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: no address of %s is known", c.Target.URL, host)
	}
	var last error
	for _, addr := range addrs {
		addr = addr.Unmap()
		if len(c.Sources) > 0 && c.Sources[0].Is4() != addr.Is4() {
			last = fmt.Errorf("%s is no address that --source-ips can reach", addr)
			continue
		}
		at := netip.AddrPortFrom(addr, uint16(number))
		d := net.Dialer{Timeout: c.JoinTimeout}
		conn, err := d.DialContext(ctx, "tcp", at.String())
		if err == nil {
			conn.Close()
			return at, nil
		}
		last = err
		var sys *os.SyscallError
		if errors.As(err, &sys) {
			last = sys.Err
		}
	}
	return netip.AddrPort{}, fmt.Errorf("no server answers at %s: %w", c.Target.URL, last)
}

// scout is the client that finds out whether there is a Socket.IO server at all.
type scout struct{ done chan error }

func (s scout) OnJoined(*client.Client) { s.done <- nil }

func (s scout) OnMessage(*client.Client, *client.Received) {}

func (s scout) OnLost(_ *client.Client, err error) {
	select {
	case s.done <- err:
	default: // it has joined before
	}
}

// try connects one client, so that what is wrong for all is said once, before anything
// begins.
func (r *runner) try(ctx context.Context) error {
	l := r.reactor.Loops()[0]
	s := scout{make(chan error, 1)}
	p := l.NewPeer(0)
	l.Post(func() { p.Begin(s) })
	var err error
	select {
	case err = <-s.done:
	case <-ctx.Done():
		err = errors.New("interrupted before it began")
	}
	left := make(chan struct{})
	l.Post(func() {
		p.Leave()
		p.Forget()
		close(left)
	})
	<-left
	if err != nil {
		return fmt.Errorf("%s: %w", r.cfg.Target.URL, err)
	}
	return nil
}

// drained says whether all has come that was to come.
func (r *runner) drained() bool {
	n := r.run.Outstanding()
	if r.cfg.drained != nil {
		return r.cfg.drained(n)
	}
	return n == 0
}

// phases goes through the run.
func (r *runner) phases(ctx context.Context) (*report.Result, error) {
	res := r.begin()
	start := time.Now()
	r.startSampling()
	r.phase = report.Connecting
	r.run.Connect()
	asked := r.run.Clients()
	r.wait(ctx, func() bool {
		s := r.run.State()
		return s.Ready+s.Failed+s.Lost >= asked
	})
	res.Clients.Seconds = time.Since(start).Seconds()
	res.Clients.Joined = r.run.State().Joined
	if ctx.Err() == nil && res.Clients.Joined == 0 {
		res.Errors = errorsOf(r.run.Finish())
		return nil, fmt.Errorf("no client could join: %s", res.Errors[0].Kind)
	}

	from := r.reactor.Now() + int64(r.cfg.Warmup)
	end := from + int64(r.cfg.Duration)
	measured := &meter{}
	if ctx.Err() != nil {
		measured.start(r) // nothing is measured but what is used
		measured.stop(r)
	} else {
		r.enter(report.WarmingUp)
		r.run.Begin(from, end)
		r.waitUntil(ctx, from)
		r.enter(report.Measuring)
		measured.start(r)
		r.waitUntil(ctx, end)
		if ctx.Err() != nil {
			r.run.Cut()
		}
		measured.stop(r)
	}
	res.Partial = ctx.Err() != nil
	res.Clients.Held = r.run.State().Joined

	r.enter(report.Draining)
	deadline := time.Now().Add(r.cfg.Drain)
	r.wait(context.WithoutCancel(ctx), func() bool {
		return r.drained() || time.Now().After(deadline)
	})
	if time.Since(r.last) >= shortest {
		r.sample()
	}
	state := r.run.State()
	res.Clients.Failed, res.Clients.Lost = state.Failed, state.Lost
	r.fill(res, r.run.Finish(), measured)
	r.run.Leave()
	return res, nil
}
