package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

var sidPattern = regexp.MustCompile(`^[0-9A-Za-z_-]{20,}$`)

// TestOpenPacket shows E2, E6, E28, E30 and E31.
func TestOpenPacket(t *testing.T) {
	custom := func(c *config) {
		c.PingInterval, c.PingTimeout, c.MaxPayload = 300*time.Millisecond, 200*time.Millisecond, 12345
	}
	for _, tc := range []struct {
		name          string
		change        func(c *config)
		polling, rest string
	}{
		{"defaults", func(*config) {}, `["websocket"]`, `"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`},
		{"options", custom, `["websocket"]`, `"pingInterval":300,"pingTimeout":200,"maxPayload":12345}`},
		{"no upgrade", func(c *config) { c.NoUpgrade = true }, `[]`, `"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, tc.change)
			a := f.dial(t).do(http.MethodGet, pollingTarget, "")
			sid := parseOpen(t, a.body).SID
			if want := fmt.Sprintf(`0{"sid":%q,"upgrades":%s,%s`, sid, tc.polling, tc.rest); a.body != want {
				t.Errorf("polling: got  %s\nwant %s", a.body, want)
			}
			packet := f.websocket(t, websocketTarget, nil).next()
			other := parseOpen(t, packet).SID
			if want := fmt.Sprintf(`0{"sid":%q,"upgrades":[],%s`, other, tc.rest); packet != want {
				t.Errorf("websocket: got  %s\nwant %s", packet, want)
			}
			if !sidPattern.MatchString(sid) || !sidPattern.MatchString(other) || sid == other {
				t.Errorf("ids %q and %q", sid, other)
			}
			if f.Sessions() != 2 {
				t.Errorf("%d sessions", f.Sessions())
			}
		})
	}
}

// TestHandshakeOverPolling shows E40.
func TestHandshakeOverPolling(t *testing.T) {
	f := serve(t)
	a := f.dial(t).do(http.MethodGet, pollingTarget, "")
	for name, want := range map[string]string{
		"Content-Type":                "text/plain; charset=UTF-8",
		"Cache-Control":               "no-store",
		"Content-Length":              fmt.Sprint(len(a.body)),
		"Access-Control-Allow-Origin": "",
	} {
		if got := strings.Join(a.header.Values(name), ","); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	r := f.record(t, parseOpen(t, a.body).SID)
	if r.Transport() != "polling" || r.Closed() {
		t.Errorf("transport %q, closed %v", r.Transport(), r.Closed())
	}
}

func TestHandshakeOverWebSocket(t *testing.T) {
	f := serve(t)
	c := f.connect(t)
	if c.Transport() != "websocket" || c.Closed() {
		t.Errorf("transport %q, closed %v", c.Transport(), c.Closed())
	}
	c.wantEcho("hello")
}

// TestMessagesOfOnOpen shows E33.
func TestMessagesOfOnOpen(t *testing.T) {
	f := serve(t, func(c *config) {
		c.opened = func(r *record) { _ = r.Send(false, NewMessage([]byte("welcome"), false)) }
	})
	f.poll(t).wantPoll("4welcome") // the handshake's answer is the open packet alone
	f.connect(t).want("4welcome")
}

// TestRequestInfo shows E14 and E90.
func TestRequestInfo(t *testing.T) {
	f := serve(t)
	before := time.Now()
	c := f.dial(t)
	a := c.do(http.MethodGet, pollingTarget+"&a=1&b=x%20y&a=2&bad=%zz", "", "X-One: 1", "X-Two: a", "X-Two: b")
	info := f.record(t, parseOpen(t, a.body).SID).Request()
	if want := pollingTarget + "&a=1&b=x%20y&a=2&bad=%zz"; info.Target != want {
		t.Errorf("target %q, want %q", info.Target, want)
	}
	if q := info.Query(); fmt.Sprint(q["a"]) != "[1 2]" || q.Get("b") != "x y" || q.Get("EIO") != "4" || q.Has("bad") {
		t.Errorf("query %v", q)
	}
	if h := info.Header(); h.Get("X-One") != "1" || fmt.Sprint(h.Values("x-two")) != "[a b]" || h.Get("Host") != "test" {
		t.Errorf("header %v", h)
	}
	if info.Remote.String() != c.conn.LocalAddr().String() {
		t.Errorf("remote %v, want %v", info.Remote, c.conn.LocalAddr())
	}
	if info.Opened.Before(before) || info.Opened.After(time.Now()) {
		t.Errorf("opened %v", info.Opened)
	}
}

// refused is the JSON of a refused request.
func refused(code ErrorCode) string {
	return fmt.Sprintf(`{"code":%d,"message":%q}`, code, codeMessages[code])
}

// TestRefusedRequests shows E13 to E17, E19 and E26.
func TestRefusedRequests(t *testing.T) {
	f := serve(t)
	poller, socket := f.poll(t), f.connect(t)
	pollingSID, websocketSID := "&sid="+poller.ID(), "&sid="+socket.ID()
	for _, tc := range []struct {
		name, method, target string
		code                 ErrorCode
		body                 string
	}{
		{name: "no query", target: "/engine.io/", code: CodeUnknownTransport},
		{name: "no transport", target: "/engine.io/?EIO=4", code: CodeUnknownTransport},
		{name: "unknown transport", target: "/engine.io/?EIO=4&transport=tobi", code: CodeUnknownTransport},
		{name: "transport in capitals", target: "/engine.io/?EIO=4&transport=Polling", code: CodeUnknownTransport},
		{name: "a name of every object", target: "/engine.io/?EIO=4&transport=constructor", code: CodeUnknownTransport},
		{name: "the last of two transports", target: "/engine.io/?transport=polling&EIO=4&transport=x", code: CodeUnknownTransport},
		{name: "transport before session", target: "/engine.io/?EIO=4&transport=x&sid=none", code: CodeUnknownTransport},
		{name: "unknown session", target: pollingTarget + "&sid=none", code: CodeUnknownSession},
		{name: "unknown session, POST", method: "POST", target: pollingTarget + "&sid=none", body: "4a", code: CodeUnknownSession},
		{name: "unknown session, websocket", target: websocketTarget + "&sid=none", code: CodeUnknownSession},
		{name: "a session named like an object's part", target: pollingTarget + "&sid=__proto__", code: CodeUnknownSession},
		{name: "POST", method: "POST", target: pollingTarget, body: "4a", code: CodeBadHandshakeMethod},
		{name: "PUT", method: "PUT", target: pollingTarget, code: CodeBadHandshakeMethod},
		{name: "HEAD", method: "HEAD", target: pollingTarget, code: CodeBadHandshakeMethod},
		{name: "OPTIONS without CORS", method: "OPTIONS", target: pollingTarget, code: CodeBadHandshakeMethod},
		{name: "an empty sid is none", method: "POST", target: pollingTarget + "&sid=", code: CodeBadHandshakeMethod},
		{name: "method before version", method: "POST", target: "/engine.io/?transport=polling", code: CodeBadHandshakeMethod},
		{name: "websocket without upgrade", target: websocketTarget, code: CodeBadRequest},
		{name: "polling on a websocket session", target: pollingTarget + websocketSID, code: CodeBadRequest},
		{name: "websocket without upgrade on a polling session", target: websocketTarget + pollingSID, code: CodeBadRequest},
		{name: "another version on a session", target: "/engine.io/?EIO=3&transport=polling" + pollingSID, code: CodeBadRequest},
		{name: "no version", target: "/engine.io/?transport=polling", code: CodeUnsupportedVersion},
		{name: "version 3", target: "/engine.io/?EIO=3&transport=polling", code: CodeUnsupportedVersion},
		{name: "version 04", target: "/engine.io/?EIO=04&transport=polling", code: CodeUnsupportedVersion},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method := tc.method
			if method == "" {
				method = http.MethodGet
			}
			a := f.dial(t).do(method, tc.target, tc.body)
			want := refused(tc.code)
			if length := a.header.Get("Content-Length"); length != fmt.Sprint(len(want)) {
				t.Errorf("Content-Length %s", length)
			}
			if method == http.MethodHead {
				want = ""
			}
			if a.status != 400 || a.body != want || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("got %v (%s), want 400 %q", a, a.header.Get("Content-Type"), want)
			}
		})
	}
	poller.wantEcho("unaffected")
	socket.wantEcho("unaffected")
}

// TestRefusedUpgrades shows E20 to E23 and W1.
func TestRefusedUpgrades(t *testing.T) {
	f := serve(t)
	poller := f.poll(t)
	upgrade := upgradeHeader
	for _, tc := range []struct {
		name, method, target string
		header               []string
		status               int
		body                 string
	}{
		{"unknown transport", "GET", "/engine.io/?EIO=4&transport=x", upgrade, 400, "Transport unknown"},
		{"unknown session", "GET", websocketTarget + "&sid=none", upgrade, 400, "Session ID unknown"},
		{"bad method", "POST", websocketTarget, upgrade, 400, "Bad handshake method"},
		{"polling", "GET", pollingTarget, upgrade, 400, "Bad request"},
		{"polling on a session", "GET", pollingTarget + "&sid=" + poller.ID(), upgrade, 400, "Bad request"},
		{"another version on a session", "GET", "/engine.io/?EIO=3&transport=websocket&sid=" + poller.ID(), upgrade, 400, "Bad request"},
		{"version 3", "GET", "/engine.io/?EIO=3&transport=websocket", upgrade, 400, "Unsupported protocol version"},
		{"no key", "GET", websocketTarget, upgrade[:3], 400, "Missing or invalid Sec-WebSocket-Key header"},
		{"no websocket version", "GET", websocketTarget, []string{upgrade[0], upgrade[1], upgrade[3]}, 400, "Missing or invalid Sec-WebSocket-Version header"},
		{"another upgrade", "GET", websocketTarget, []string{upgrade[0], "Upgrade: h2c", upgrade[2], upgrade[3]}, 400, "Invalid Upgrade header"},
		{"bad method on a session", "PUT", websocketTarget + "&sid=" + poller.ID(), upgrade, 405, "Invalid HTTP method"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.dial(t)
			a := c.do(tc.method, tc.target, "", tc.header...)
			if a.status != tc.status || a.body != tc.body || a.header.Get("Content-Type") != "text/html" || !a.closes {
				t.Errorf("got %v %v, want %d %q", a, a.header, tc.status, tc.body)
			}
			if a.header.Get("Sec-WebSocket-Version") != map[bool]string{true: "13, 8"}[tc.name == "no websocket version"] {
				t.Errorf("header %v", a.header)
			}
			c.wantEnd()
		})
	}
	poller.wantEcho("unaffected")
}

// TestTransportsSwitchedOff shows E5.
func TestTransportsSwitchedOff(t *testing.T) {
	t.Run("polling", func(t *testing.T) {
		f := serve(t, func(c *config) { c.NoPolling = true })
		c := f.dial(t)
		c.send(http.MethodGet, pollingTarget, "")
		c.want(400, refused(CodeUnknownTransport))
		f.connect(t).wantEcho("works")
	})
	t.Run("websocket", func(t *testing.T) {
		f := serve(t, func(c *config) { c.NoWebSocket = true })
		if o := parseOpen(t, f.dial(t).do(http.MethodGet, pollingTarget, "").body); len(o.Upgrades) != 0 {
			t.Errorf("upgrades %v", o.Upgrades)
		}
		c := f.dial(t)
		c.send(http.MethodGet, websocketTarget, "", upgradeHeader...)
		c.want(400, "Transport unknown")
		f.poll(t).wantEcho("works")
	})
}

// TestRequestErrorText shows E19.
func TestRequestErrorText(t *testing.T) {
	for want, err := range map[string]*RequestError{
		"engine: Forbidden":                        {Code: CodeForbidden},
		"engine: Bad request (TRANSPORT_MISMATCH)": badRequest("TRANSPORT_MISMATCH", "transport", "polling"),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err.Error(), want)
		}
	}
	if res := (&RequestError{Code: CodeForbidden}).response(false, nil); res.Status != 403 || string(res.Body) != refused(CodeForbidden) {
		t.Errorf("forbidden: %d %s", res.Status, res.Body)
	}
}

// TestMatches shows E1, E12 and W9.
func TestMatches(t *testing.T) {
	for _, path := range []string{"", "/engine.io", "/engine.io/", "engine.io"} {
		s := New(Options{Path: path}, nil)
		for request, want := range map[string]bool{
			"/engine.io": true, "/engine.io/": true, "/engine.io/x": true, "/engine.io//": true,
			"/engine.iox": false, "/Engine.io/": false, "/": false, "": false, "/engine.i": false,
		} {
			if got := s.Matches([]byte(request)); got != want {
				t.Errorf("path %q matches %q: %v", path, request, got)
			}
		}
	}
}

// TestHandshakeAfterCloseAll shows E89 and W10.
func TestHandshakeAfterCloseAll(t *testing.T) {
	f := serve(t)
	f.CloseAll()
	c := f.dial(t)
	c.send(http.MethodGet, pollingTarget, "")
	c.want(503, "")
	c.wantEnd()
	c = f.dial(t)
	c.send(http.MethodGet, websocketTarget, "", upgradeHeader...)
	c.want(503, "")
	c.wantEnd()
}

// upgradeHeader is what a browser's WebSocket handshake has.
var upgradeHeader = []string{
	"Connection: Upgrade", "Upgrade: websocket",
	"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// TestWebSocketHandshakeHeaders shows that the first subprotocol offered is
// taken, and no extension.
// It shows E8 and E64.
func TestWebSocketHandshakeHeaders(t *testing.T) {
	f := serve(t)
	a := f.dial(t).do(http.MethodGet, websocketTarget, "", append([]string{
		"Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: permessage-deflate",
	}, upgradeHeader...)...)
	for name, want := range map[string]string{
		"Sec-WebSocket-Accept":     "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
		"Sec-WebSocket-Protocol":   "a",
		"Sec-WebSocket-Extensions": "",
		"Upgrade":                  "websocket",
	} {
		if got := a.header.Get(name); a.status != 101 || got != want {
			t.Errorf("%d, %s: %q, want %q", a.status, name, got, want)
		}
	}
}

// TestOrigin shows E25.
func TestOrigin(t *testing.T) {
	for origin, want := range map[string]bool{
		"": true, "http://a.example": true, "null": true, "tab\there": true, "\x80\xff": true,
		"a\x00b": false, "a\x1fb": false, "a\x7fb": false, "a\nb": false,
	} {
		if got := validOrigin([]byte(origin)); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	f := serve(t)
	if a := f.dial(t).do(http.MethodGet, pollingTarget, "", "Origin: a\x7fb"); a.status != 400 {
		t.Errorf("control character: %v", a)
	}
	if a := f.dial(t).do(http.MethodGet, pollingTarget, "", "Origin: \x80\xff"); a.status != 200 {
		t.Errorf("Latin-1: %v", a)
	}
}

// Who a request is from, as trusted proxies tell it.
func TestClientAddress(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	x := []string{"X-Forwarded-For: 192.0.2.1, 198.51.100.7", "x-forwarded-proto: https"}
	forwarded := []string{`Forwarded: for="[2001:db8::7]:8";proto=https`}
	for _, tc := range []struct {
		name    string
		options Options
		headers []string
		want    string
	}{
		{"nobody is trusted", Options{}, append(x, forwarded...), "peer false"},
		{"others are trusted", Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, TrustUnixPeers: true}, x, "peer false"},
		{"trusted", Options{TrustedProxies: loopback}, append(x, forwarded...), "198.51.100.7:0 true"},
		{"trusted, without headers", Options{TrustedProxies: loopback}, nil, "peer false"},
		{"trusted, Forwarded", Options{TrustedProxies: loopback, UseForwarded: true}, append(x, forwarded...), "[2001:db8::7]:8 true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(c *config) {
				log := c.Logger
				c.Options = tc.options
				c.Logger = log
			})
			c := f.dial(t)
			a := c.do(http.MethodGet, pollingTarget, "", tc.headers...)
			info := f.record(t, parseOpen(t, a.body).SID).Request()
			want := strings.Replace(tc.want, "peer", c.conn.LocalAddr().String(), 1)
			if got := fmt.Sprint(info.Remote, info.Secure); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestDefaults shows E9: nothing of it is on unless it is asked for.
func TestDefaults(t *testing.T) {
	f := serve(t)
	a := f.dial(t).do(http.MethodGet, pollingTarget, "", "Origin: http://a.example")
	if a.status != 200 || a.header.Get("Set-Cookie") != "" || a.header.Get("Access-Control-Allow-Origin") != "" || strings.Contains(a.body, "\x1e") {
		t.Errorf("handshake: %v %v", a, a.header)
	}
	if a := f.dial(t).do(http.MethodGet, "/engine.io/?EIO=3&transport=polling", ""); a.body != refused(CodeUnsupportedVersion) {
		t.Errorf("protocol 3: %v", a)
	}
}
