package siotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Option changes how a client connects.
type Option func(o *options) error

type options struct {
	namespace string
	auth      json.RawMessage
	transport string
	path      string
	query     url.Values
	header    http.Header
	patience  time.Duration
}

func makeOptions(opts []Option) (*options, error) {
	o := &options{
		namespace: "/", transport: "websocket", path: "/socket.io", patience: patience,
		query: url.Values{"EIO": {"4"}}, header: make(http.Header),
	}
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Namespace is the namespace to connect to; default "/".
func Namespace(name string) Option {
	return func(o *options) error {
		o.namespace = "/" + strings.TrimPrefix(name, "/")
		return nil
	}
}

// Auth is what the client says of itself when it connects to the namespace: a map
// or a struct, or anything else that is an object in JSON, as all clients have it.
// Nil is nothing. What is no object fails the test; to see what the server makes of
// that, send it with [Conn.Join].
func Auth(v any) Option {
	return func(o *options) error {
		auth, err := json.Marshal(v)
		switch {
		case err != nil:
			return fmt.Errorf("Auth: %w", err)
		case string(auth) == "null":
			auth = nil
		case auth[0] != '{':
			return fmt.Errorf("Auth(%s): want an object in JSON, such as a map or a struct makes it", auth)
		}
		o.auth = auth
		return nil
	}
}

// Transport is "websocket", the default, "polling", or "upgrade": to begin with
// polling and go over to WebSocket.
func Transport(name string) Option {
	return func(o *options) error {
		switch name {
		case "websocket", "polling", "upgrade":
			o.transport = name
			return nil
		}
		return fmt.Errorf("Transport(%q): want websocket, polling or upgrade", name)
	}
}

// Query adds a parameter to the query of the client's requests.
func Query(name, value string) Option {
	return func(o *options) error {
		if name == "EIO" {
			o.query.Del(name)
		}
		o.query.Add(name, value)
		return nil
	}
}

// Header adds a header line to the client's requests.
func Header(name, value string) Option {
	return func(o *options) error {
		o.header.Add(name, value)
		return nil
	}
}

// Path is where the server answers; default "/socket.io".
func Path(path string) Option {
	return func(o *options) error {
		o.path = "/" + strings.Trim(path, "/")
		return nil
	}
}

// Patience is how long the client waits for anything, in real time, before it
// fails the test; default 10 s.
func Patience(d time.Duration) Option {
	return func(o *options) error {
		o.patience = d
		return nil
	}
}
