// Package child runs the servers that the benchmarks measure, each as a child
// process, and reads from /proc what they use.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"syscall"
)

// Child is a server under measurement.
type Child struct {
	// Addr is where it listens, on loopback.
	Addr netip.AddrPort

	cmd *exec.Cmd
}

// announced finds the port in the line that a server prints once it listens.
var announced = regexp.MustCompile(`http://[^ /]*:(\d+)`)

// StartServer starts this project's binary with the application for load tools
// on a free port. Further flags of its command serve may be given.
func StartServer(ctx context.Context, binary string, flags ...string) (*Child, error) {
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%s is missing: run `make build`", binary)
	}
	args := []string{"serve", "--app", "bench", "--addr", "127.0.0.1:0", "--log-level", "error"}
	return Start(ctx, binary, append(args, flags...)...)
}

// Start starts a command and waits until it has printed the URL that it listens
// on, of which the port counts. It runs until Stop, the end of ctx, or that of
// this process.
func Start(ctx context.Context, name string, args ...string) (*Child, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the user names the command
	cmd.Stderr = os.Stderr
	// The server must not outlive this process, whatever ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	c := &Child{cmd: cmd}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if m := announced.FindStringSubmatch(lines.Text()); m != nil {
			if c.Addr, err = netip.ParseAddrPort("127.0.0.1:" + m[1]); err != nil {
				c.Stop()
				return nil, fmt.Errorf("the address of %s: %w", name, err)
			}
			// A server that is not read would wait some day. Stop ends this.
			go io.Copy(io.Discard, stdout) //nolint:errcheck // nobody wants to know
			return c, nil
		}
	}
	c.Stop()
	return nil, fmt.Errorf("%s: %w", name, ErrSilent)
}

// ErrSilent is returned for a server that ends, or closes its output, before it
// has said where it listens.
var ErrSilent = errors.New("the server ended before it listened")

// PID returns the id of the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Stop ends the server; how it ends is of no interest here.
func (c *Child) Stop() {
	c.cmd.Process.Kill() //nolint:errcheck // it may have ended already
	c.cmd.Wait()         //nolint:errcheck // killed
}
