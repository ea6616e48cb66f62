package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// networks is the trust of most tests.
var networks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.1/32"),
	netip.MustParsePrefix("::ffff:192.168.0.0/112"),
	netip.MustParsePrefix("2001:db8:1::/48"),
	{}, // not valid, so it is nobody's
}

// headers are header lines, "Name: value".
func headers(lines ...string) http.Header {
	h := make(http.Header)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

// show writes a peer as these tests want it: address, and "secure" if it is.
func show(p Peer) string {
	s := "none"
	if p.Addr.IsValid() {
		s = p.Addr.String()
	}
	if p.Secure {
		s += " secure"
	}
	return s
}

type resolveCase struct {
	name    string
	peer    string // "" is a unix socket
	headers []string
	want    string
}

func (tt resolveCase) check(t *testing.T, r Resolver) {
	t.Helper()
	var peer Peer
	from, secure := strings.CutSuffix(tt.peer, " secure")
	if from != "" {
		peer.Addr = netip.MustParseAddrPort(from)
	}
	peer.Secure = secure
	if got := show(r.Resolve(peer, headers(tt.headers...))); got != tt.want {
		t.Errorf("got %s, want %s", got, tt.want)
	}
}

const proxy = "10.0.0.1:999"

func TestXForwarded(t *testing.T) {
	r := New(Options{Trusted: networks})
	for _, tt := range []resolveCase{
		{"no headers", proxy, nil, proxy},
		{"no headers, secure", proxy + " secure", nil, proxy + " secure"},
		{"untrusted peer", "203.0.113.1:5", []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"}, "203.0.113.1:5"},
		{"untrusted peer, secure", "203.0.113.1:5 secure", []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http"}, "203.0.113.1:5 secure"},
		{"one address", proxy, []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"with its port", proxy, []string{"X-Forwarded-For: 198.51.100.1:7"}, "198.51.100.1:7"},
		{"IPv6", proxy, []string{"X-Forwarded-For: 2001:db8::7"}, "[2001:db8::7]:0"},
		{"IPv6 in brackets", proxy, []string{"X-Forwarded-For: [2001:db8::7]"}, "[2001:db8::7]:0"},
		{"IPv6 with port", proxy, []string{"X-Forwarded-For: [2001:db8::7]:8"}, "[2001:db8::7]:8"},
		{"IPv4 in IPv6", proxy, []string{"X-Forwarded-For: ::ffff:198.51.100.1"}, "198.51.100.1:0"},
		{"peer as IPv4 in IPv6", "[::ffff:10.0.0.1]:9", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"network as IPv4 in IPv6", "192.168.0.3:9", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"peer with IPv6", "[2001:db8:1::1]:9", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"peer with a zone", "[2001:db8:1::1%eth0]:9", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"made up by the client", proxy, []string{"X-Forwarded-For: 1.1.1.1, 198.51.100.1"}, "198.51.100.1:0"},
		{"made up as if by a proxy", proxy, []string{"X-Forwarded-For: 1.1.1.1, 10.0.0.3, 198.51.100.1"}, "198.51.100.1:0"},
		{"two proxies", proxy, []string{"X-Forwarded-For: 1.1.1.1, 198.51.100.1 ,10.0.0.2"}, "198.51.100.1:0"},
		{"several lines", proxy, []string{"X-Forwarded-For: 1.1.1.1, 198.51.100.1", "X-Forwarded-For: 10.0.0.3", "X-Forwarded-For:\t10.0.0.2"}, "198.51.100.1:0"},
		{"all are proxies", proxy, []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2:4"}, "10.0.0.3:0"},
		{"garbage stops at the proxy", proxy, []string{"X-Forwarded-For: 198.51.100.1, garbage"}, proxy},
		{"garbage stops at the last proxy", proxy, []string{"X-Forwarded-For: 198.51.100.1, garbage, 10.0.0.2"}, "10.0.0.2:0"},
		{"unknown", proxy, []string{"X-Forwarded-For: unknown"}, proxy},
		{"empty", proxy, []string{"X-Forwarded-For: "}, proxy},
		{"empty entry", proxy, []string{"X-Forwarded-For: 198.51.100.1,"}, proxy},
		{"zone", proxy, []string{"X-Forwarded-For: fe80::1%eth0"}, proxy},
		{"port too large", proxy, []string{"X-Forwarded-For: 198.51.100.1:65536"}, proxy},
		{"port with sign", proxy, []string{"X-Forwarded-For: 198.51.100.1:+1"}, proxy},
		{"port missing", proxy, []string{"X-Forwarded-For: 198.51.100.1:"}, proxy},
		{"text after brackets", proxy, []string{"X-Forwarded-For: [2001:db8::7]8"}, proxy},
		{"bracket open", proxy, []string{"X-Forwarded-For: [2001:db8::7"}, proxy},
		{"IPv4 in brackets", proxy, []string{"X-Forwarded-For: [198.51.100.1]"}, proxy},
		{"other header", proxy, []string{"Forwarded: for=198.51.100.1;proto=https"}, proxy},

		{"protocol", proxy, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"}, "198.51.100.1:0 secure"},
		{"protocol of a WebSocket", proxy, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: WSS"}, "198.51.100.1:0 secure"},
		{"protocol http", proxy + " secure", []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: http"}, "198.51.100.1:0"},
		{"protocol unknown", proxy + " secure", []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: gopher"}, "198.51.100.1:0"},
		{"protocol not said", proxy + " secure", []string{"X-Forwarded-For: 198.51.100.1"}, "198.51.100.1:0"},
		{"protocol alone", proxy, []string{"X-Forwarded-Proto: https"}, proxy + " secure"},
		{"protocol of an unknown client", proxy, []string{"X-Forwarded-For: unknown", "X-Forwarded-Proto: https"}, proxy + " secure"},
		{"protocol handed on", proxy, []string{"X-Forwarded-For: 198.51.100.1, 10.0.0.2", "X-Forwarded-Proto: https"}, "198.51.100.1:0 secure"},
		{"protocol of each hop", proxy, []string{"X-Forwarded-For: 198.51.100.1, 10.0.0.2", "X-Forwarded-Proto: https, http"}, "198.51.100.1:0 secure"},
		{"protocol made up", proxy, []string{"X-Forwarded-For: 1.1.1.1, 198.51.100.1", "X-Forwarded-Proto: https, http"}, "198.51.100.1:0"},
		{"protocols of no hop", proxy, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https, http"}, "198.51.100.1:0"},

		{"unix socket", "", []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"}, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, r) })
	}
}

func TestForwarded(t *testing.T) {
	r := New(Options{Trusted: networks, Forwarded: true})
	for _, tt := range []resolveCase{
		{"no headers", proxy + " secure", nil, proxy + " secure"},
		{"untrusted peer", "203.0.113.1:5", []string{"Forwarded: for=198.51.100.1;proto=https"}, "203.0.113.1:5"},
		{"one element", proxy, []string{"Forwarded: for=198.51.100.1"}, "198.51.100.1:0"},
		{"secure", proxy, []string{"Forwarded: for=198.51.100.1;proto=https"}, "198.51.100.1:0 secure"},
		{"secure, before the address", proxy, []string{"Forwarded: proto=https;For=198.51.100.1"}, "198.51.100.1:0 secure"},
		{"all parameters", proxy, []string{`Forwarded: for="198.51.100.1:7" ; PROTO="https" ;by=_x;host="a.example:1"`}, "198.51.100.1:7 secure"},
		{"unquoted port", proxy, []string{"Forwarded: for=198.51.100.1:7"}, "198.51.100.1:7"},
		{"IPv6", proxy, []string{`Forwarded: for="[2001:db8::7]:8"`}, "[2001:db8::7]:8"},
		{"IPv6, escaped for no reason", proxy, []string{`Forwarded: for="\[2001:db8::\7]:8"`}, "[2001:db8::7]:8"},
		{"IPv6 without brackets", proxy, []string{`Forwarded: for="2001:db8::7"`}, proxy},
		{"hidden port", proxy, []string{`Forwarded: for="[2001:db8::7]:_a.b-c_9"`}, "[2001:db8::7]:0"},
		{"hidden port with nothing hidden", proxy, []string{`Forwarded: for="[2001:db8::7]:_"`}, proxy},
		{"hidden port with other characters", proxy, []string{`Forwarded: for="[2001:db8::7]:_a/"`}, proxy},
		{"hidden client", proxy, []string{`Forwarded: for=198.51.100.2, for=_gazonk;proto=https`}, proxy + " secure"},
		{"unknown client", proxy, []string{`Forwarded: for=198.51.100.2, for=unknown`}, proxy},
		{"unknown client before a proxy", proxy, []string{`Forwarded: for="unknown";proto=https, for=10.0.0.2;proto=http`}, "10.0.0.2:0 secure"},
		{"client not said", proxy, []string{`Forwarded: for=198.51.100.2, proto=https`}, proxy + " secure"},
		{"made up", proxy, []string{`Forwarded: for=1.1.1.1;proto=https, for=198.51.100.1`}, "198.51.100.1:0"},
		{"two proxies", proxy, []string{`Forwarded: for=198.51.100.1;proto=https , for=10.0.0.2;proto=http`}, "198.51.100.1:0 secure"},
		{"several lines", proxy, []string{`Forwarded: for=1.1.1.1, for=198.51.100.1`, `Forwarded: for=10.0.0.3`, `Forwarded: for=10.0.0.2`}, "198.51.100.1:0"},
		{"empty elements", proxy, []string{`Forwarded: ,, for=198.51.100.1;; ,`}, "198.51.100.1:0"},
		{"empty line", proxy, []string{`Forwarded: for=198.51.100.1`, `Forwarded: `}, "198.51.100.1:0"},
		{"comma in quotes", proxy, []string{`Forwarded: for=198.51.100.1;host="a, for=1.1.1.1"`}, "198.51.100.1:0"},
		{"quote left open by the client", proxy, []string{`Forwarded: for="1.1.1.1, for=198.51.100.1`}, "198.51.100.1:0"},
		{"quote left open, then a quoted one", proxy, []string{`Forwarded: for=1.1.1.1;x=", for="[2001:db8::7]"`}, "[2001:db8::7]:0"},
		{"quote left open, then two quoted ones", proxy, []string{`Forwarded: for=1.1.1.1;x=", for="198.51.100.1";host="a"`}, "198.51.100.1:0"},
		{"garbage of the client", proxy, []string{`Forwarded: ;=",\, for=198.51.100.1`}, "198.51.100.1:0"},
		{"garbage before a proxy", proxy, []string{`Forwarded: garbage, for=10.0.0.2`}, "10.0.0.2:0"},
		{"escaped quotes", proxy, []string{`Forwarded: for=198.51.100.1;host="a\\\", for=1.1.1.1;x=\"";by=_x`}, "198.51.100.1:0"},
		{"escaped quote in place of an open one", proxy, []string{`Forwarded: for=198.51.100.1;host=\"a"`}, proxy},
		{"fault in an earlier line", proxy, []string{`Forwarded: for="1.1.1.1`, `Forwarded: for=10.0.0.2`}, "10.0.0.2:0"},
		{"escape at the end", proxy, []string{`Forwarded: for="1.1.1.1\`}, proxy},
		{"control character", proxy, []string{"Forwarded: for=\"198.51.100.1\x01\""}, proxy},
		{"parameter twice", proxy, []string{"Forwarded: for=198.51.100.1;For=198.51.100.2"}, proxy},
		{"too many parameters", proxy, []string{"Forwarded: for=198.51.100.1;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1"}, proxy},
		{"space around =", proxy, []string{"Forwarded: for = 198.51.100.1"}, proxy},
		{"no value", proxy, []string{"Forwarded: for="}, proxy},
		{"no name", proxy, []string{"Forwarded: =198.51.100.1"}, proxy},
		{"two values", proxy, []string{"Forwarded: for=198.51.100.1 for=1.1.1.1"}, proxy},
		{"other headers", proxy, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"}, proxy},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, r) })
	}
}

func TestUnixSockets(t *testing.T) {
	for _, tt := range []struct {
		name string
		Options
		want string
	}{
		{"trusted", Options{TrustUnix: true}, "198.51.100.1:0 secure"},
		{"trusted, with networks", Options{TrustUnix: true, Trusted: networks}, "198.51.100.1:0 secure"},
		{"not trusted", Options{Trusted: networks}, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := New(tt.Options)
			resolveCase{headers: []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-Proto: https"}, want: tt.want}.check(t, got)
		})
	}
	var nobody Resolver
	resolveCase{peer: proxy, headers: []string{"X-Forwarded-For: 198.51.100.1"}, want: proxy}.check(t, nobody)
}

func TestMaxHops(t *testing.T) {
	chain := "198.51.100.1" + strings.Repeat(", 10.0.0.3", DefaultMaxHops)
	forwarded := "for=198.51.100.1" + strings.Repeat(", for=10.0.0.3", DefaultMaxHops)
	for _, tt := range []struct {
		name string
		hops int
		want string
	}{
		{"default", 0, "10.0.0.3:0"},
		{"as many as there are", DefaultMaxHops + 1, "198.51.100.1:0"},
		{"one", 1, "10.0.0.3:0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resolveCase{peer: proxy, headers: []string{"X-Forwarded-For: " + chain}, want: tt.want}.
				check(t, New(Options{Trusted: networks, MaxHops: tt.hops}))
			resolveCase{peer: proxy, headers: []string{"Forwarded: " + forwarded}, want: tt.want}.
				check(t, New(Options{Trusted: networks, MaxHops: tt.hops, Forwarded: true}))
		})
	}
}
