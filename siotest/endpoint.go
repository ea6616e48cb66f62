package siotest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// endpoint is where clients connect to.
type endpoint struct {
	url    string
	dial   func(ctx context.Context) (net.Conn, error)
	memory *memory      // nil over a real network
	fence  func() error // waits for what is under way; nil over a real network
}

// at returns the endpoint of a URL.
func at(tb testing.TB, address string) *endpoint {
	tb.Helper()
	u, err := url.Parse(address)
	if err == nil && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		err = errors.New("want http:// or https:// and a host")
	}
	if err != nil {
		tb.Fatalf("siotest: address %q: %v", address, err)
	}
	host, port := u.Host, "80"
	if u.Scheme == "https" {
		port = "443"
	}
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), port)
	}
	return &endpoint{url: strings.TrimSuffix(address, "/"), dial: func(ctx context.Context) (net.Conn, error) {
		if u.Scheme == "https" {
			return (&tls.Dialer{}).DialContext(ctx, "tcp", host)
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", host)
	}}
}

// Dial is [Server.Connect] for a server that is known by its URL, such as
// "http://127.0.0.1:3000". A path in it goes before the Socket.IO path.
func Dial(tb testing.TB, address string, opts ...Option) *Client {
	tb.Helper()
	return at(tb, address).connect(tb, opts)
}

// TryDial is [Server.TryConnect] for a server that is known by its URL.
func TryDial(tb testing.TB, address string, opts ...Option) (*Client, error) {
	tb.Helper()
	return at(tb, address).tryConnect(tb, opts)
}

// Open is [Server.Open] for a server that is known by its URL.
func Open(tb testing.TB, address string, opts ...Option) *Conn {
	tb.Helper()
	return at(tb, address).open(tb, opts)
}

func (e *endpoint) connect(tb testing.TB, opts []Option) *Client {
	tb.Helper()
	c, err := e.tryConnect(tb, opts)
	if err != nil {
		tb.Fatalf("siotest: connecting: %v", err)
	}
	return c
}

func (e *endpoint) tryConnect(tb testing.TB, opts []Option) (*Client, error) {
	tb.Helper()
	o, err := makeOptions(opts)
	if err != nil {
		tb.Fatalf("siotest: %v", err)
	}
	l := newLink(tb, e, o)
	if err := l.open(); err != nil {
		return nil, err
	}
	return l.connect(tb, o)
}

func (e *endpoint) open(tb testing.TB, opts []Option) *Conn {
	tb.Helper()
	o, err := makeOptions(opts)
	if err == nil {
		var c *Conn
		if c, err = dialConn(tb, e, o); err == nil {
			tb.Cleanup(c.Close)
			return c
		}
	}
	tb.Fatalf("siotest: opening a connection: %v", err)
	return nil
}

// HandshakeError says that the server opened no connection.
type HandshakeError struct {
	Status int    // of the HTTP response
	Body   string // with code and message, as a rule
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("handshake refused with %d %s", e.Status, e.Body)
}

// ConnectError says that the server refused a client a namespace. To [errors.As] it
// is also the [*sio.ConnectError] that it was at the server, with Data as a
// [json.RawMessage].
type ConnectError struct {
	Message string
	Data    json.RawMessage // nil if there is none
}

func (e *ConnectError) Error() string {
	if e.Data != nil {
		return fmt.Sprintf("connection refused: %s %s", e.Message, e.Data)
	}
	return "connection refused: " + e.Message
}

// As makes a [*sio.ConnectError] of e, for [errors.As].
func (e *ConnectError) As(target any) bool {
	at, ok := target.(**sio.ConnectError)
	if !ok {
		return false
	}
	refused := &sio.ConnectError{Message: e.Message}
	if e.Data != nil { // an any that holds a nil is not nil
		refused.Data = e.Data
	}
	*at = refused
	return true
}
