package clientaddr

import (
	"net/http"
	"net/netip"
	"testing"
)

// Whatever a client sends, it can't pass for another: proxies add their entry
// behind it, in the same line or in one of their own.
func FuzzForgery(f *testing.F) {
	for _, s := range []string{
		"", "1.1.1.1", "10.0.0.2", "for=1.1.1.1", `for="1.1.1.1`, `for=1.1.1.1;x="`, `a="\`, ",,,", "[::1]:_x", "for=10.0.0.2, for=_a",
	} {
		f.Add(s, s)
	}
	peer := Peer{Addr: netip.MustParseAddrPort(proxy)}
	client := Peer{Addr: netip.MustParseAddrPort("[2001:db8::7]:8"), Secure: true}
	x, forwarded := New(Options{Trusted: networks}), New(Options{Trusted: networks, Forwarded: true})
	f.Fuzz(func(t *testing.T, forged, protocol string) {
		const entry, element = "[2001:db8::7]:8", `for="[2001:db8::7]:8";proto=https`
		for _, h := range []http.Header{
			{"X-Forwarded-For": {forged, entry}, "X-Forwarded-Proto": {"https"}},
			{"X-Forwarded-For": {forged + "," + entry}, "X-Forwarded-Proto": {"https"}},
			{"X-Forwarded-For": {entry}, "X-Forwarded-Proto": {protocol, "https"}},
		} {
			if got := x.Resolve(peer, h); got != client {
				t.Errorf("%q: got %v", h, got)
			}
		}
		own := http.Header{"Forwarded": {forged, element}}
		if got := forwarded.Resolve(peer, own); got != client {
			t.Errorf("%q: got %v", own, got)
		}
		shared := http.Header{"Forwarded": {forged + ", " + element}}
		if got := forwarded.Resolve(peer, shared); got != client {
			t.Errorf("%q: got %v", shared, got)
		}
		// A peer that is not trusted is the client, whatever it sends.
		if got := x.Resolve(client, http.Header{"X-Forwarded-For": {forged}, "X-Forwarded-Proto": {protocol}}); got != client {
			t.Errorf("%q from the client: got %v", forged, got)
		}
	})
}
