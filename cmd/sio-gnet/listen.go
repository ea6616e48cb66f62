package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	sio "github.com/sio-gnet/sio-gnet"
)

// Addresses to listen on are TCP addresses such as :3000, and these.
const (
	unixPrefix = "unix:"   // and the path of a socket
	activation = "systemd" // the sockets that systemd passes; "systemd:name" for those of a name
)

// listen listens on all addresses of the command line.
func (c *serveCommand) listen() (lns []net.Listener, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(lns))
			lns = nil
		}
	}()
	for _, addr := range c.Addr {
		name, passed := strings.CutPrefix(addr, activation)
		if passed && (name == "" || name[0] == ':') {
			more, err := inherited(strings.TrimPrefix(name, ":"), os.Getpid(), os.Getenv)
			lns = append(lns, more...)
			if err != nil {
				return lns, &usageError{fmt.Errorf("--addr %s: %w", addr, err)}
			}
			continue
		}
		ln, err := listen(addr)
		if err != nil {
			return lns, err
		}
		lns = append(lns, ln)
	}
	if c.ProxyProtocol {
		senders := c.trusted()
		if len(senders) < len(c.TrustedProxies) {
			senders = append(senders, netip.Prefix{}) // unix alone is not anyone
		}
		for i, ln := range lns {
			lns[i] = sio.ProxyProtocol(ln, senders...)
		}
	}
	return lns, nil
}

func closeAll(lns []net.Listener) error {
	var errs []error
	for _, ln := range lns {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

// listen turns what can be wrong with an address into a sentence.
func listen(addr string) (net.Listener, error) {
	network, where := "tcp", addr
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		network, where = "unix", path
	}
	config := net.ListenConfig{KeepAlive: -1}
	ln, err := config.Listen(context.Background(), network, where)
	if network == "unix" && errors.Is(err, syscall.EADDRINUSE) && removeStale(where) {
		ln, err = config.Listen(context.Background(), network, where)
	}
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program; choose another address with --addr", addr)
	case errors.Is(err, syscall.EACCES) && network == "tcp":
		return nil, fmt.Errorf("%s needs more rights than this process has; choose a port above 1023 with --addr", addr)
	}
	return nil, &usageError{fmt.Errorf("--addr %q can't be listened on: %w", addr, err)}
}

// removeStale removes a socket that nobody listens on any more: what is left of
// a process that was killed.
func removeStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	var d net.Dialer
	conn, err := d.DialContext(context.Background(), "unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}

// firstPassed is the descriptor of the first socket that systemd passes.
const firstPassed = 3

// inherited returns the listeners that systemd passed to the process pid by socket
// activation (sd_listen_fds(3)): all, or those with FileDescriptorName=name. Their
// closing leaves the paths of unix sockets, which are systemd's, alone.
func inherited(name string, pid int, env func(string) string) (lns []net.Listener, err error) {
	count, err := strconv.Atoi(env("LISTEN_FDS"))
	if err != nil || count < 1 || count > 1000 || env("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, errors.New("no sockets were passed to this process; is it started by a socket unit?")
	}
	names := strings.Split(env("LISTEN_FDNAMES"), ":")
	for i := range count {
		fd := firstPassed + i
		syscall.CloseOnExec(fd)
		if name != "" && (i >= len(names) || names[i] != name) {
			continue
		}
		f := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		ln, err := net.FileListener(f)
		if err = errors.Join(err, f.Close()); err != nil { // the listener has its own descriptor
			return lns, fmt.Errorf("descriptor %d is no listening stream socket: %w", fd, err)
		}
		lns = append(lns, ln)
	}
	if len(lns) == 0 {
		return nil, fmt.Errorf("no socket of the name %q was passed", name)
	}
	return lns, nil
}

// addresses are what to type into a browser, or where else the server is.
func addresses(lns []net.Listener) string {
	var all []string
	for _, ln := range lns {
		all = append(all, address(ln.Addr()))
	}
	return strings.Join(all, " and ")
}

func address(a net.Addr) string {
	if a.Network() == "unix" {
		return unixPrefix + a.String()
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// unixPeers stands for all peers on unix sockets in --trusted-proxies.
const unixPeers = "unix"

// parseNetwork reads a network such as 10.0.0.0/8, or an address alone.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("--trusted-proxies must be networks such as 10.0.0.0/8, addresses, or %s, not %q", unixPeers, s)
	}
	return p, nil
}

// trusted returns the networks of --trusted-proxies, which Validate has looked at.
func (c *serveCommand) trusted() (networks []netip.Prefix) {
	for _, s := range c.TrustedProxies {
		if p, err := parseNetwork(s); err == nil {
			networks = append(networks, p)
		}
	}
	return networks
}
