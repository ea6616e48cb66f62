package siotest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/seam"
)

// patience bounds every wait, in real time, so that a failing test ends.
const patience = 10 * time.Second

// Server is a server that is served in memory, with a clock that the test moves.
type Server struct {
	*endpoint

	tb       testing.TB
	io       *sio.Server
	seam     seam.Server
	patience time.Duration
}

// Start serves a server in memory until the test ends, and then shuts it down. No
// port is opened. Its clock stands still from now on; see [Server.Advance].
//
// The server is the program's own, set up as for production, and not served by
// other means. Whatever Serve or Shutdown report fails the test.
func Start(tb testing.TB, io *sio.Server) *Server {
	tb.Helper()
	m := newMemory()
	s := &Server{
		endpoint: &endpoint{url: "http://siotest", dial: m.dial, memory: m},
		tb:       tb, io: io, seam: seam.Of(io), patience: patience,
	}
	s.fence = s.settle
	s.seam.Hold()
	served := make(chan error, 1)
	go func() { served <- io.Serve(m) }()
	tb.Cleanup(func() {
		s.seam.Release() // who does not close meets the server's own timeouts
		ctx, cancel := context.WithTimeout(context.Background(), s.patience)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			tb.Errorf("siotest: Shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
			tb.Errorf("siotest: Serve: %v", err)
		}
	})
	return s
}

// Advance moves the server's clock on by d: timers fire in order, each at its own
// time, and before the next one all that follows from it has happened: clients
// have got their heartbeats and answered them, handlers have run, and so on. The
// clock is that of heartbeats, timeouts of acknowledgements, handshakes and
// upgrades, rate limits and the like. What the program does with the package time
// or with contexts goes by real time.
func (s *Server) Advance(d time.Duration) {
	s.tb.Helper()
	if d < 0 {
		s.tb.Fatalf("siotest: Advance(%v): the time goes one way only", d)
	}
	s.Wait()
	for d > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), s.patience)
		moved, err := s.seam.Step(ctx, d)
		cancel()
		switch {
		case errors.Is(err, sio.ErrServerClosed):
			return
		case err != nil:
			s.tb.Fatalf("siotest: Advance: an event loop is busy: %v", err)
		}
		d -= moved
		s.Wait()
	}
}

// Wait blocks until everything that follows from what was done so far has
// happened: nothing is in flight in either direction, no event loop has anything
// to do, no handler is running, on the server or on a client. It looks into the
// server and asks the kernel, so nothing is left to luck.
//
// A handler that is blocked, in a channel, a select or a lock, is taken to wait
// for what the test does next, such as an acknowledgement. Goroutines that the
// program has started itself are not known to Wait.
func (s *Server) Wait() {
	s.tb.Helper()
	if err := s.settle(); err != nil {
		s.tb.Fatalf("siotest: %v", err)
	}
}

// Now returns the time by the server's clock, for programs that are told what
// time it is by a function.
func (s *Server) Now() time.Time { return s.seam.Now() }

// DialContext connects to the server, whatever the address is: it is for an
// [http.Transport] or for the WebSocket client of another package. What comes over
// such a connection and is not read is not waited for.
func (s *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return s.dial(ctx)
}

// HTTP returns a client for the server's other paths, whatever the host in the
// URL is:
//
//	res, err := srv.HTTP().Get("http://server/rooms/lobby")
//
// The scheme is http: there is no TLS.
func (s *Server) HTTP() *http.Client {
	t := &http.Transport{DialContext: s.DialContext}
	s.tb.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// Connect makes a client, and waits until it is connected to its namespace. A
// refusal fails the test; see [Server.TryConnect]. The client is closed when the
// test tb ends.
func (s *Server) Connect(tb testing.TB, opts ...Option) *Client {
	tb.Helper()
	return s.connect(tb, opts)
}

// TryConnect is Connect for a client that may be refused: by a middleware or for
// want of the namespace, with a [*ConnectError], which also is a
// [*sio.ConnectError] to [errors.As], or already when it opens the connection, with
// a [*HandshakeError].
func (s *Server) TryConnect(tb testing.TB, opts ...Option) (*Client, error) {
	tb.Helper()
	return s.tryConnect(tb, opts)
}

// Open opens a connection for a test that looks at the packets themselves.
func (s *Server) Open(tb testing.TB, opts ...Option) *Conn {
	tb.Helper()
	return s.open(tb, opts)
}
