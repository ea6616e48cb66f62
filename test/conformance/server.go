package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
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

// backend is a server of one kind. Serve returns nil after shutdown.
type backend interface {
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

// start serves what a suite expects on an address. The caller must stop it.
func start(ctx context.Context, suite, addr string, loops int) (*server, error) {
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
	go func() { s.served <- b.serve(ln) }()
	return s, nil
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout) // the caller's context has ended, perhaps
	defer cancel()
	return errors.Join(s.shutdown(ctx), <-s.served)
}
