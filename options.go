package sio

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/loop"
)

// CORS says which pages of other origins may connect.
type CORS = engine.CORS

// RequestError refuses a request with a code of the protocol.
type RequestError = engine.RequestError

// DefaultCookie is the cookie of the reference server, for [Options.Cookie].
func DefaultCookie() *http.Cookie { return engine.DefaultCookie() }

// HTTPOptions are settings for [Options].Handler.
type HTTPOptions = loop.HTTPOptions

// Options configure a [Server]. A zero field means its default.
type Options struct {
	// Path is where the server answers, with or without slashes at its ends;
	// default "/socket.io".
	Path string
	// PingInterval (default 25 s) is the time between heartbeats, PingTimeout
	// (20 s) how long a client may take to answer one.
	PingInterval, PingTimeout time.Duration
	// UpgradeTimeout (10 s) bounds the upgrade from polling to WebSocket.
	UpgradeTimeout time.Duration
	// ConnectTimeout (45 s) bounds how long a client may be connected without
	// joining a namespace.
	ConnectTimeout time.Duration
	// MaxPayload is the largest message taken from a client, in bytes; default
	// 1,000,000, at most 1 GiB. It does not limit what is sent.
	MaxPayload int
	// MaxPending is how many bytes may wait for one client to read them, default
	// 1 MiB; over it the client is disconnected with [ReasonTransportError]. One
	// event, with all of its attachments, may be larger if nothing waits before it.
	MaxPending int
	// MaxBacklog is how many bytes of events may wait for one socket's handlers,
	// default 1 MiB beyond MaxPayload; over it the client is disconnected with
	// [ErrBacklog].
	MaxBacklog int
	// MaxAttachments is how many binary attachments a packet may have; default 10.
	MaxAttachments int
	// AckTimeout bounds the wait for the acknowledgements of many clients, and for
	// answers of other servers, where neither [Broadcast.Timeout] nor a context's
	// deadline does; default 10 s.
	AckTimeout time.Duration
	// AttachmentTimeout (30 s) bounds how long a client may take for the next
	// attachment of a packet that it has begun.
	AttachmentTimeout time.Duration
	// MaxDepth is how deeply JSON may be nested; default 128.
	MaxDepth int
	// MaxConnections is how many connections are served at once; further ones
	// get 503. Default: the descriptor limit less a reserve.
	MaxConnections int
	// MaxConnectionsPerAddress is how many connections one address may have, and how
	// many clients may be connected from it; a /64 network of IPv6 is one address.
	// Further ones get 503 or 429, or are closed. HandshakesPerSecond is how often
	// clients may connect from one address, HandshakeBurst (default: a second's worth)
	// of them at once; more get 429, and try again later. 0, the default, is no limit:
	// how many people share an address is for the program to judge. A client over
	// polling takes up to three connections.
	//
	// Behind proxies it is the clients' addresses that count, not the proxies'; see
	// TrustedProxies and [ProxyProtocol]. Unix sockets are not counted.
	MaxConnectionsPerAddress int
	HandshakesPerSecond      float64
	HandshakeBurst           int
	// MaxNamespaces is how many namespaces one client may be in; default 64.
	MaxNamespaces int
	// Loops is the number of event loops; default GOMAXPROCS.
	Loops int

	// NoPolling and NoWebSocket switch a transport off; NoUpgrade keeps clients
	// on the transport that they began with.
	NoPolling, NoWebSocket, NoUpgrade bool

	// AllowEIO3 also takes clients of Socket.IO 1 and 2 (Engine.IO 3), which are
	// refused otherwise.
	AllowEIO3 bool

	// CORS says which pages of other origins may connect; nil: none. It is the
	// browser that enforces this, so it is no access control.
	CORS *CORS
	// Cookie is set on the answer to a handshake over polling, with the
	// connection's id as its value, for proxies that send all requests of a client
	// to one server; see [DefaultCookie]. Nil sets none.
	Cookie *http.Cookie
	// CompressionThreshold is the size in bytes from which on the answer to a
	// poll is compressed, if the client takes that; default 1024, negative: never.
	CompressionThreshold int

	// Middleware wraps every request under Path before it is looked at, the first
	// outermost, as it would wrap any http.Handler. One that does not call the
	// next handler has answered the request itself; headers that one sets before
	// it calls the next are added to the answer. Each request costs a goroutine
	// then. For the middlewares of a namespace, see [Namespace.Use].
	Middleware []func(http.Handler) http.Handler
	// AllowRequest is asked once for each connection, and may block. An error
	// refuses it with 403 and the error's text, or as a [*RequestError] says. ctx
	// ends with the connection and after HookTimeout.
	AllowRequest func(ctx context.Context, r *http.Request) error
	// GenerateID makes the ids of connections, and may block; nil: 120 random
	// bits. They are not those of sockets. They must be hard to guess, and
	// consist of letters, digits, "-" and "_".
	GenerateID func(r *http.Request) (string, error)
	// HookTimeout bounds what Middleware, AllowRequest and GenerateID may take for
	// one request, and what a function of [Server.OfFunc] may; default 10 s.
	HookTimeout time.Duration
	// Hooks are told of refused requests, may change response headers, and follow
	// the Engine.IO sessions below the sockets. They must not block.
	Hooks engine.Hooks
	// PerMessageDeflate switches the compression of WebSocket messages on, for
	// clients that offer it; nil is off. [Broadcast.Compress] exempts messages.
	// A client that sends little can make the server decompress much, MaxPayload
	// bytes per message at most.
	PerMessageDeflate *Deflate

	// TrustedProxies are the networks of the proxies in front of the server. When
	// one of them says in X-Forwarded-For and X-Forwarded-Proto who a request is
	// from, it is believed, and [Handshake] has that address. Everybody else's
	// headers are ignored. Empty: nobody's count.
	TrustedProxies []netip.Prefix
	// TrustUnixPeers counts whoever connects over a unix socket as such a proxy.
	TrustUnixPeers bool
	// UseForwarded reads Forwarded (RFC 7239) in place of X-Forwarded-For and
	// X-Forwarded-Proto. It is one or the other: a proxy sets one kind, and commonly
	// hands on the other as the client sent it.
	UseForwarded bool

	// JSON takes the place of the JSON library built in, for all arguments both ways and
	// for the data of a [ConnectError]; nil: it does not.
	JSON *JSON
	// Parser gives packets another form than JSON with attachments, such as MessagePack;
	// nil: it does not. All clients of the server must use the same.
	Parser Parser

	// ConnectionStateRecovery lets clients that were lost for a short time go on where
	// they were; nil does not.
	ConnectionStateRecovery *Recovery
	// Adapter connects the server with others, so that broadcasts and all else that is
	// not about this server alone reach the sockets of all; nil: it is alone.
	Adapter broadcast.Connect
	// CleanupEmptyChildNamespaces removes a namespace that was made by
	// [Server.OfPattern] or [Server.OfFunc] when its last socket has gone. It is made
	// anew when a client asks for it.
	CleanupEmptyChildNamespaces bool

	// ClientFiles holds socket.io.js, socket.io.min.js, socket.io.esm.min.js,
	// socket.io.msgpack.min.js and their .map files, to be served under Path;
	// nil serves none. ClientVersion is their version, used as ETag; if empty, a
	// hash of each file is.
	ClientFiles   fs.FS
	ClientVersion string

	// Handler answers all requests that are not for Path; nil answers them 404. It is
	// any http.Handler, the router of a web framework for example, and net/http serves
	// it: bodies and responses are streamed, whatever their size, and it may hijack
	// connections. The request's context ends with the connection. A request may be
	// bounded by [http.MaxBytesHandler] and [http.TimeoutHandler]. HTTP has the
	// settings. It never sees requests under Path, nor do middlewares in it: for those
	// there is Middleware. It is not called before Serve, so routes that use the
	// Server can be added to it after New.
	Handler http.Handler
	HTTP    HTTPOptions
	// MaxHeaderBytes bounds the headers of each request; default 16 KiB.
	MaxHeaderBytes int

	// Logger receives log lines; default [slog.Default].
	Logger *slog.Logger
	// OnError is told of what goes wrong with a client or a handler: an
	// [*ArgumentError], a [*PanicError], an [ErrPacket], a handler's own error and so
	// on. s is nil where there is no socket. It may be called on an event loop, so it
	// must not block. Nil: a log line that says what came of it, a panic's with its
	// stack; what clients can cause at will is logged once a second at most, but for
	// debugging.
	OnError func(s *Socket, err error)
}

// Deflate configures the compression of WebSocket messages (permessage-deflate,
// RFC 7692). Its zero value is a good choice; see the fields.
type Deflate = loop.Deflate

// check refuses options that make no sense.
func (o *Options) check() error {
	bad := func(why string) error { return errors.New("sio: Options: " + why) }
	switch {
	case o.NoPolling && o.NoWebSocket:
		return bad("NoPolling and NoWebSocket leave no transport")
	case strings.ContainsAny(o.Path, "?#% \t\r\n"):
		return bad("Path is no plain path: " + strconv.Quote(o.Path))
	case o.MaxPayload > maxPayload:
		return bad("MaxPayload is above 1 GiB")
	case o.ClientFiles == nil && o.ClientVersion != "":
		return bad("ClientVersion without ClientFiles")
	}
	for name, n := range map[string]int64{
		"PingInterval": int64(o.PingInterval), "PingTimeout": int64(o.PingTimeout), "UpgradeTimeout": int64(o.UpgradeTimeout),
		"ConnectTimeout": int64(o.ConnectTimeout), "AttachmentTimeout": int64(o.AttachmentTimeout), "AckTimeout": int64(o.AckTimeout),
		"HookTimeout": int64(o.HookTimeout), "MaxPayload": int64(o.MaxPayload), "MaxPending": int64(o.MaxPending),
		"MaxBacklog": int64(o.MaxBacklog), "MaxAttachments": int64(o.MaxAttachments), "MaxDepth": int64(o.MaxDepth),
		"MaxConnections": int64(o.MaxConnections), "MaxConnectionsPerAddress": int64(o.MaxConnectionsPerAddress),
		"MaxNamespaces": int64(o.MaxNamespaces), "MaxHeaderBytes": int64(o.MaxHeaderBytes), "Loops": int64(o.Loops),
	} {
		if n < 0 {
			return bad(name + " is negative")
		}
	}
	return nil
}

// maxPayload bounds sizes, so that sums of them stay numbers.
const maxPayload = 1 << 30

func (o Options) withDefaults() Options {
	if o.Path = "/" + strings.Trim(o.Path, "/"); o.Path == "/" {
		o.Path = "/socket.io"
	}
	if o.ConnectionStateRecovery != nil {
		r := o.ConnectionStateRecovery.withDefaults()
		o.ConnectionStateRecovery = &r
	}
	if o.HookTimeout <= 0 {
		o.HookTimeout = 10 * time.Second
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 45 * time.Second
	}
	if o.AckTimeout <= 0 {
		o.AckTimeout = 10 * time.Second
	}
	if o.AttachmentTimeout <= 0 {
		o.AttachmentTimeout = 30 * time.Second
	}
	if o.MaxPayload <= 0 {
		o.MaxPayload = 1_000_000
	}
	if o.MaxBacklog <= 0 {
		o.MaxBacklog = o.MaxPayload + 1<<20
	}
	if o.MaxNamespaces <= 0 {
		o.MaxNamespaces = 64
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
