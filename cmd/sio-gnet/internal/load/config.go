// Package load runs load tests against Socket.IO servers: it connects many clients, has
// them do what a scenario says, and puts what it measured into a report.
package load

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// Config is what to run. None of it has a default.
type Config struct {
	Tool   string // its name and version, for the report
	Target Target
	Client client.Config // Host and Query are set from Target
	Parts  []scenario.Part

	ConnectRate float64 // clients a second; 0: as fast as the server takes them,
	Connecting  int     // with this many on their way at once
	JoinTimeout time.Duration

	Warmup, Duration time.Duration
	Drain            time.Duration // how long is waited for what is under way in the end
	GiveUp           time.Duration // how long a window waits for an answer
	Interval         time.Duration // of the series

	Loops       int
	Sources     []netip.Addr
	AutoSources bool // take as many of 127.0.0.0/8 as it needs
	PID         int  // of the server, 0 for none
	Insecure    bool // do not verify certificates

	// Progress, if not nil, is told of each interval, as it ends.
	Progress func(p *report.Point)

	// drained, if not nil, says in place of "none" how many outstanding messages are
	// expected to stay so: for tests, which know what was lost.
	drained func(outstanding int64) bool
}

// Target is a server.
type Target struct {
	URL   string
	Host  string // as in the Host header
	Addr  string // host:port
	Query string
	TLS   bool
}

// ParseTarget reads a URL such as http://localhost:3000.
func ParseTarget(s string) (t Target, err error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return t, fmt.Errorf("%q is no URL such as http://localhost:3000", s)
	}
	var port string
	switch u.Scheme {
	case "http", "ws":
		port = "80"
	case "https", "wss":
		port, t.TLS = "443", true
	default:
		return t, fmt.Errorf("%q must begin with http:// or https://", s)
	}
	if u.Path != "" && u.Path != "/" {
		return t, fmt.Errorf("%q must have no path: --namespace and --path are flags of their own", s)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	t.Host, t.Addr, t.Query = u.Host, net.JoinHostPort(u.Hostname(), port), u.RawQuery
	return t, nil
}

func (c *Config) tls() *tls.Config {
	if !c.Target.TLS {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Target.Addr)
	if err != nil { // it was made by JoinHostPort
		host = c.Target.Host
	}
	return &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		InsecureSkipVerify: c.Insecure, //nolint:gosec // only if it is asked for, for a server on trial
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
}

// clients returns how many clients there are.
func (c *Config) clients() (n int) {
	for i := range c.Parts {
		n += c.Parts[i].Clients
	}
	return n
}

// Limits of a run.
const (
	MaxDuration   = 72 * time.Hour // the stamps of messages have no more
	MaxConnecting = 10_000
)

// Total returns how long the run takes, but for connecting and draining.
func (c *Config) Total() time.Duration { return c.Warmup + c.Duration }
