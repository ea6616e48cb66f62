package testkit

import (
	"bytes"
	"net"
	"os/exec"
	"testing"
	"time"
)

// Program is a server that runs as a child process until its test ends.
type Program struct {
	Cmd   *exec.Cmd
	Addr  string          // where it listens
	Ended <-chan struct{} // closed once it has ended

	said bytes.Buffer
}

// Said returns what the program has written. Only once it has ended.
func (p *Program) Said() string { return p.said.String() }

// StartProgram starts a program that takes its address as the first argument, and
// waits until it listens there. The address has the given host, which should be one
// that no other tests use, lest one of them takes the port meanwhile.
func StartProgram(tb testing.TB, patience time.Duration, host, path string, args ...string) *Program {
	tb.Helper()
	p := &Program{Addr: freeAddress(tb, host)}
	p.Cmd = exec.Command(path, append([]string{p.Addr}, args...)...) //nolint:gosec,noctx // it is the test's own, and ends with it
	p.Cmd.Stdout, p.Cmd.Stderr = &p.said, &p.said
	if err := p.Cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	p.Ended = ended
	go func() {
		defer close(ended)
		_ = p.Cmd.Wait() // its state says it, too
	}()
	tb.Cleanup(func() {
		_ = p.Cmd.Process.Kill() // it ends in any case
		<-ended
		if tb.Failed() {
			tb.Logf("it said: %s", p.Said())
		}
	})
	Eventually(tb, patience, path+" to listen", func() bool {
		select {
		case <-ended:
			tb.Fatal("it ended")
		default:
		}
		conn, err := net.Dial("tcp", p.Addr) //nolint:noctx // loopback
		if err == nil {
			_ = conn.Close() // it was only to see
		}
		return err == nil
	})
	return p
}

func freeAddress(tb testing.TB, host string) string {
	tb.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0")) //nolint:noctx // loopback
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
