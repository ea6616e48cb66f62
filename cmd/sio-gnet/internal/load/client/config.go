package client

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/sio-gnet/sio-gnet/codec/msgpack"
	"github.com/sio-gnet/sio-gnet/codec/socketio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// Transport is how a client connects.
type Transport uint8

// The transports.
const (
	WebSocket Transport = iota
	Polling
	Upgrade // polling first, then a WebSocket
)

// Deflate is whether permessage-deflate is offered.
type Deflate uint8

// What is offered. Clients only inflate; they send no compressed messages.
const (
	NoDeflate       Deflate = iota
	Deflated                // each message on its own
	DeflateTakeover         // the server may keep its window: up to 32 KiB of memory per client
)

// Config is what the clients of a run have in common.
type Config struct {
	Host   string // as in the Host header
	Path   string // of Engine.IO, such as /socket.io/
	Query  string // further parameters, such as a=b&c=d
	Header string // further header lines, each ended by CRLF

	Transport   Transport
	EIO         int    // 4 or 3
	Namespace   string // "/" or another
	Auth        []byte // JSON of the CONNECT packet, nil for none
	MessagePack bool
	Deflate     Deflate

	// MaxMessage is the largest message and response taken, in bytes.
	MaxMessage int
}

// target returns the request target for a transport.
func (c *Config) target(transport, sid string) string {
	var b strings.Builder
	b.WriteString(c.Path + "?EIO=" + strconv.Itoa(c.EIO) + "&transport=" + transport)
	if sid != "" {
		b.WriteString("&sid=" + url.QueryEscape(sid))
	}
	if c.Query != "" {
		b.WriteString("&" + c.Query)
	}
	return b.String()
}

// Shared is what the clients of one event loop share.
type Shared struct {
	// Now is the time in nanoseconds since some start. The owner sets it before it calls
	// any client.
	Now int64

	cfg      *Config
	parser   socketio.Parser // nil for JSON
	buf, out []byte          // scratch
	args     [][]byte
	received Received
	inflater inflater
	random   uint64
}

// NewShared returns what the clients of a loop share. seed makes the masks and keys of
// its frames; no two loops should have the same.
func NewShared(cfg *Config, seed uint64) *Shared {
	s := &Shared{cfg: cfg, random: seed | 1}
	if cfg.MessagePack {
		s.parser = msgpack.Parser{}
	}
	return s
}

// next returns the next random number (xorshift64*, Marsaglia 2003).
func (s *Shared) next() uint64 {
	x := s.random
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	s.random = x
	return x * 0x2545f4914f6cdd1d
}

func (c *Client) get() []byte {
	s := c.s
	s.buf = wire.AppendGet(s.buf[:0], s.cfg.Host, s.cfg.target("polling", c.sid), c.header())
	return s.buf
}

func (c *Client) post(body []byte) []byte {
	s := c.s
	s.buf = wire.AppendPost(s.buf[:0], s.cfg.Host, s.cfg.target("polling", c.sid), c.header(), body)
	return s.buf
}

// header returns the further header lines of a request: those of all clients, and the
// cookies that the handshake set, by which proxies keep a client with its server.
func (c *Client) header() string {
	if c.cookies == "" {
		return c.s.cfg.Header
	}
	return c.s.cfg.Header + "Cookie: " + c.cookies + "\r\n"
}

// socketKey is the same for all: a load generator has no cache to fool (RFC 6455,
// section 10.3), and each answer is checked against it nevertheless.
var (
	socketKey    = wire.Key(0x5349_4f4c_4f41_4421)
	socketAccept = wire.Accept(socketKey)
)

func (c *Client) upgradeRequest() []byte {
	s := c.s
	extensions := ""
	switch s.cfg.Deflate {
	case Deflated:
		extensions = wire.OfferDeflate
	case DeflateTakeover:
		extensions = wire.OfferTakeover
	}
	s.buf = wire.AppendUpgrade(s.buf[:0], s.cfg.Host, s.cfg.target("websocket", c.sid), c.header(), socketKey, extensions)
	return s.buf
}
