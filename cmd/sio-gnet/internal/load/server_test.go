package load

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/bench"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// serve starts our own server with the application for load tools.
func serve(t *testing.T, o *sio.Options) (url string, server *sio.Server) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	o.Loops = 2
	server, err := sio.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := bench.New(apps.Config{Logger: o.Logger, Out: io.Discard}).Attach(server); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); !errors.Is(err, sio.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String(), server
}

// protocols are the ways to talk to a server.
var protocols = []struct {
	name   string
	client client.Config
}{
	{"websocket", client.Config{}},
	{"polling", client.Config{Transport: client.Polling}},
	{"upgrade", client.Config{Transport: client.Upgrade}},
	{"websocket EIO 3", client.Config{EIO: 3}},
	{"polling EIO 3", client.Config{EIO: 3, Transport: client.Polling}},
	{"upgrade EIO 3", client.Config{EIO: 3, Transport: client.Upgrade}},
	{"namespace", client.Config{Namespace: "/bench", Auth: []byte(`{"token":"x"}`)}},
	{"namespace EIO 3", client.Config{EIO: 3, Namespace: "/bench", Transport: client.Polling}},
	{"MessagePack", client.Config{MessagePack: true, Auth: []byte(`{"token":"x"}`)}},
	{"MessagePack polling", client.Config{MessagePack: true, Transport: client.Polling}},
	{"MessagePack EIO 3", client.Config{MessagePack: true, EIO: 3, Transport: client.Upgrade, Namespace: "/bench"}},
	{"deflate", client.Config{Deflate: client.Deflated}},
	{"deflate with takeover", client.Config{Deflate: client.DeflateTakeover, Transport: client.Upgrade}},
}

// Everything works with everything: all that our own server is sent comes back, once and
// in order.
func TestOwnServer(t *testing.T) {
	for _, p := range protocols {
		for _, tt := range []struct {
			name string
			part scenario.Part
		}{
			{"text", scenario.Part{Kind: scenario.Echo, Clients: 5, Window: 3, Size: 2000}},
			{"binary", scenario.Part{Kind: scenario.Echo, Clients: 5, Window: 3, Binary: true, Size: 2000}},
			{"rooms", scenario.Part{Kind: scenario.Rooms, Clients: 6, RoomSize: 3, Rate: 300}},
			{"presence", scenario.Part{Kind: scenario.Presence, Clients: 6, RoomSize: 3, Rate: 200}},
		} {
			t.Run(p.name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				o := &sio.Options{AllowEIO3: true, PerMessageDeflate: &sio.Deflate{ServerContextTakeover: true}, PingInterval: 50 * time.Millisecond}
				if p.client.MessagePack {
					o.Parser = msgpack.Parser{}
				}
				url, _ := serve(t, o)
				c := config(t, url, tt.part)
				c.Client = p.client
				c.Client.Path, c.Client.MaxMessage = "/socket.io/", 1<<20
				if c.Client.EIO == 0 {
					c.Client.EIO = 4
				}
				if c.Client.Namespace == "" {
					c.Client.Namespace = "/"
				}
				r := testSome(t, c)
				part := r.Parts[0]
				if part.Sent == 0 || part.Received == 0 || part.Lost+part.Doubled+part.Reordered+part.Stray > 0 {
					t.Errorf("got %+v", part)
				}
				if r.Clients.Held != tt.part.Clients || len(r.Errors) > 0 {
					t.Errorf("clients: %+v, errors: %v", r.Clients, r.Errors)
				}
			})
		}
	}
}

// A mix has its parts do what they are to, and reports each.
func TestMixOnOwnServer(t *testing.T) {
	url, _ := serve(t, &sio.Options{})
	c := config(t, url,
		scenario.Part{Kind: scenario.Idle, Clients: 3},
		scenario.Part{Kind: scenario.Echo, Clients: 3, Rate: 300, Name: "chat"},
		scenario.Part{Kind: scenario.Fanout, Clients: 3},
		scenario.Part{Kind: scenario.Bcast, Clients: 3, Name: "news", Rate: 50},
		scenario.Part{Kind: scenario.Connect, Clients: 3, Rate: 100})
	c.PID = os.Getpid()
	r := test(t, c)
	if r.Main != "chat" || r.Clients.Asked != 15 || r.Clients.Joined != 15 {
		t.Errorf("main latency %q, clients %+v", r.Main, r.Clients)
	}
	for _, name := range []string{"chat", "fanout", "news", "connect", "reconnect", "lag"} {
		if r.Latency[name].Count == 0 {
			t.Errorf("no latency of %s", name)
		}
	}
	for i, name := range []string{"idle", "chat", "fanout", "news", "connect"} {
		p := r.Parts[i]
		if p.Name != name || name != "idle" && (p.Sent == 0 || p.Received == 0) || p.Lost+p.Doubled+p.Stray > 0 {
			t.Errorf("part %d: %+v", i, p)
		}
	}
	if r.Server == nil || r.Server.RSS == 0 || r.Generator.RSS == 0 {
		t.Errorf("server %+v, generator %+v", r.Server, r.Generator)
	}
	last := 0.0
	for _, p := range r.Series {
		if p.At <= last {
			t.Errorf("the series goes from %v to %v s", last, p.At)
		}
		last = p.At
	}
}

func TestConnectingAnew(t *testing.T) {
	for _, transport := range []client.Transport{client.WebSocket, client.Polling, client.Upgrade} {
		t.Run(transportNames[transport], func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, &sio.Options{})
			c := config(t, url, scenario.Part{Kind: scenario.Connect, Clients: 20, Rate: 100, Storm: 100 * time.Millisecond})
			c.Client.Transport = transport
			c.ConnectRate = 500
			r := test(t, c)
			// Two storms and more of 20 clients each; those that have not joined by the next
			// one begin anew.
			if p := r.Parts[0]; p.Sent < 40 || p.Received == 0 || p.Received > p.Sent || p.Lost > 0 || len(r.Errors) > 0 {
				t.Errorf("%+v, errors %v", p, r.Errors)
			}
			if r.Main != "reconnect" || r.Latency["reconnect"].Count != r.Parts[0].Received || r.Latency["connect"].Count != 20 {
				t.Errorf("%s of %+v", r.Main, r.Latency)
			}
		})
	}
}

// overTLS takes connections over TLS, and passes on what is in them, as a proxy does.
func overTLS(t *testing.T, backend string) (url string) {
	t.Helper()
	certificates := httptest.NewTLSServer(nil) // it has some
	defer certificates.Close()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			front, err := ln.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", strings.TrimPrefix(backend, "http://"))
			if err != nil {
				t.Error(err)
				front.Close()
				return
			}
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(to, from) // either may end it
				to.Close()
				from.Close()
			}
			running.Go(func() { pass(front, back) })
			running.Go(func() { pass(back, front) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
	return "https://" + ln.Addr().String()
}

func TestTLS(t *testing.T) {
	for _, transport := range []client.Transport{client.WebSocket, client.Polling, client.Upgrade} {
		t.Run(transportNames[transport], func(t *testing.T) {
			url, _ := serve(t, &sio.Options{})
			c := config(t, overTLS(t, url), scenario.Part{Kind: scenario.Echo, Clients: 5, Window: 3, Size: 30000})
			c.Client.Transport = transport
			c.Insecure = true
			r := testSome(t, c)
			if p := r.Parts[0]; p.Received == 0 || p.Lost+p.Doubled+p.Reordered+p.Stray > 0 || len(r.Errors) > 0 || !r.Settings.TLS {
				t.Errorf("got %+v, errors %v", p, r.Errors)
			}
			c.Insecure = false
			if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("with a certificate that nobody signed: %v", err)
			}
		})
	}
}
