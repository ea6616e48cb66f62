package sio_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// Shutdown lets what was emitted reach the clients, tells the handlers why, and
// waits for them.
// Shows S8.9 and S13.4.
func TestShutdown(t *testing.T) {
	f := serve(t)
	entered, release := make(chan struct{}), make(chan struct{})
	var ended recorder
	f.on(t, "slow", func() { close(entered); <-release; ended.add("handler") })
	f.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ended.add(string(r)) })
	})
	c, s := f.connect(t)
	c.Send(`42["slow"]`)
	<-entered
	if err := s.Emit("last", strings.Repeat("x", 100_000)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Shutdown(t.Context()) }()
	packets, _ := c.WantClosed()
	if len(packets) != 1 || !strings.HasPrefix(packets[0], `42["last"`) {
		t.Errorf("before the close came %.40q", packets)
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait for the handler: %v", err)
	default:
	}
	if _, err := net.Dial("tcp", f.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("it still accepts: %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	ended.want(t, "handler", "server shutting down")
	if err := s.Emit("late"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("Emit after Shutdown: %v", err)
	}
	if err := f.Emit("late"); err != nil {
		t.Errorf("a broadcast to nobody: %v", err)
	}
}

func TestShutdownInBoundedTime(t *testing.T) {
	f := serve(t)
	release := make(chan struct{})
	entered := make(chan struct{})
	f.on(t, "forever", func() { close(entered); <-release })
	c, _ := f.connect(t)
	c.Send(`42["forever"]`)
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	c.WantClosed()
	close(release)
}

// TestClose shows S8.9.
func TestClose(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	var ended recorder
	s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ended.add(string(r)) })
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	c.WantClosed()
	ended.want(t, "server shutting down")
	if err := f.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Serve(ln); !errors.Is(err, sio.ErrServerClosed) {
		t.Errorf("Serve after Close: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve left the listener open: %v", err)
	}
}

// TestServeSeveralListeners shows what takes the place of S1.1.
func TestServeSeveralListeners(t *testing.T) {
	f := serve(t)
	f.on(t, "echo", echo)
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := f.Serve(ln); !errors.Is(err, sio.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	}()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", ln.Addr().String())
		},
		DisableKeepAlives: true,
	}}
	res, err := client.Get("http://unix/socket.io/?EIO=4&transport=polling")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("over the unix socket: %v, %v", res, err)
	}
	res.Body.Close()
	c, _ := f.connect(t)
	c.Send(`421["echo"]`)
	c.Want("431[]")
	if f.Addr().String() != f.addr {
		t.Errorf("address %v", f.Addr())
	}
}

func TestListenAndServeOnATakenPort(t *testing.T) {
	f := serve(t)
	other, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	if other.Addr() != nil {
		t.Errorf("address %v before Serve", other.Addr())
	}
	if err := other.ListenAndServe(f.addr); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// A socket of the polling transport gets what was queued, then the close.
func TestDisconnectReasons(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.PingInterval, o.PingTimeout = 20*time.Millisecond, 20*time.Millisecond })
	var ends recorder
	f.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { ends.add(string(r)) })
	})
	silent := f.dial(t)
	silent.Join("/", "")
	// It reads nothing more, and so answers no ping.
	ends.want(t, string(sio.ReasonPingTimeout))
	if packets, _ := silent.WantClosed(); slices.Contains(packets, "41") {
		t.Errorf("got %q", packets)
	}
}
