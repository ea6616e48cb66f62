package engine

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// behindProxy makes the test's client a trusted proxy.
func behindProxy(c *config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

func TestHandshakesPerSecond(t *testing.T) {
	f := serve(t, behindProxy, func(c *config) {
		c.HandshakesPerSecond = 0.001
		c.HandshakeBurst = 2
		c.CORS = &CORS{Origins: []string{"*"}}
	})
	from := func(address string) answer {
		return f.dial(t).do(http.MethodGet, pollingTarget, "", "X-Forwarded-For: "+address)
	}
	for _, tc := range []struct {
		address string
		status  int
	}{
		{"198.51.100.1", 200},
		{"198.51.100.1", 200},
		{"198.51.100.1", 429},
		{"198.51.100.2", 200}, // others are as free as before
		{"2001:db8::1", 200},
		{"2001:db8::2", 200},
		{"2001:db8::3", 429}, // a network of IPv6 is one address
		{"unknown", 200},     // that is the proxy, which may be anybody
		{"unknown", 200},
		{"unknown", 200},
	} {
		a := from(tc.address)
		if a.status != tc.status {
			t.Errorf("%s: got %v, want %d", tc.address, a, tc.status)
		}
		if a.status == 429 {
			if a.header.Get("Retry-After") != "1000" && a.header.Get("Retry-After") != "999" {
				t.Errorf("it is to try again after %q seconds", a.header.Get("Retry-After"))
			}
			if a.header.Get("Cache-Control") != "no-store" || a.body != "too many handshakes\n" {
				t.Errorf("got %v with %v", a, a.header)
			}
		}
	}
	if n := f.Stats().Limited; n != 2 {
		t.Errorf("%d handshakes were limited, want 2", n)
	}
}

// Only handshakes count, and a WebSocket's is one.
func TestHandshakesPerSecondOverWebSocket(t *testing.T) {
	f := serve(t, func(c *config) { c.HandshakesPerSecond, c.HandshakeBurst = 0.001, 2 })
	p := f.poll(t)
	for range 3 {
		p.wantEcho("hello")
	}
	f.connect(t).wantEcho("hello")
	c := f.dial(t)
	c.write("GET " + strings.Replace(pollingTarget, "polling", "websocket", 1) + " HTTP/1.1\r\nHost: a\r\n" +
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if a := c.receive(); a.status != 429 {
		t.Errorf("got %v", a)
	}
	c.wantEnd()
}

func TestMaxSessionsPerAddress(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxSessionsPerAddress = 2 })
	p, s := f.poll(t), f.connect(t)
	refused := func() bool {
		a := f.dial(t).do(http.MethodGet, pollingTarget, "")
		if a.status == 429 && (a.header.Get("Retry-After") != "5" || a.body != "too many sessions\n") {
			t.Errorf("got %v with %v", a, a.header)
		}
		return a.status == 429
	}
	if !refused() {
		t.Error("a third session was opened")
	}
	p.wantEcho("hello") // the others are none the worse
	f.record(t, s.ID()).Discard()
	eventually(t, "the end of a session", func() bool { return f.Sessions() == 1 })
	if refused() {
		t.Error("a session that ended does not make room")
	}
	if !refused() {
		t.Error("a session that ended makes room for more than one")
	}
	if n := f.Stats().Limited; n != 2 {
		t.Errorf("%d handshakes were limited, want 2", n)
	}
	f.CloseAll()
	eventually(t, "the end of all sessions", func() bool { return f.Sessions() == 0 })
	if n := f.held.Addresses(); n != 0 {
		t.Errorf("%d addresses are still counted", n)
	}
}

// Behind a proxy it is the clients that are counted.
func TestMaxSessionsPerAddressBehindProxy(t *testing.T) {
	f := serve(t, behindProxy, func(c *config) { c.MaxSessionsPerAddress = 1 })
	for _, tc := range []struct {
		address string
		status  int
	}{
		{"198.51.100.1", 200}, {"198.51.100.1", 429}, {"198.51.100.2", 200}, {"unknown", 200}, {"unknown", 200},
	} {
		if a := f.dial(t).do(http.MethodGet, pollingTarget, "", "X-Forwarded-For: "+tc.address); a.status != tc.status {
			t.Errorf("%s: got %v, want %d", tc.address, a, tc.status)
		}
	}
}

// The program is told of handshakes that are over a limit.
func TestLimitsAreTold(t *testing.T) {
	for _, tc := range []struct {
		name    string
		limit   func(c *config)
		message string
	}{
		{"TOO_MANY_HANDSHAKES", func(c *config) { c.HandshakesPerSecond, c.HandshakeBurst = 0.001, 1 }, "too many handshakes"},
		{"TOO_MANY_SESSIONS", func(c *config) { c.MaxSessionsPerAddress = 1 }, "too many sessions"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log errorLog
			f := serve(t, tc.limit, func(c *config) { c.Hooks.ConnectionError = log.add })
			f.poll(t)
			if all := log.take(); len(all) != 0 {
				t.Errorf("told of one within the limit: %v", all[0])
			}
			a := f.dial(t).do(http.MethodGet, pollingTarget, "", "X-Mark: a")
			all := log.take()
			if a.status != 429 || len(all) != 1 {
				t.Fatalf("answered %v, told %d times", a, len(all))
			}
			e := all[0]
			if e.Code != CodeForbidden || e.Message != tc.message || e.Context["name"] != tc.name || e.Context["client"] != "127.0.0.1" || e.Request.Header.Get("X-Mark") != "a" {
				t.Errorf("told of %d %v %v", e.Code, e, e.Context)
			}
		})
	}
}
