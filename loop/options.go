package loop

import (
	"log/slog"
	"net/netip"
	"runtime"
	"time"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// Options configure a [Reactor]. A zero field means its default.
type Options struct {
	// Loops is the number of event loops; default GOMAXPROCS.
	Loops int
	// MaxConnections is the number of connections served at once. Further ones
	// are accepted and answered 503. Default: the process's descriptor limit
	// less a reserve for everything else it opens.
	MaxConnections int
	// MaxConnectionsPerAddress is how many of them one address may have, a /64
	// network of IPv6 being one address; 0 is no limit. Further ones are answered
	// 503, or closed where a PROXY header has named the address. Peers in
	// TrustedProxies, whose connections are those of many clients, and on unix
	// sockets are not counted.
	MaxConnectionsPerAddress int
	TrustedProxies           []netip.Prefix

	// MaxRequestLine (default 8 KiB), MaxHeaderBytes (16 KiB) and MaxHeaders
	// (100) bound a request's head; MaxBody (1,000,000 bytes, at most 1 GiB) its
	// body.
	MaxRequestLine, MaxHeaderBytes, MaxHeaders int
	MaxBody                                    int
	// MaxMessage bounds a WebSocket message, all its fragments together;
	// default MaxBody, at most 1 GiB.
	MaxMessage int
	// MaxPending is the byte budget of output that waits for one connection's
	// peer to read; default 1 MiB. One single write, or one group of them, may
	// pass it if nothing else waits.
	MaxPending int

	// Deflate switches the compression of WebSocket messages on; nil is off.
	Deflate *Deflate

	// HeaderTimeout bounds the time from a connection's or request's first
	// chance to send until its head is complete; default 10 s.
	HeaderTimeout time.Duration
	// BodyTimeout bounds the time for a request's body; default 30 s.
	BodyTimeout time.Duration
	// IdleTimeout bounds the wait between two requests; default 75 s.
	IdleTimeout time.Duration
	// CloseTimeout bounds the wait for a peer to take the last bytes and close;
	// default 2 s.
	CloseTimeout time.Duration

	// HTTP is for a [Router]'s http.Handlers.
	HTTP HTTPOptions

	// Logger receives the reactor's log lines; default [slog.Default].
	Logger *slog.Logger
}

// maxSize bounds what sizes may be set to, in bytes, so that sums of them stay
// numbers.
const maxSize = 1 << 30

func (o Options) withDefaults() Options {
	setDefault(&o.Loops, runtime.GOMAXPROCS(0))
	setDefault(&o.MaxRequestLine, 8<<10)
	setDefault(&o.MaxHeaderBytes, 16<<10)
	setDefault(&o.MaxHeaders, 100)
	setDefault(&o.MaxBody, 1_000_000)
	setDefault(&o.MaxMessage, o.MaxBody)
	o.MaxBody, o.MaxMessage = min(o.MaxBody, maxSize), min(o.MaxMessage, maxSize)
	setDefault(&o.MaxPending, 1<<20)
	setDefault(&o.HeaderTimeout, 10*time.Second)
	setDefault(&o.BodyTimeout, 30*time.Second)
	setDefault(&o.IdleTimeout, 75*time.Second)
	setDefault(&o.CloseTimeout, 2*time.Second)
	setDefault(&o.HTTP.MaxHandlers, defaultMaxHandlers)
	if o.Deflate != nil {
		d := o.Deflate.withDefaults()
		o.Deflate = &d
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func (o *Options) limits() http1.Limits {
	return http1.Limits{
		RequestLine: o.MaxRequestLine,
		HeaderBytes: o.MaxHeaderBytes,
		Headers:     o.MaxHeaders,
		Body:        int64(o.MaxBody),
	}
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
