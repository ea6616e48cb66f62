package main

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

func TestMeasure(t *testing.T) {
	server, err := sio.New(&sio.Options{PingInterval: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() {
		if err := errors.Join(server.Close(), <-served); !errors.Is(err, sio.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	}()

	c := config{clients: 50, ping: 100 * time.Millisecond, window: 300 * time.Millisecond}
	r, err := measure(t.Context(), c, netip.MustParseAddrPort(ln.Addr().String()), os.Getpid(), func(what string) { t.Log(what) })
	if err != nil {
		t.Fatal(err)
	}
	if r.Clients != 50 || r.Threads < 1 || r.RSSBefore <= 0 || r.RSSAfter <= 0 || r.IdleHeartbeats < 1 {
		t.Errorf("report %+v", r)
	}
	var text bytes.Buffer
	if err := r.print(&text); err != nil || strings.Count(text.String(), "\n") != 7 {
		t.Errorf("%v\n%s", err, text.String())
	}
}
