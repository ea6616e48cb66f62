package load

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// ResourceError says that a run needs more than the system gives.
type ResourceError struct {
	What     string // of which there are too few, and what could be done
	Asked    int    // clients
	Possible int
}

// Error names both numbers.
func (e *ResourceError) Error() string {
	return fmt.Sprintf("%d clients are too many: %s; %d are possible", e.Asked, e.What, e.Possible)
}

// lines returns how many connections the clients of a part have at most, once they have
// joined.
func (c *Config) lines(p *scenario.Part) int {
	if c.Client.Transport == client.Polling && (p.Kind != scenario.Idle && p.Kind != scenario.Connect || c.Client.EIO == 3) {
		return 2 * p.Clients
	}
	return p.Clients
}

// checkLimits looks whether there are descriptors and ports enough, raises the limit of
// descriptors as far as it may, and picks source addresses if it is to.
func (c *Config) checkLimits(server netip.AddrPort) error {
	lines := 0
	for i := range c.Parts {
		lines += c.lines(&c.Parts[i])
	}
	clients := c.clients()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("the limit of descriptors: %w", err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("the limit of descriptors: %w", err)
		}
	}
	if err := enough(clients, lines, int(min(limit.Cur, 1<<30))-c.reserve()); err != nil {
		err.What = fmt.Sprintf("this process may have %d descriptors (ulimit -Hn)", limit.Cur)
		return err
	}
	low, high := portRange()
	ports := high - low + 1
	if c.AutoSources {
		c.Sources = spread(server.Addr(), (lines+ports-1)/ports)
	}
	if err := enough(clients, lines, ports*max(len(c.Sources), 1)); err != nil {
		err.What = fmt.Sprintf("there are %d ports for connections from one address to one server (net.ipv4.ip_local_port_range), and %d source address(es); --source-ips has more",
			ports, max(len(c.Sources), 1))
		return err
	}
	return nil
}

// reserve is how many descriptors are needed for more than the clients' connections:
// those that are being made have two for a moment, and an upgrade has two connections more.
func (c *Config) reserve() int {
	perDial := 2
	if c.Client.Transport == client.Upgrade {
		perDial = 4
	}
	return 64 + 8*c.Loops + perDial*c.Connecting
}

func enough(clients, lines, have int) *ResourceError {
	if lines <= have {
		return nil
	}
	return &ResourceError{Asked: clients, Possible: max(int(int64(clients)*int64(have)/int64(lines)), 0)}
}

// portRange returns the ports that the kernel gives to connections.
func portRange() (low, high int) {
	low, high = 32768, 60999 // the kernel's default
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return low, high
	}
	if f := strings.Fields(string(b)); len(f) == 2 {
		l, err1 := strconv.Atoi(f[0])
		h, err2 := strconv.Atoi(f[1])
		if err1 == nil && err2 == nil && h >= l {
			return l, h
		}
	}
	return low, high
}

// spread returns addresses of 127.0.0.0/8 for a server there, if one is not enough.
func spread(server netip.Addr, n int) (sources []netip.Addr) {
	if n < 2 || !server.Is4() || !server.IsLoopback() {
		return nil
	}
	addr := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for range n {
		sources = append(sources, addr)
		addr = addr.Next()
	}
	return sources
}

// maxSources bounds a list of source addresses.
const maxSources = 1 << 16

// ParseSources reads addresses and networks, all addresses of which are taken but the
// first and the last; or "auto".
func ParseSources(s string) (sources []netip.Addr, auto bool, err error) {
	if s == "" {
		return nil, false, nil
	}
	if s == "auto" {
		return nil, true, nil
	}
	for item := range strings.SplitSeq(s, ",") {
		item = strings.TrimSpace(item)
		if addr, err := netip.ParseAddr(item); err == nil {
			sources = append(sources, addr)
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return nil, false, fmt.Errorf("%q is neither an address, nor a network such as 127.0.0.0/28, nor auto", item)
		}
		for addr := p.Masked().Addr().Next(); p.Contains(addr.Next()) && len(sources) < maxSources; addr = addr.Next() {
			sources = append(sources, addr)
		}
	}
	return sources, false, nil
}
