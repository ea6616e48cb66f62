package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What all suites ask for.
const (
	pingInterval   = 300 * time.Millisecond
	pingTimeout    = 200 * time.Millisecond
	maxPayload     = 1_000_000
	connectTimeout = time.Second // of the Socket.IO suite
)

// shutdownTimeout bounds the end of a server.
const shutdownTimeout = 10 * time.Second

// backend is a server of one kind. Serve returns nil after shutdown. As a Handler, it
// is the guest of a net/http server.
type backend interface {
	http.Handler
	serve(ln net.Listener) error
	shutdown(ctx context.Context) error
}

// backends makes the server of each suite, with a number of loops. A missing or
// odd protocol number in a request means protocol 3, so the servers of v3 and v4
// can't be the same one.
var backends = map[string]func(loops int) (backend, error){
	"v3": newEngineV3,
	"v4": newEngineV4,
	"v5": newSocketIO,
}

func suiteNames() []string { return slices.Sorted(maps.Keys(backends)) }

// server is a backend that serves.
type server struct {
	backend
	addr   string
	served chan error
}

// start serves what a suite expects on an address, perhaps as the guest of a net/http
// server. The caller must stop it.
func start(ctx context.Context, suite, addr string, loops int, guest bool) (*server, error) {
	newBackend := backends[suite]
	if newBackend == nil {
		return nil, fmt.Errorf("no such suite: %q (there are %s)", suite, strings.Join(suiteNames(), ", "))
	}
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	b, err := newBackend(loops)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s := &server{backend: b, addr: ln.Addr().String(), served: make(chan error, 1)}
	if guest {
		s.backend = &host{b, http.Server{Handler: b, ReadHeaderTimeout: shutdownTimeout}}
	}
	go func() { s.served <- s.serve(ln) }()
	return s, nil
}

// host is a net/http server with its guest.
type host struct {
	backend
	http http.Server
}

func (h *host) serve(ln net.Listener) error {
	if err := h.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown ends the guest first, which lets requests that wait come to their end.
func (h *host) shutdown(ctx context.Context) error {
	return errors.Join(h.backend.shutdown(ctx), h.http.Shutdown(ctx))
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout) // the caller's context has ended, perhaps
	defer cancel()
	return errors.Join(s.shutdown(ctx), <-s.served)
}
