package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// says starts a server that answers each connection with a text, and holds it then.
func says(t *testing.T, text string, hold bool) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				b := make([]byte, 4096)
				if _, err := c.Read(b); err != nil {
					return // it was only looked whether there is a server
				}
				_, _ = io.WriteString(c, text) // the client may have gone
				if hold {
					_, _ = io.Copy(io.Discard, c)
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
	return "http://" + ln.Addr().String()
}

// What is wrong with a server is said in one line, before anything begins.
func TestNoSuchServer(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/socket.io") {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "<h1>Hello</h1>\n\nthere") // the client may have gone
	}))
	t.Cleanup(page.Close)
	own, _ := serve(t, &sio.Options{})
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: "
	for _, tt := range []struct {
		name, url string
		client    client.Config
		want      string
	}{
		{"nobody listens", closed.URL, client.Config{}, "no server answers at " + closed.URL + ": connection refused"},
		{"no such host", "http://nowhere.invalid", client.Config{}, "no address of nowhere.invalid is known"},
		{"not HTTP", says(t, "SSH-2.0-OpenSSH\r\n", true), client.Config{}, `"SSH-2.0-OpenSSH\r\n" is no HTTP response`},
		{"another page", page.URL, client.Config{}, `answered 404 to the WebSocket handshake ("404 page not found")`},
		{"another page over polling", page.URL, client.Config{Transport: client.Polling}, `answered 404 to polling ("404 page not found")`},
		{"a page in place of a handshake", page.URL, client.Config{Transport: client.Polling, Path: "/other/"}, `"<h1>Hello</h1>\n\nthere" is no Engine.IO handshake`},
		{"closes at once", says(t, "", false), client.Config{}, "closed the connection in place of answering the WebSocket handshake"},
		{"closes at once over polling", says(t, "", false), client.Config{Transport: client.Polling}, "closed a connection with a request under way"},
		{"never answers", says(t, "", true), client.Config{}, "no answer to the Engine.IO handshake"},
		{"never lets in", says(t, answer+"58\r\n\r\n"+`0{"sid":"abc","upgrades":[],"pingInterval":1,"pingTimeout":1}`[:58], true), client.Config{Transport: client.Polling}, "no Engine.IO handshake"},
		{"offers no upgrade", says(t, answer+"61\r\n\r\n"+`0{"sid":"abc","upgrades":[],"pingInterval":1,"pingTimeout":1}`, true), client.Config{Transport: client.Upgrade}, "offers no upgrade to WebSocket"},
		{"wrong WebSocket key", says(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: no\r\n\r\n", true), client.Config{}, "Sec-WebSocket-Accept is wrong"},
		{"wrong revision", own, client.Config{EIO: 3}, "Unsupported protocol version"},
		{"wrong path", own, client.Config{Path: "/other/"}, "answered 404"},
		{"namespace that is not there", own, client.Config{Namespace: "/nope"}, `namespace /nope refused the client: {"message":"Invalid namespace"}`},
		{"another encoding", own, client.Config{MessagePack: true}, "closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(t, tt.url, scenario.Part{Kind: scenario.Idle, Clients: 1})
			base := c.Client
			c.Client = tt.client
			c.Client.MaxMessage = base.MaxMessage
			if c.Client.Path == "" {
				c.Client.Path = base.Path
			}
			if c.Client.EIO == 0 {
				c.Client.EIO = base.EIO
			}
			if c.Client.Namespace == "" {
				c.Client.Namespace = base.Namespace
			}
			if strings.HasPrefix(tt.name, "never") {
				c.JoinTimeout = 200 * time.Millisecond
			}
			_, err := Run(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	for _, tt := range []struct{ url, addr, host, query, wrong string }{
		{url: "http://localhost:3000", addr: "localhost:3000", host: "localhost:3000"},
		{url: "ws://a.example/?x=1", addr: "a.example:80", host: "a.example", query: "x=1"},
		{url: "https://[::1]", addr: "[::1]:443", host: "[::1]"},
		{url: "wss://b:1", addr: "b:1", host: "b:1"},
		{url: "localhost:3000", wrong: "no URL"},
		{url: "ftp://a", wrong: "must begin with http"},
		{url: "http://", wrong: "no URL"},
		{url: "http://a/admin", wrong: "--namespace"},
	} {
		t.Run(tt.url, func(t *testing.T) {
			got, err := ParseTarget(tt.url)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || got.Addr != tt.addr || got.Host != tt.host || got.Query != tt.query || got.TLS != (strings.Contains(tt.addr, "443") || strings.HasPrefix(tt.url, "wss")) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestSources(t *testing.T) {
	for _, tt := range []struct {
		list  string
		count int
		auto  bool
		ok    bool
	}{
		{"", 0, false, true},
		{"auto", 0, true, true},
		{"127.0.0.2", 1, false, true},
		{"127.0.0.0/29", 6, false, true},
		{"127.0.0.2, 127.0.1.0/30", 3, false, true},
		{"127.0.0.0/8", maxSources, false, true},
		{"localhost", 0, false, false},
		{"127.0.0.1,", 0, false, false},
	} {
		t.Run(tt.list, func(t *testing.T) {
			got, auto, err := ParseSources(tt.list)
			if (err == nil) != tt.ok || auto != tt.auto || len(got) != tt.count {
				t.Errorf("%d, %v, %v", len(got), auto, err)
			}
		})
	}
}

// Clients are spread over the addresses that are given.
func TestSourceAddresses(t *testing.T) {
	var mu sync.Mutex
	from := map[string]bool{}
	url, _ := serve(t, &sio.Options{AllowRequest: func(_ context.Context, r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		from[host] = true
		return err
	}})
	c := config(t, url, scenario.Part{Kind: scenario.Idle, Clients: 8})
	var err error
	if c.Sources, _, err = ParseSources("127.0.0.2,127.0.0.3"); err != nil {
		t.Fatal(err)
	}
	test(t, c)
	if len(from) != 2 || !from["127.0.0.2"] || !from["127.0.0.3"] {
		t.Errorf("clients came from %v", from)
	}
}

// More clients than there can be are refused, with the number that is possible.
func TestTooManyClients(t *testing.T) {
	url, _ := serve(t, &sio.Options{})
	c := config(t, url, scenario.Part{Kind: scenario.Echo, Clients: scenario.MaxClients})
	c.Client.Transport = client.Polling
	_, err := Run(t.Context(), c)
	var few *ResourceError
	if !errors.As(err, &few) || few.Asked != scenario.MaxClients || few.Possible < 1 || few.Possible >= few.Asked {
		t.Errorf("got %v", err)
	}
}

// A run that is interrupted has a result of what was.
func TestInterrupt(t *testing.T) {
	url, _ := serve(t, &sio.Options{})
	c := config(t, url, scenario.Part{Kind: scenario.Echo, Clients: 5})
	c.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(p *report.Point) {
		if p.Phase == report.Measuring && p.Received > 0 {
			cancel()
		}
	}
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Parts[0]; !r.Partial || p.Received == 0 || p.Lost > 0 || r.Seconds <= 0 || r.Seconds > 60 {
		t.Errorf("partial %v, %.1f s, %+v", r.Partial, r.Seconds, p)
	}
}

// Clients that are thrown out are counted, and what they had under way is not lost.
func TestLostClients(t *testing.T) {
	url, server := serve(t, &sio.Options{})
	for _, kind := range []scenario.Kind{scenario.Idle, scenario.Echo, scenario.Bcast, scenario.Rooms, scenario.Presence} {
		t.Run(string(kind), func(t *testing.T) {
			c := config(t, url, scenario.Part{Kind: kind, Clients: 6, RoomSize: 3})
			thrown := false
			c.Progress = func(p *report.Point) {
				if p.Phase == report.Measuring && !thrown {
					thrown = true
					if err := server.DisconnectSockets(true); err != nil {
						t.Error(err)
					}
				}
			}
			r := test(t, c)
			if r.Clients.Joined != 6 || r.Clients.Held != 0 || r.Clients.Lost != 6 {
				t.Errorf("clients: %+v", r.Clients)
			}
			if len(r.Errors) == 0 || !strings.HasPrefix(r.Errors[0].Kind, "closed: ") || r.Parts[0].Lost > 0 {
				t.Errorf("errors %v, %+v", r.Errors, r.Parts[0])
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	ok := report.Result{
		Seconds: 1, Main: "echo", Latency: map[string]report.Latency{"echo": {P99: 20}}, Settings: report.Settings{CPUs: 2},
		Parts: []report.Part{{Name: "echo", Rate: 100, SentRate: 99}}, Generator: report.Generator{CPUShare: 0.5, LoopShare: 0.5, LagP99: 0.3},
		Server: &report.Process{CPUShare: 0.5},
	}
	for _, tt := range []struct {
		name   string
		change func(r *report.Result)
		want   string
	}{
		{"nothing", func(*report.Result) {}, ""},
		{"a busy loop", func(r *report.Result) { r.Generator.LoopShare = 0.9 }, "it is the bottleneck"},
		{"lag", func(r *report.Result) { r.Generator.LagP99 = 3 }, "3.00 ms late"},
		{"lag that does not matter", func(r *report.Result) { r.Generator.LagP99 = 1.5 }, ""},
		{"a busy machine", func(r *report.Result) { r.Server.CPUShare = 1.5 }, "took them from each other"},
		{"unsent messages", func(r *report.Result) { r.Parts = []report.Part{{Unsent: 3}} }, "3 times nothing was sent"},
		{"a rate that was missed", func(r *report.Result) { r.Parts = []report.Part{{Rate: 100, SentRate: 90}} }, "90 a second were done of the 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, s := ok, *ok.Server
			r.Server = &s
			tt.change(&r)
			got := strings.Join(new(runner).warnings(&r), "\n")
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A server whose process ends takes its clients along, and is said to have ended.
func TestServerThatEnds(t *testing.T) {
	child := startChild(t)
	c := config(t, child.url, scenario.Part{Kind: scenario.Idle, Clients: 5})
	c.PID = child.pid
	c.Duration = time.Second
	c.Progress = func(p *report.Point) {
		if p.Phase == report.Measuring {
			child.end()
		}
	}
	r := test(t, c)
	if r.Clients.Lost != 5 || r.Server == nil || r.Server.RSS == 0 || r.Generator.RSS == 0 {
		t.Errorf("clients %+v, server %+v, generator %+v", r.Clients, r.Server, r.Generator)
	}
	if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, "\n"), "ended before the run did") {
		t.Errorf("warnings: %q", r.Warnings)
	}
}

// A run that is interrupted while clients connect has a result, too.
func TestInterruptWhileConnecting(t *testing.T) {
	url, _ := serve(t, &sio.Options{})
	c := config(t, url, scenario.Part{Kind: scenario.Echo, Clients: 1000})
	c.ConnectRate = 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(p *report.Point) {
		if p.Clients > 0 {
			cancel()
		}
	}
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Partial || r.Clients.Held == 0 || r.Clients.Held >= 1000 || r.Parts[0].Sent > 0 || r.Seconds > 1 || r.Generator.RSS == 0 {
		t.Errorf("partial %v, clients %+v, %+v", r.Partial, r.Clients, r.Parts[0])
	}
}
