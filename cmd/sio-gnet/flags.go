package main

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"time"

	"github.com/alecthomas/kong"
)

// usageError is a wrong flag or variable.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

type commandLine struct {
	Serve   serveCommand     `cmd:"" help:"Serve a Socket.IO application."`
	Load    loadCommand      `cmd:"" help:"Put load on a Socket.IO server, and measure it."`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

type serveCommand struct {
	App  string   `enum:"chat,hello,bench" default:"chat" env:"SIO_APP" help:"What to serve: chat (rooms, images, who is here), hello (the smallest example, both ways), bench (events for load tools)."`
	Addr []string `default:":3000" env:"SIO_ADDR" help:"Addresses to listen on: host:port or :port (:0 takes any free one), unix:/path, or systemd for the sockets of a socket unit (systemd:name for those with that FileDescriptorName)."`
	Path string   `default:"/socket.io" env:"SIO_PATH" help:"Path that Socket.IO answers on; clients must be given the same."`

	PingInterval   time.Duration `default:"25s" env:"SIO_PING_INTERVAL" help:"Time between heartbeats."`
	PingTimeout    time.Duration `default:"20s" env:"SIO_PING_TIMEOUT" help:"How long a client may take to answer a heartbeat before it counts as gone."`
	ConnectTimeout time.Duration `default:"45s" env:"SIO_CONNECT_TIMEOUT" help:"How long a client may be connected without joining a namespace."`
	UpgradeTimeout time.Duration `default:"10s" env:"SIO_UPGRADE_TIMEOUT" help:"How long an upgrade from polling to WebSocket may take."`
	DrainTimeout   time.Duration `default:"10s" env:"SIO_DRAIN_TIMEOUT" help:"How long SIGTERM or SIGINT waits for clients and handlers; a second signal ends at once."`

	MaxPayload int      `default:"1000000" env:"SIO_MAX_PAYLOAD" help:"Largest message taken from a client, in bytes."`
	Origins    []string `env:"SIO_ORIGINS" placeholder:"ORIGIN" help:"Origins whose pages may connect, such as https://example.com; * for any. Default: pages from this server only."`
	AllowEIO3  bool     `name:"allow-eio3" env:"SIO_ALLOW_EIO3" help:"Also take clients of Socket.IO 1 and 2 (Engine.IO 3)."`
	Loops      int      `default:"0" env:"SIO_LOOPS" help:"Number of event loops; 0 is one per CPU."`

	MaxConnectionsPerAddress int     `default:"0" env:"SIO_MAX_CONNECTIONS_PER_ADDRESS" help:"How many connections, and clients, one address may have; a /64 network of IPv6 is one address. 0 is no limit."`
	HandshakesPerSecond      float64 `default:"0" env:"SIO_HANDSHAKES_PER_SECOND" help:"How often clients may connect from one address. 0 is no limit."`

	TrustedProxies []string `env:"SIO_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of proxies that are believed when they say by X-Forwarded-For and X-Forwarded-Proto who a client is; unix for whoever connects over a unix socket."`
	Forwarded      bool     `env:"SIO_FORWARDED" help:"Read Forwarded (RFC 7239) of trusted proxies in place of X-Forwarded-*."`
	ProxyProtocol  bool     `env:"SIO_PROXY_PROTOCOL" help:"Each connection must begin with a header of the PROXY protocol (version 1 or 2), from one of --trusted-proxies if there are any, else from anyone."`

	Deflate               bool `env:"SIO_DEFLATE" help:"Compress WebSocket messages (permessage-deflate) of 1 KiB and more for clients that offer it."`
	DeflateClientTakeover bool `env:"SIO_DEFLATE_CLIENT_TAKEOVER" help:"The same as --deflate, and let each message of a client refer to those before, which makes small ones smaller. It takes up to 32 KiB of memory for each client, of 64 MiB in all."`

	LogLevel  string `enum:"debug,info,warn,error" default:"info" env:"SIO_LOG_LEVEL" help:"debug, info, warn or error."`
	LogFormat string `enum:"text,json" default:"text" env:"SIO_LOG_FORMAT" help:"text or json, to standard error."`

	BlockingHandlers bool `env:"SIO_BLOCKING_HANDLERS" help:"bench: run handlers on goroutines, where they may block, not on the event loops."`
}

// maxLoops is as many event loops as the reactor takes.
const maxLoops = 256

// pathRule leaves out what would have to be escaped, in a URL or in the page.
var pathRule = regexp.MustCompile(`^(/[\w~-][\w.~-]*)+/?$`)

// Validate is called by kong; it says what the types can't.
func (c *serveCommand) Validate() error {
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{
		{"--ping-interval", c.PingInterval},
		{"--ping-timeout", c.PingTimeout},
		{"--connect-timeout", c.ConnectTimeout},
		{"--upgrade-timeout", c.UpgradeTimeout},
		{"--drain-timeout", c.DrainTimeout},
	} {
		if d.value < time.Millisecond {
			return fmt.Errorf("%s must be at least 1ms, not %v", d.flag, d.value)
		}
	}
	switch {
	case len(c.Addr) == 0 || slices.Contains(c.Addr, ""):
		return errors.New("--addr must be addresses such as :3000, not empty")
	case c.MaxConnectionsPerAddress < 0:
		return fmt.Errorf("--max-connections-per-address must not be negative, not %d", c.MaxConnectionsPerAddress)
	case !(c.HandshakesPerSecond >= 0) || math.IsInf(c.HandshakesPerSecond, 1):
		return fmt.Errorf("--handshakes-per-second must be a number from 0 on, not %v", c.HandshakesPerSecond)
	case c.MaxPayload < 1:
		return fmt.Errorf("--max-payload must be positive, not %d", c.MaxPayload)
	case c.Loops < 0 || c.Loops > maxLoops:
		return fmt.Errorf("--loops must be from 0 to %d, not %d", maxLoops, c.Loops)
	case !pathRule.MatchString(c.Path):
		return fmt.Errorf("--path must be a path such as /socket.io, not %q", c.Path)
	}
	for _, origin := range c.Origins {
		if !isOrigin(origin) {
			return fmt.Errorf("--origins must be origins such as https://example.com, or *, not %q", origin)
		}
	}
	for _, network := range c.TrustedProxies {
		if network == unixPeers {
			continue
		}
		if _, err := parseNetwork(network); err != nil {
			return err
		}
	}
	return nil
}

// isOrigin refuses what no browser sends as an Origin, which would match
// nothing: a host alone, or a URL with a path.
func isOrigin(s string) bool {
	if s == "*" || s == "null" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && s == u.Scheme+"://"+u.Host
}

const description = `A Socket.IO server on the gnet reactor.

Start with "sio-gnet serve" and open http://localhost:3000 in two tabs. Each flag of serve can be given as the variable named beside it, too; a flag wins over its variable.`

// help prints the flags of serve along with those of no command, so that
// everything there is stands on one page; and those of running a load test with load.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if selected := ctx.Selected(); selected != nil && selected.Name == "load" {
		run, err := kong.Trace(ctx.Kong, []string{"load", "run"})
		if err != nil {
			return err //nolint:wrapcheck // kong's own
		}
		ctx = run
	}
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || ctx.Selected() != nil {
		return err //nolint:wrapcheck // kong's own
	}
	serve, err := kong.Trace(ctx.Kong, []string{"serve"})
	if err != nil {
		return err //nolint:wrapcheck // kong's own
	}
	fmt.Fprintln(ctx.Stdout)
	return kong.DefaultHelpPrinter(options, serve) //nolint:wrapcheck // kong's own
}

var errExit = errors.New("exit") // help or version was printed

func dispatch(args []string, stdout, stderr *os.File) (err error) {
	var cli commandLine
	defer func() {
		if v := recover(); v != nil {
			if v != errExit { //nolint:errorlint // the very value that Exit below panics with
				panic(v)
			}
			err = nil
		}
	}()
	parser, err := kong.New(&cli,
		kong.Name("sio-gnet"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { panic(errExit) }),
		kong.Vars{"version": "sio-gnet " + version()},
		kong.Help(help), kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: 100}))
	if err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return &usageError{err}
	}
	switch ctx.Command() {
	case "load compare <a> <b>":
		return cli.Load.Compare.run(stdout)
	case "load run <url>":
		return cli.Load.Run.run(stdout, stderr)
	}
	return cli.Serve.run(stdout, stderr)
}

// version returns the module's version, as the build noted it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
