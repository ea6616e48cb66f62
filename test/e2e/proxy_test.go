package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// node is one of two servers behind a proxy, with a listener for HTTP and one for
// the PROXY protocol.
type node struct {
	*fixture
	addr, proxied string
}

// loopbackProxy is where the proxies connect from. Clients use other addresses.
var loopbackProxy = netip.MustParsePrefix("127.0.0.1/32")

// startNode starts a server that says in the event "who" what it is called and
// whom it sees.
func startNode(t *testing.T, name string) *node {
	t.Helper()
	f := newFixture(t, func(o *sio.Options) { o.TrustedProxies = []netip.Prefix{loopbackProxy} })
	err := f.OnEvent("who", func(s *sio.Socket, ack sio.Ack) error {
		h := s.Handshake()
		return ack.Send(name, h.RemoteAddr.Addr().String(), h.Secure)
	})
	if err != nil {
		t.Fatal(err)
	}
	plain, proxied := listenLoopback(t), listenLoopback(t)
	f.serve(t, plain)
	f.serve(t, sio.ProxyProtocol(proxied, loopbackProxy))
	return &node{fixture: f, addr: plain.Addr().String(), proxied: proxied.Addr().String()}
}

// proxySetup is a proxy with a way to send a client to the same server again.
type proxySetup struct {
	name   string
	sticky string // cookie or address
	make   func(t *testing.T, a, b *node) *proxy
	edits  []edit
}

func nginx(t *testing.T, a, b *node) *proxy {
	t.Helper()
	return newNginx(t, a.addr, b.addr)
}

func haproxy(t *testing.T, a, b *node) *proxy {
	t.Helper()
	return newHAProxy(t, "web", a.addr, b.addr, a.proxied, b.proxied)
}

func haproxyTCP(t *testing.T, a, b *node) *proxy {
	t.Helper()
	return newHAProxy(t, "tcp", a.addr, b.addr, a.proxied, b.proxied)
}

// roundRobin sends each request to the next server.
var (
	nginxRoundRobin   = edit{"proxy_pass http://sio_by_cookie;", "proxy_pass http://sio_round_robin;"}
	haproxyRoundRobin = edit{"default_backend sio_by_cookie", "default_backend sio_round_robin"}

	nginxByAddress   = edit{"proxy_pass http://sio_by_cookie;", "proxy_pass http://sio_by_address;"}
	haproxyByAddress = edit{"default_backend sio_by_cookie", "default_backend sio_by_address"}
)

// TestProxies runs a real client through real proxies to two servers.
func TestProxies(t *testing.T) {
	for _, setup := range []proxySetup{
		{"nginx by cookie", "cookie", nginx, nil},
		{"nginx by address", "address", nginx, []edit{nginxByAddress}},
		{"haproxy by cookie", "cookie", haproxy, nil},
		{"haproxy by address", "address", haproxy, []edit{haproxyByAddress}},
		{"haproxy with PROXY version 1", "address", haproxyTCP, []edit{{" send-proxy-v2", " send-proxy"}}},
		{"haproxy with PROXY version 2", "address", haproxyTCP, nil},
	} {
		for _, mode := range modes {
			t.Run(setup.name+"/"+mode, func(t *testing.T) {
				client := nodeTool(t)
				p := setup.make(t, startNode(t, "a"), startNode(t, "b"))
				p.start(t, setup.edits...)
				runChecks(t, nodeClients, client, "proxies.mjs",
					"--url", "http://"+p.addr, "--mode", mode, "--sticky", setup.sticky)
			})
		}
	}
}

// TestNoStickiness sends a client's requests here and there. What it is told is
// what makes it connect anew, which works as soon as the proxy knows it again.
func TestNoStickiness(t *testing.T) {
	for _, setup := range []struct {
		name       string
		make       func(t *testing.T, a, b *node) *proxy
		roundRobin edit
	}{
		{"nginx", nginx, nginxRoundRobin},
		{"haproxy", haproxy, haproxyRoundRobin},
	} {
		t.Run(setup.name, func(t *testing.T) {
			client := nodeTool(t)
			p := setup.make(t, startNode(t, "a"), startNode(t, "b"))
			p.start(t, setup.roundRobin)
			control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				p.stop()
				p.start(t)
			}))
			defer control.Close()
			runChecks(t, nodeClients, client, "proxies.mjs",
				"--url", "http://"+p.addr, "--mode", "polling", "--control", control.URL)
		})
	}
}
