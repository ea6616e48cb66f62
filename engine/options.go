package engine

import (
	"log/slog"
	"net/netip"
	"time"
)

// Options configure a [Server]. A zero field means its default.
type Options struct {
	// Path is where the server answers; default "/engine.io". With and without
	// a trailing slash is the same.
	Path string
	// PingInterval (default 25 s) is the time from one heartbeat to the next
	// ping, PingTimeout (20 s) how long the peer may take to answer.
	PingInterval, PingTimeout time.Duration
	// UpgradeTimeout (10 s) bounds an upgrade to WebSocket.
	UpgradeTimeout time.Duration
	// CloseTimeout (10 s) bounds how long a closed polling session waits for the
	// poll that fetches its last packets.
	CloseTimeout time.Duration
	// MaxPayload is the largest message or request body taken, in bytes;
	// default 1,000,000. The peer is told.
	MaxPayload int
	// MaxPending is the byte budget of messages that wait for a polling peer;
	// default 1 MiB.
	MaxPending int
	// MaxPacketsPerPayload bounds the packets of one request body; default 10,000.
	MaxPacketsPerPayload int
	// NoPolling and NoWebSocket switch a transport off; NoUpgrade refuses to go
	// from polling to WebSocket.
	NoPolling, NoWebSocket, NoUpgrade bool
	// Origins are the origins that browsers may connect from (CORS): "*" for
	// any. Empty: no CORS headers, so only pages of the same origin.
	Origins []string
	// TrustedProxies are the networks of proxies that are believed when they say
	// by X-Forwarded-For and X-Forwarded-Proto who a request is from. UseForwarded
	// believes Forwarded (RFC 7239) in their place; never both are read.
	// TrustUnixPeers counts whoever connects over a unix socket as a proxy.
	TrustedProxies               []netip.Prefix
	UseForwarded, TrustUnixPeers bool
	// Logger receives log lines; default [slog.Default].
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Path == "" {
		o.Path = "/engine.io"
	}
	setDefault(&o.PingInterval, 25*time.Second)
	setDefault(&o.PingTimeout, 20*time.Second)
	setDefault(&o.UpgradeTimeout, 10*time.Second)
	setDefault(&o.CloseTimeout, 10*time.Second)
	setDefault(&o.MaxPayload, 1_000_000)
	setDefault(&o.MaxPending, 1<<20)
	setDefault(&o.MaxPacketsPerPayload, 10_000)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
