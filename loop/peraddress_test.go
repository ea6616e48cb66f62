package loop

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(proxyPatience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func servePlain(t *testing.T, o Options) *proxyServer {
	t.Helper()
	s := new(proxyServer)
	o.Loops = 1
	o.Logger = slog.New(slog.NewTextHandler(&s.log, nil))
	var err error
	if s.Reactor, err = New(o, whoHandler{}); err != nil {
		t.Fatal(err)
	}
	ln := listenLoopback(t)
	s.addr = ln.Addr()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
		if n := s.perAddress.counter.Addresses(); n != 0 {
			t.Errorf("%d addresses are still counted", n)
		}
	})
	return s
}

// served says whether a connection is served, or answered 503.
func served(t *testing.T, c net.Conn) bool {
	t.Helper()
	put(t, c, whoRequest)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
	return res.StatusCode == http.StatusOK
}

func TestMaxConnectionsPerAddress(t *testing.T) {
	s := servePlain(t, Options{MaxConnectionsPerAddress: 2})
	a, b := s.dial(t), s.dial(t)
	if !served(t, a) || !served(t, b) {
		t.Fatal("connections within the limit are refused")
	}
	for range 2 {
		if served(t, s.dial(t)) {
			t.Error("a connection over the limit is served")
		}
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	other, err := d.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if !served(t, other) {
		t.Error("another address is refused")
	}
	if n := s.Stats().Limited; n != 2 {
		t.Errorf("%d were refused, want 2", n)
	}
	a.Close()
	await(t, "room for one more", func() bool { return served(t, s.dial(t)) })
	if served(t, s.dial(t)) {
		t.Error("a connection that ended makes room for more than one")
	}
}

// The connections of a proxy are those of many clients.
func TestTrustedProxiesAreNotCounted(t *testing.T) {
	s := servePlain(t, Options{MaxConnectionsPerAddress: 1, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for range 3 {
		if !served(t, s.dial(t)) {
			t.Error("a proxy's connection is refused")
		}
	}
}

// Behind the PROXY protocol the clients are counted.
func TestMaxConnectionsPerAddressOfClients(t *testing.T) {
	s := serveProxied(t, Options{MaxConnectionsPerAddress: 1}, listenLoopback(t))
	a, b := s.dial(t), s.dial(t)
	put(t, a, binaryTCP4)
	if !served(t, a) {
		t.Fatal("the first connection is refused")
	}
	put(t, b, "PROXY TCP4 198.51.100.1 10.0.0.1 8 443\r\n"+whoRequest)
	got, err := io.ReadAll(b)
	if timeout := net.Error(nil); len(got) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the second one got %q, %v", got, err)
	}
	c := s.dial(t)
	put(t, c, "PROXY TCP4 198.51.100.2 10.0.0.1 8 443\r\n")
	if !served(t, c) {
		t.Error("another client is refused")
	}
	for range 3 {
		own := s.dial(t)
		put(t, own, byItself)
		if !served(t, own) {
			t.Error("the proxy itself is refused")
		}
	}
	if n := s.Stats().Limited; n != 1 {
		t.Errorf("%d were refused, want 1", n)
	}
	a.Close()
	await(t, "the end of a connection", func() bool { return s.perAddress.counter.Addresses() == 1 })
	again := s.dial(t)
	put(t, again, binaryTCP4)
	if !served(t, again) {
		t.Error("a connection that ended does not make room")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if n := s.perAddress.counter.Addresses(); n != 0 {
		t.Errorf("%d addresses are still counted", n)
	}
}
