package loop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// proxyPatience bounds every wait, so that a failing test ends.
const proxyPatience = 10 * time.Second

// whoHandler answers with what the connection knows of its ends.
type whoHandler struct{}

func (whoHandler) ServeRequest(c *Conn, _ *Request) {
	who := fmt.Sprintf("client %v %v, peer %v, secure %v", c.RemoteAddr(), c.RemoteAddrPort(), c.PeerAddr().Network(), c.Secure())
	_ = c.Respond(Response{Status: http.StatusOK, Body: []byte(who)}) // the connection may be gone
}

// lines is a log that tests read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// proxyServer is a reactor behind a listener that takes PROXY headers.
type proxyServer struct {
	*Reactor
	log  lines
	addr net.Addr
}

func serveProxied(t *testing.T, o Options, ln net.Listener, trusted ...netip.Prefix) *proxyServer {
	t.Helper()
	s := new(proxyServer)
	o.Loops = 1
	o.Logger = slog.New(slog.NewTextHandler(&s.log, nil))
	var err error
	if s.Reactor, err = New(o, whoHandler{}); err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ProxyProtocol(ln, trusted...)) }()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func (s *proxyServer) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial(s.addr.Network(), s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(proxyPatience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func wantBody(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != want {
		t.Errorf("got %q (%v), want %q", body, err, want)
	}
}

// wantCut waits for the end of the connection, which has to come without a byte,
// and for a log line about it.
func (s *proxyServer) wantCut(t *testing.T, c net.Conn, why string) {
	t.Helper()
	got, err := io.ReadAll(c)
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the connection is still open")
	}
	if len(got) > 0 {
		t.Errorf("it was sent %q", got)
	}
	if said := s.log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "level=WARN") || !strings.Contains(said, why) {
		t.Errorf("the log has %q, want one line with %q", said, why)
	}
}

const (
	whoRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

	binaryTCP4 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x01\x0a\x00\x00\x01\x00\x07\x01\xbb"
	binaryTLS  = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x14\xc6\x33\x64\x01\x0a\x00\x00\x01\x00\x07\x01\xbb\x20\x00\x05\x01\x00\x00\x00\x00"
	binaryUnix = "\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\xd8/run/a"
	byItself   = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

// headers and what the handler then sees; %s is the peer's address.
var proxyHeaders = []struct{ name, header, want string }{
	{"text", "PROXY TCP4 198.51.100.1 10.0.0.1 7 443\r\n", "client 198.51.100.1:7 198.51.100.1:7, peer tcp, secure false"},
	{"text, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::8 7 443\r\n", "client [2001:db8::7]:7 [2001:db8::7]:7, peer tcp, secure false"},
	{"text, unknown", "PROXY UNKNOWN\r\n", "client %s %s, peer tcp, secure false"},
	{"binary", binaryTCP4, "client 198.51.100.1:7 198.51.100.1:7, peer tcp, secure false"},
	{"binary, TLS", binaryTLS, "client 198.51.100.1:7 198.51.100.1:7, peer tcp, secure true"},
	{"binary, unix", binaryUnix + strings.Repeat("\x00", 216-len("/run/a")), "client /run/a invalid AddrPort, peer tcp, secure false"},
	{"binary, local", byItself, "client %s %s, peer tcp, secure false"},
}

// A header may share a packet with the request, and further requests have none.
func TestProxyHeaderWithRequests(t *testing.T) {
	s := serveProxied(t, Options{}, listenLoopback(t), netip.MustParsePrefix("127.0.0.0/8"))
	for _, tt := range proxyHeaders {
		t.Run(tt.name, func(t *testing.T) {
			c := s.dial(t)
			want := strings.ReplaceAll(tt.want, "%s", c.LocalAddr().String())
			put(t, c, tt.header+whoRequest+whoRequest)
			r := bufio.NewReader(c)
			wantBody(t, r, want)
			wantBody(t, r, want)
			put(t, c, whoRequest)
			wantBody(t, r, want)
		})
	}
	if said := s.log.String(); said != "" {
		t.Errorf("the log has %q", said)
	}
}

// A header and a request, cut at every byte.
func TestProxyHeaderInPieces(t *testing.T) {
	s := serveProxied(t, Options{}, listenLoopback(t))
	for _, tt := range proxyHeaders {
		t.Run(tt.name, func(t *testing.T) {
			c := s.dial(t)
			taken := 0
			for i := range len(tt.header) {
				put(t, c, tt.header[i:i+1])
				// The loop has seen each byte before the next one leaves.
				for taken != i+1 && i+1 < len(tt.header) {
					err := s.Await(t.Context(), s.Loops()[0], func(l *Loop) {
						if k := l.conns; k != nil && k.input != nil && k.PeerAddr().String() == c.LocalAddr().String() {
							taken = len(k.input.B)
						}
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			put(t, c, whoRequest)
			wantBody(t, bufio.NewReader(c), strings.ReplaceAll(tt.want, "%s", c.LocalAddr().String()))
		})
	}
}

func TestBadProxyHeaderEndsTheConnection(t *testing.T) {
	for _, tt := range []struct{ name, input, why string }{
		{"none", whoRequest, "no PROXY header"},
		{"text", "PROXY TCP4 a b c d\r\n" + whoRequest, "malformed"},
		{"binary", strings.Replace(binaryTCP4, "\x21\x11", "\x21\x41", 1) + whoRequest, "malformed"},
		{"too long", "PROXY UNKNOWN " + strings.Repeat("x", 200), "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serveProxied(t, Options{}, listenLoopback(t))
			c := s.dial(t)
			put(t, c, tt.input)
			s.wantCut(t, c, tt.why)
		})
	}
}

func TestUntrustedProxyIsCut(t *testing.T) {
	s := serveProxied(t, Options{}, listenLoopback(t), netip.MustParsePrefix("10.0.0.0/8"))
	c := s.dial(t)
	s.wantCut(t, c, "not a trusted proxy")
}

// The header has as much time as a request's head.
func TestProxyHeaderTimesOut(t *testing.T) {
	for _, part := range []string{"", "PROXY TCP4 198.", binaryTCP4[:20]} {
		t.Run(fmt.Sprintf("%d bytes of it", len(part)), func(t *testing.T) {
			s := serveProxied(t, Options{HeaderTimeout: 30 * time.Millisecond}, listenLoopback(t))
			c := s.dial(t)
			put(t, c, part)
			s.wantCut(t, c, "took too long")
		})
	}
}

// Peers on a unix socket have no address that could be trusted, nor need one.
func TestProxyHeaderOnUnixSocket(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := serveProxied(t, Options{}, ln, netip.MustParsePrefix("10.0.0.0/8"))
	c := s.dial(t)
	put(t, c, binaryTCP4+whoRequest)
	wantBody(t, bufio.NewReader(c), "client 198.51.100.1:7 198.51.100.1:7, peer unix, secure false")
}

// A connection that has not said yet whom it is for does not hold up the end.
func TestDrainBeforeTheProxyHeader(t *testing.T) {
	s := serveProxied(t, Options{HeaderTimeout: time.Hour}, listenLoopback(t))
	c := s.dial(t)
	for known := false; !known; {
		if err := s.Await(t.Context(), s.Loops()[0], func(l *Loop) { known = l.conns != nil }); err != nil {
			t.Fatal(err)
		}
	}
	s.Drain()
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

// Whoever may connect can't fill the log with warnings.
func TestBadProxiesAreLoggedSparingly(t *testing.T) {
	s := serveProxied(t, Options{}, listenLoopback(t))
	s.badProxies.Level(math.MaxInt64 - 1000) // a warning was just logged
	c := s.dial(t)
	put(t, c, whoRequest)
	if _, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	if said := s.log.String(); said != "" {
		t.Errorf("the log has %q", said)
	}
}
