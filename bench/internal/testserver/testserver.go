// Package testserver is the server that the tests of the benchmarks talk to, in
// their own process.
package testserver

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// Serve serves the event echo until the test ends.
func Serve(tb testing.TB, opts *sio.Options) netip.AddrPort {
	tb.Helper()
	server, err := sio.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	err = server.OnEvent("echo", func(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error { return s.EmitRaw("echo", args) })
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is for a test
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	tb.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); !errors.Is(err, sio.ErrServerClosed) {
			tb.Errorf("Serve: %v", err)
		}
	})
	return netip.MustParseAddrPort(ln.Addr().String())
}
