package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// server is the child process under measurement.
type server struct {
	cmd  *exec.Cmd
	addr netip.AddrPort
}

// announced finds the port in the line that the server prints once it listens.
var announced = regexp.MustCompile(`http://[^ /]*:(\d+)`)

// startServer starts the binary on a free port and waits until it listens.
func startServer(ctx context.Context, binary string, ping time.Duration) (*server, error) {
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%s is missing: run `make build`", binary)
	}
	cmd := exec.CommandContext(ctx, binary, "serve", //nolint:gosec // the user names the binary
		"--app", "bench", "--addr", "127.0.0.1:0", "--ping-interval", ping.String(), "--log-level", "error")
	cmd.Stderr = os.Stderr
	// The server must not outlive this process, whatever ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	s := &server{cmd: cmd}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if m := announced.FindStringSubmatch(lines.Text()); m != nil {
			s.addr, err = netip.ParseAddrPort("127.0.0.1:" + m[1])
			return s, err
		}
	}
	s.stop()
	return nil, errors.New("the server ended before it listened")
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the server; how it ends is of no interest here.
func (s *server) stop() {
	s.cmd.Process.Kill() //nolint:errcheck // it may have ended already
	s.cmd.Wait()         //nolint:errcheck // killed
}
