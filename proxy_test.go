package sio_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// opens makes a session over polling on a connection that begins with these bytes, and
// returns the handshake that the server's middleware saw.
func opens(t *testing.T, f *fixture, ln net.Listener, first string, headers ...string) *sio.Handshake {
	t.Helper()
	conn, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	ask := func(method, query, body string) string {
		fmt.Fprintf(conn, "%s /socket.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n%s",
			method, query, len(body), strings.Join(append(headers, ""), "\r\n"), body)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %d %q, %v", res.StatusCode, got, err)
		}
		return string(got)
	}
	fmt.Fprint(conn, first)
	var open, joined struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(ask("GET", "", ""), "0")), &open); err != nil {
		t.Fatal(err)
	}
	ask("POST", "&sid="+open.SID, "40")
	if err := json.Unmarshal([]byte(strings.TrimPrefix(ask("GET", "&sid="+open.SID, ""), "40")), &joined); err != nil {
		t.Fatal(err)
	}
	s := f.Of("/").Socket(joined.SID)
	if s == nil {
		t.Fatalf("no socket with the id %q", joined.SID)
	}
	return s.Handshake()
}

// also serves one more listener until the server ends.
func (f *fixture) also(t *testing.T, ln net.Listener) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- f.Serve(ln) }()
	t.Cleanup(func() {
		if err := f.Close(); err != nil { // the fixture's own Shutdown then finds it done
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func listen(t *testing.T, network, addr string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

const (
	proxyText = "PROXY TCP4 198.51.100.1 10.0.0.1 7 443\r\n"
	proxyTLS  = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x14\xc6\x33\x64\x01\x0a\x00\x00\x01\x00\x07\x01\xbb\x20\x00\x05\x01\x00\x00\x00\x00"
)

func TestClientAddressBehindProxies(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("198.51.100.0/24")}
	for _, tt := range []struct {
		name    string
		options sio.Options
		proxied bool
		first   string
		headers []string
		want    string
	}{
		{"header of a stranger", sio.Options{}, false, "", []string{"X-Forwarded-For: 192.0.2.9"}, "127.0.0.1 false"},
		{"header of a proxy", sio.Options{TrustedProxies: networks}, false, "", []string{"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"}, "192.0.2.9 true"},
		{"Forwarded", sio.Options{TrustedProxies: networks, UseForwarded: true}, false, "", []string{"Forwarded: for=192.0.2.9;proto=https"}, "192.0.2.9 true"},
		{"PROXY", sio.Options{}, true, proxyText, []string{"X-Forwarded-For: 192.0.2.9"}, "198.51.100.1 false"},
		{"PROXY, TLS", sio.Options{}, true, proxyTLS, nil, "198.51.100.1 true"},
		{"PROXY of a proxy's proxy", sio.Options{TrustedProxies: networks}, true, proxyTLS, []string{"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: http"}, "192.0.2.9 false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) {
				log, report := o.Logger, o.OnError
				*o = tt.options
				o.Logger, o.OnError = log, report
			})
			ln := listen(t, "tcp", "127.0.0.1:0")
			if tt.proxied {
				ln = sio.ProxyProtocol(ln, networks[0])
			}
			f.also(t, ln)
			h := opens(t, f, ln, tt.first, tt.headers...)
			if got := fmt.Sprint(h.RemoteAddr.Addr(), h.Secure); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// One server on several listeners of several kinds at once.
func TestSeveralListeners(t *testing.T) {
	f := serve(t, func(o *sio.Options) {
		o.TrustUnixPeers = true
		o.Logger = slog.New(slog.DiscardHandler)
	})
	if addr, ok := f.Addr().(*net.TCPAddr); !ok || addr.Port == 0 || addr.String() != f.addr {
		t.Errorf("Addr is %v, want %s", f.Addr(), f.addr)
	}
	v6 := listen(t, "tcp", "[::1]:0")
	unix := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
	proxied := sio.ProxyProtocol(listen(t, "tcp", "127.0.0.1:0"))
	for _, ln := range []net.Listener{v6, unix, proxied} {
		f.also(t, ln)
	}
	for _, tt := range []struct {
		name    string
		ln      net.Listener
		first   string
		headers []string
		want    string
	}{
		{"IPv6", v6, "", []string{"X-Forwarded-For: 192.0.2.9"}, "::1"},
		{"unix", unix, "", nil, "invalid IP"},
		{"unix, a proxy", unix, "", []string{"X-Forwarded-For: 192.0.2.9"}, "192.0.2.9"},
		{"PROXY", proxied, proxyText, nil, "198.51.100.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := opens(t, f, tt.ln, tt.first, tt.headers...).RemoteAddr.Addr().String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, s := f.connect(t); !s.Handshake().RemoteAddr.Addr().IsLoopback() { // the first one still serves
		t.Errorf("address %v", s.Handshake().RemoteAddr)
	}
	if f.Addr().String() != f.addr {
		t.Errorf("Addr is %v now", f.Addr())
	}
}

// The limits per address reach both the connections and the handshakes.
func TestLimitsPerAddress(t *testing.T) {
	status := func(f *fixture, headers ...string) int {
		req, err := http.NewRequest(http.MethodGet, "http://"+f.addr+"/socket.io/?EIO=4&transport=polling", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			req.Header.Set(name, value)
		}
		client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	limited := func(f *fixture) int64 { return f.Stats().Connections.Limited + f.Stats().Sessions.Limited }
	trust := func(o *sio.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	const one, two = "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.2"

	t.Run("connections", func(t *testing.T) {
		f := serve(t, func(o *sio.Options) { o.MaxConnectionsPerAddress = 1 })
		f.connect(t)
		// It is told before it has said anything, which an HTTP client may take ill.
		conn, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || limited(f) != 1 {
			t.Errorf("got %d, refused %d", res.StatusCode, limited(f))
		}
	})
	t.Run("clients", func(t *testing.T) {
		f := serve(t, trust, func(o *sio.Options) { o.MaxConnectionsPerAddress = 1 })
		if a, b, c := status(f, one), status(f, one), status(f, two); a != 200 || b != 429 || c != 200 || limited(f) != 1 {
			t.Errorf("got %d, %d and %d, refused %d", a, b, c, limited(f))
		}
	})
	t.Run("handshakes", func(t *testing.T) {
		f := serve(t, trust, func(o *sio.Options) { o.HandshakesPerSecond, o.HandshakeBurst = 0.001, 2 })
		if a, b, c := status(f, one), status(f, one), status(f, one); a != 200 || b != 200 || c != 429 || limited(f) != 1 {
			t.Errorf("got %d, %d and %d, refused %d", a, b, c, limited(f))
		}
	})
}
