package loop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// host serves a reactor as a guest and returns the server with clients of it, one
// for each version of HTTP.
func host(tb testing.TB, h http.Handler, secure bool, change ...func(*http.Server)) (*testhost.Server, map[string]*http.Client) {
	tb.Helper()
	s := testhost.Start(tb, h, secure, change...)
	clients := map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{TLSClientConfig: s.ClientConfig("http/1.1")}}}
	if secure {
		clients["HTTP/2.0"] = &http.Client{Transport: &http.Transport{TLSClientConfig: s.ClientConfig(), ForceAttemptHTTP2: true}}
	}
	tb.Cleanup(func() {
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	})
	return s, clients
}

// eachHTTP runs a test for plain HTTP/1.1, the same over TLS, and HTTP/2.
func eachHTTP(t *testing.T, h func(t *testing.T) http.Handler, test func(t *testing.T, url string, client *http.Client)) {
	t.Helper()
	for _, secure := range []bool{false, true} {
		handler := h(t)
		s, clients := host(t, handler, secure)
		url := "http://" + s.Addr
		if secure {
			url = "https://" + s.Addr
		}
		for version, client := range clients {
			t.Run(fmt.Sprintf("%s, TLS %v", version, secure), func(t *testing.T) {
				client.Timeout = patience
				test(t, url, client)
			})
		}
	}
}

// reply is what these tests look at of a response.
type reply struct {
	status int
	proto  string
	header http.Header
	conn   net.Addr // the client's end of the connection
}

// do sends a request and returns the response and its body.
func do(tb testing.TB, client *http.Client, method, url string, body io.Reader) (reply, string) {
	tb.Helper()
	var conn net.Addr
	ctx := httptrace.WithClientTrace(tb.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn.LocalAddr() },
	})
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return reply{res.StatusCode, res.Proto, res.Header, conn}, string(got)
}

func TestGuestRequests(t *testing.T) {
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, func(c *Conn, r *Request) {
			switch string(r.Path) {
			case "/none":
				_ = c.Respond(Response{Status: 204, Header: []byte("X-A: 1\r\nX-A: 2\r\n")})
			case "/large":
				_ = c.Respond(Response{Status: 200, Body: make([]byte, 300_000)})
			case "/close":
				_ = c.Respond(Response{Status: 400, Body: []byte("bad"), Close: true})
			default:
				echo(c, r)
			}
		})
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		var conn net.Addr
		for _, tt := range []struct {
			method, path string
			body         io.Reader
			status       int
			want         string
		}{
			{"GET", "/a%20b?c=d&e", nil, 200, "GET /a%20b?c=d&e "},
			{"GET", "", nil, 200, "GET / "},
			{"HEAD", "/", nil, 200, ""},
			{"POST", "/", strings.NewReader("with a length"), 200, "POST / with a length"},
			{"POST", "/", io.MultiReader(strings.NewReader("without "), strings.NewReader("one")), 200, "POST / without one"},
			{"POST", "/", http.NoBody, 200, "POST / "},
			{"PUT", "/", strings.NewReader(strings.Repeat("x", 500_000)), 200, "PUT / " + strings.Repeat("x", 500_000)},
			{"GET", "/none", nil, 204, ""},
			{"GET", "/large", nil, 200, strings.Repeat("\x00", 300_000)},
			{"GET", "/close", nil, 400, "bad"},
			{"GET", "/again", nil, 200, "GET /again "},
		} {
			res, body := do(t, client, tt.method, url+tt.path, tt.body)
			if res.status != tt.status || body != tt.want {
				t.Errorf("%s %s: got %d %.100q, want %d %.100q", tt.method, tt.path, res.status, body, tt.status, tt.want)
			}
			if want := "text/plain"; body != "" && strings.HasPrefix(tt.want, tt.method) && res.header.Get("Content-Type") != want {
				t.Errorf("%s %s: header %v", tt.method, tt.path, res.header)
			}
			if tt.path == "/none" && fmt.Sprint(res.header["X-A"]) != "[1 2]" {
				t.Errorf("header %v", res.header)
			}
			if tt.path == "/again" && res.proto == "HTTP/2.0" && res.conn.String() != conn.String() {
				t.Error("one stream's end has ended them all")
			}
			conn = res.conn
			if tt.path == "/large" && res.header.Get("Content-Type") != "" {
				t.Errorf("a content type was guessed: %v", res.header)
			}
		}
	})
}

// What the reactor refuses is refused here, too.
func TestGuestRefusals(t *testing.T) {
	h := func(t *testing.T) http.Handler {
		t.Helper()
		return start(t, echo, func(o *Options) { o.MaxBody, o.MaxHeaderBytes, o.MaxRequestLine = 100, 1000, 500 })
	}
	eachHTTP(t, h, func(t *testing.T, url string, client *http.Client) {
		t.Helper()
		for _, tt := range []struct {
			name, path, header string
			body               io.Reader
			status             int
			want               string
		}{
			{name: "body with a length", body: strings.NewReader(strings.Repeat("x", 101)), status: 413, want: "body too large\n"},
			{name: "body without", body: io.MultiReader(strings.NewReader(strings.Repeat("x", 101))), status: 413, want: "body too large\n"},
			{name: "body at the limit", path: "/", body: strings.NewReader(strings.Repeat("x", 100)), status: 200, want: "POST / " + strings.Repeat("x", 100)},
			{name: "headers", header: strings.Repeat("x", 1000), status: 431, want: "headers too large\n"},
			{name: "target", path: "/" + strings.Repeat("x", 500), status: 414, want: "request line too long\n"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+tt.path, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Large", tt.header)
			res, err := client.Do(req)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != tt.status || string(body) != tt.want {
				t.Errorf("%s: got %d %q, %v", tt.name, res.StatusCode, body, err)
			}
		}
	})
}

func TestGuestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		remote string
		local  net.Addr
		want   string
		valid  bool
	}{
		{"192.0.2.1:80", nil, "192.0.2.1:80", true},
		{"[::ffff:192.0.2.1]:80", nil, "192.0.2.1:80", true},
		{"[2001:db8::1]:80", nil, "[2001:db8::1]:80", true},
		{"192.0.2.1", nil, "192.0.2.1:0", true}, // as some handlers set it
		{"2001:db8::1", nil, "[2001:db8::1]:0", true},
		{"@", &net.UnixAddr{Name: "/s", Net: "unix"}, "@", false},
		{"", &net.UnixAddr{Name: "/s", Net: "unix"}, "", false},
		{"pipe", nil, "0.0.0.0:0", true}, // nobody's, lest it counts as a unix socket's
		{"", &net.TCPAddr{}, "0.0.0.0:0", true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		if tt.local != nil {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tt.local))
		}
		addr, ip := clientOf(r)
		if addr.String() != tt.want || ip.IsValid() != tt.valid || addrPort(addr).Addr() != ip && ip != (netip.Addr{}) {
			t.Errorf("%q: got %v, %v", tt.remote, addr, ip)
		}
	}
}

type contextKey struct{}

// Hooks see the request as the handlers around left it.
func TestGuestOriginalRequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	for _, secure := range []bool{false, true} {
		f := start(t, func(c *Conn, r *Request) {
			got <- must(c.HTTPRequest(r))
			echo(c, r)
		})
		s, clients := host(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, "value")))
		}), secure)
		check := func(r *http.Request, body string) {
			t.Helper()
			if r.Context().Value(contextKey{}) != "value" || (r.TLS != nil) != secure {
				t.Errorf("got %v, TLS %v", r.Context(), r.TLS)
			}
			if read, err := io.ReadAll(r.Body); string(read) != body || err != nil {
				t.Errorf("body %q, %v", read, err)
			}
			if err := r.Context().Err(); err != nil { // ServeHTTP has returned
				t.Error(err)
			}
		}
		for _, client := range clients {
			do(t, client, http.MethodPost, "http"+map[bool]string{true: "s"}[secure]+"://"+s.Addr, strings.NewReader("body"))
			check(<-got, "body")
		}
		conn := must(s.Dial(t.Context()))
		c := &client{Conn: conn, tb: t, br: bufio.NewReader(conn)}
		c.upgrade()
		check(<-got, "")
		conn.Close()
	}
}

func TestGuestConnect(t *testing.T) {
	f := start(t, echo)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodConnect, "/", nil)
	r.Header[":protocol"] = []string{"websocket"} // WebSocket over HTTP/2
	f.ServeHTTP(w, r)
	if w.Code != http.StatusNotImplemented {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
