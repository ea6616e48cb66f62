package engine

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Options configure a [Server]. A zero field means its default.
type Options struct {
	// Path is where the server answers; default "/engine.io". With and without
	// a trailing slash is the same.
	Path string
	// PingInterval (default 25 s) is the time from one heartbeat to the next
	// ping, PingTimeout (20 s) how long the peer may take to answer. In protocol
	// 3, where the peer pings, it has the sum of both from one ping to the next.
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
	// default 1 MiB. Messages sent together may pass it if no other waits.
	MaxPending int
	// MaxPacketsPerPayload bounds the packets of one request body; default 10,000.
	MaxPacketsPerPayload int
	// NoPolling and NoWebSocket switch a transport off; NoUpgrade refuses to go
	// from polling to WebSocket.
	NoPolling, NoWebSocket, NoUpgrade bool
	// AllowEIO3 also takes clients of protocol 3 (Socket.IO 1 and 2), which are
	// refused otherwise.
	AllowEIO3 bool

	// CORS says which pages of other origins may connect; nil: none.
	CORS *CORS
	// Cookie is set on the answer to a handshake over polling, with the
	// session's id as its value; see [DefaultCookie]. Nil sets none.
	Cookie *http.Cookie
	// CompressionThreshold is the size in bytes from which on the answer to a
	// poll is compressed, if the peer takes that; default 1024, negative: never.
	CompressionThreshold int
	// InitialPacket is a message that each session begins with, right behind the
	// open packet; nil: none. InitialBinary says that it is binary.
	InitialPacket []byte
	InitialBinary bool

	// Middleware wraps every request under Path before it is looked at, the
	// first outermost. One that calls the next handler lets the request pass, and
	// headers that it has set until then are added to the answer; one that does
	// not has answered the request itself. What it does after the next handler
	// has returned comes too late to change the answer. Each request costs a
	// goroutine then, on which it may block.
	Middleware []func(http.Handler) http.Handler
	// AllowRequest is asked once for each handshake, on a goroutine of its own.
	// An error refuses it: a [*RequestError] with its code, any other as
	// [CodeForbidden] with the error's text, which the peer gets to see. ctx ends
	// with the connection and after HookTimeout.
	AllowRequest func(ctx context.Context, r *http.Request) error
	// GenerateID makes the ids of sessions, on a goroutine of its own; nil: 120
	// random bits. Ids must be hard to guess: who knows one can act as the peer.
	// It must consist of letters, digits, "-" and "_". One that is in use is
	// refused, as an error is.
	GenerateID func(r *http.Request) (string, error)
	// HookTimeout bounds what Middleware, AllowRequest and GenerateID may take
	// together for one request; default 10 s. Past it, the request is refused.
	HookTimeout time.Duration
	// Hooks are told what happens; nil ones cost nothing.
	Hooks Hooks

	// MaxSessionsPerAddress is how many sessions one client's address may have, a
	// /64 network of IPv6 being one address, and HandshakesPerSecond how many it may
	// ask for, HandshakeBurst of them at once (default: a second's worth, at least 1).
	// Further handshakes are answered 429. 0 is no limit. Trusted proxies whose
	// clients are not known, and peers on unix sockets, are not counted.
	MaxSessionsPerAddress int
	HandshakesPerSecond   float64
	HandshakeBurst        int

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
	setDefault(&o.HookTimeout, 10*time.Second)
	setDefault(&o.MaxPayload, 1_000_000)
	setDefault(&o.MaxPending, 1<<20)
	setDefault(&o.MaxPacketsPerPayload, 10_000)
	setDefault(&o.HandshakeBurst, int(min(o.HandshakesPerSecond, 1_000_000)))
	if o.CompressionThreshold == 0 {
		o.CompressionThreshold = 1024
	}
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

// DefaultCookie is the cookie of the reference server, for [Options.Cookie]. It
// helps a proxy to send all requests of a session to one server.
func DefaultCookie() *http.Cookie {
	return &http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
