package siotest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/engine"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestChat(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		io.OnEvent("join", func(s *sio.Socket, room string) { s.Join(room) })
		io.OnEvent("chat", func(s *sio.Socket, text string) error { return s.To("lobby").Emit("chat", text) })
		io.OnEvent("sum", func(_ *sio.Socket, a, b int, ack sio.Ack) error { return ack.Send(a + b) })
		srv := siotest.Start(t, io)
		alice, bob, carl := srv.Connect(t, t.transport), srv.Connect(t, t.transport), srv.Connect(t, t.transport)
		alice.Emit("join", "lobby")
		bob.Emit("join", "lobby")
		srv.Wait()
		alice.Emit("chat", "hi")
		alice.Emit("chat", "there")
		if got := bob.Expect("chat").String(); got != `chat("hi")` {
			t.Errorf("got %s", got)
		}
		if got := bob.Expect("chat").String(); got != `chat("there")` {
			t.Errorf("got %s", got)
		}
		for _, c := range []*siotest.Client{alice, bob, carl} {
			c.ExpectNone("chat")
			c.ExpectNone()
		}
		var sum int
		if err := alice.Call("sum", 1, 2).Decode(&sum); err != nil || sum != 3 {
			t.Errorf("sum %d, %v", sum, err)
		}
	})
}

func TestBinary(t *testing.T) {
	type picture struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	onEach(t, func(t on) {
		io := newServer(t)
		io.OnEvent("echo", func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
			return errors.Join(s.EmitRaw("echoed", args), ack.SendRaw(args))
		})
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		large := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
		args := []any{[]byte{1, 2, 255}, picture{"x", large}, map[string]any{"deep": []any{[]byte("abc"), "text"}}, 5}
		answer := c.Call("echo", args...)
		for _, got := range []siotest.Args{answer, c.Expect("echoed").Args} {
			var (
				raw  []byte
				p    picture
				deep map[string]any
				n    int
			)
			if err := got.Decode(&raw, &p, &deep, &n); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(raw, []byte{1, 2, 255}) || !bytes.Equal(p.Data, large) || n != 5 {
				t.Errorf("got %v, %d bytes, %d", raw, len(p.Data), n)
			}
			if list, _ := deep["deep"].([]any); len(list) != 2 || string(list[0].([]byte)) != "abc" || list[1] != "text" {
				t.Errorf("got %v", deep)
			}
		}
	})
}

// The server asks, and handlers of the client answer, who may ask back.
func TestHandlers(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		io.OnEvent("more", func(_ *sio.Socket, n int, ack sio.Ack) error { return ack.Send(n + 1) })
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		var seen lines
		c.On("news", func(args siotest.Args) { seen.add("%v", args) })
		c.OnCall("question", func(args siotest.Args) []any {
			var n int
			if err := c.Call("more", args.Any()[0]).Decode(&n); err != nil {
				t.Error(err)
			}
			return []any{2 * n}
		})
		s := io.Sockets()[0]
		reply, err := s.EmitWithAck(t.Context(), "question", 20)
		var n int
		if err := errors.Join(err, reply.Decode(&n)); err != nil || n != 42 {
			t.Errorf("the answer is %d, %v", n, err)
		}
		if err := errors.Join(s.Emit("news", 1), s.Emit("question", 1), s.Emit("news", 2)); err != nil {
			t.Error(err)
		}
		srv.Wait()
		seen.want(t, "[1]", "[2]")
		if e := c.Expect("question"); e.String() != "question(20)" {
			t.Errorf("the question was %v", e)
		}
	})
}

// Without a handler, the test answers when it likes to; the server's handler, which
// waits for it, does not keep anybody from going on.
func TestAckByHand(t *testing.T) {
	io := newServer(t)
	var got lines
	io.OnConnection(func(s *sio.Socket) {
		reply, err := s.EmitWithAck(t.Context(), "question", "?")
		got.add("%v %d", err, reply.Len())
	})
	srv := siotest.Start(t, io)
	c := srv.Connect(t)
	q := c.Expect("question")
	c.ExpectNone()
	srv.Advance(time.Minute)
	got.want(t)
	q.Ack("a", []byte("b"))
	srv.Wait()
	got.want(t, "<nil> 2")
}

func TestAsk(t *testing.T) {
	io := newServer(t)
	acks := make(chan sio.Ack, 1)
	io.OnEvent("later", func(ack sio.Ack) { acks <- ack })
	srv := siotest.Start(t, io)
	c := srv.Connect(t)
	answer := c.Ask("later")
	srv.Advance(time.Second)
	if err := (<-acks).Send("now"); err != nil {
		t.Error(err)
	}
	if got := answer().String(); got != `["now"]` {
		t.Errorf("got %s", got)
	}
}

// Who says nothing, in whatever way, has an empty object.
func TestAuth(t *testing.T) {
	io := newServer(t)
	srv := siotest.Start(t, io)
	for name, tt := range map[string]struct {
		opts []siotest.Option
		want string
	}{
		"none":    {nil, "{}"},
		"nil":     {[]siotest.Option{siotest.Auth(nil)}, "{}"},
		"nil map": {[]siotest.Option{siotest.Auth(map[string]int(nil))}, "{}"},
		"struct":  {[]siotest.Option{siotest.Auth(struct{ Token string }{"a"})}, `{"Token":"a"}`},
		"pointer": {[]siotest.Option{siotest.Auth(&struct{ Token string }{"a"})}, `{"Token":"a"}`},
		"raw":     {[]siotest.Option{siotest.Auth(json.RawMessage(` {"a":1}`))}, `{"a":1}`},
	} {
		c := srv.Connect(t, tt.opts...)
		if got := string(io.Socket(c.ID()).Handshake().Auth); got != tt.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestNamespaces(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		io.Of("/admin").OnEvent("where", func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Namespace().Name(), s.ID()) })
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		admin := c.Connect(siotest.Namespace("admin"), siotest.Auth(map[string]int{"level": 3}))
		if got, want := admin.Call("where").String(), fmt.Sprintf(`["/admin",%q]`, admin.ID()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := string(io.Of("/admin").Socket(admin.ID()).Handshake().Auth); got != `{"level":3}` {
			t.Errorf("auth %s", got)
		}
		if io.Clients() != 1 {
			t.Errorf("%d connections", io.Clients())
		}
		if err := io.Emit("to all", 1); err != nil {
			t.Error(err)
		}
		c.Expect("to all")
		admin.ExpectNone()
		admin.Disconnect()
		srv.Wait()
		if admin.Connected() || !c.Connected() || io.Of("/admin").SocketCount() != 0 {
			t.Error("the wrong one was disconnected")
		}
		if _, err := c.TryConnect(); err == nil {
			t.Error("it is in there twice")
		}
		again := c.Connect(siotest.Namespace("/admin"))
		if again.ID() == admin.ID() {
			t.Error("the id is the old one")
		}
	})
}

func TestRefusals(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t, func(o *sio.Options) {
			o.AllowRequest = func(_ context.Context, r *http.Request) error {
				if r.Header.Get("X-Who") == "nobody" || r.URL.Query().Get("who") == "nobody" {
					return errors.New("go away")
				}
				return nil
			}
		})
		io.Use(func(s *sio.Socket) error {
			var auth struct{ Token string }
			if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil || auth.Token != "a" {
				return &sio.ConnectError{Message: "no", Data: map[string]int{"code": 7}}
			}
			return nil
		})
		srv := siotest.Start(t, io)
		for _, opt := range []siotest.Option{siotest.Header("X-Who", "nobody"), siotest.Query("who", "nobody")} {
			_, err := srv.TryConnect(t, t.transport, opt)
			if refused, ok := errors.AsType[*siotest.HandshakeError](err); !ok || refused.Status/100 != 4 || !strings.Contains(refused.Body, "go away") {
				t.Errorf("refused with %v", err)
			}
		}
		for _, tt := range []struct {
			opts []siotest.Option
			want siotest.ConnectError
		}{
			{nil, siotest.ConnectError{Message: "no", Data: []byte(`{"code":7}`)}},
			{[]siotest.Option{siotest.Namespace("/nope")}, siotest.ConnectError{Message: "Invalid namespace"}},
		} {
			_, err := srv.TryConnect(t, append(tt.opts, t.transport)...)
			refused, ok := errors.AsType[*siotest.ConnectError](err)
			if !ok || refused.Message != tt.want.Message || !bytes.Equal(refused.Data, tt.want.Data) {
				t.Errorf("refused with %v, want %v", err, &tt.want)
			}
			var sent *sio.ConnectError
			if !errors.As(err, &sent) || sent.Message != tt.want.Message {
				t.Errorf("refused with %v, as %v", err, sent)
			}
			if data, _ := sent.Data.(json.RawMessage); !bytes.Equal(data, tt.want.Data) || (sent.Data == nil) != (tt.want.Data == nil) {
				t.Errorf("refused with the data %v", sent.Data)
			}
			if other := new(siotest.HandshakeError); errors.As(err, &other) {
				t.Errorf("it is a %v, too", other)
			}
		}
		c := srv.Connect(t, t.transport, siotest.Auth(map[string]string{"token": "a"}))
		if io.Of("/").Socket(c.ID()) == nil {
			t.Error("nobody is connected")
		}
	})
}

// How a connection ends, from either side, and what each sees of it.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name           string
		end            func(srv *siotest.Server, io *sio.Server, c *siotest.Client)
		client         siotest.Reason
		server, polled sio.Reason
	}{
		{
			name: "disconnect", client: siotest.ReasonClientDisconnect, server: sio.ReasonClientDisconnect,
			end: func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Disconnect() },
		},
		{
			name: "cut", client: siotest.ReasonTransportClose, server: sio.ReasonTransportClose, polled: sio.ReasonTransportError,
			end: func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Cut() },
		},
		{
			name: "drop", client: siotest.ReasonDropped, server: sio.ReasonPingTimeout,
			end: func(srv *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Drop(); srv.Advance(time.Minute) },
		},
		{
			name: "server", client: siotest.ReasonServerDisconnect, server: sio.ReasonServerDisconnect,
			end: func(_ *siotest.Server, io *sio.Server, _ *siotest.Client) { io.Sockets()[0].Disconnect(false) },
		},
		{
			name: "server, connection", client: siotest.ReasonServerDisconnect, server: sio.ReasonServerDisconnect,
			end: func(_ *siotest.Server, io *sio.Server, _ *siotest.Client) { io.Sockets()[0].Disconnect(true) },
		},
		{
			name: "shutdown", client: siotest.ReasonTransportClose, server: sio.ReasonShuttingDown,
			end: func(_ *siotest.Server, io *sio.Server, _ *siotest.Client) {
				if err := io.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t on) {
				io := newServer(t)
				var ends lines
				ends.notes(io)
				srv := siotest.Start(t, io)
				c := srv.Connect(t, t.transport)
				tt.end(srv, io, c)
				srv.Wait()
				want := string(tt.server)
				if tt.polled != "" && t.name == "polling" {
					want = string(tt.polled)
				}
				ends.want(t, want)
				if got := c.ExpectDisconnect(); got != tt.client || c.Connected() {
					t.Errorf("the client sees %q", got)
				}
			})
		})
	}
}

// A client that leaves asks for nothing behind its goodbye.
func TestCleanDisconnect(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t, func(o *sio.Options) {
			o.Hooks.ConnectionError = func(err *engine.ConnectionError) { t.Errorf("refused: %v", err) }
		})
		srv := siotest.Start(t, io)
		for range 20 {
			c := srv.Connect(t, t.transport)
			c.Disconnect()
		}
		srv.Wait()
		if n := io.Clients(); n != 0 {
			t.Errorf("%d clients are left", n)
		}
	})
}

func TestReconnect(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		io.OnConnection(func(s *sio.Socket) {
			if err := s.Emit("hello", string(s.Handshake().Auth)); err != nil {
				t.Error(err)
			}
		})
		io.Of("/admin")
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport, siotest.Auth(map[string]string{"token": "a"}))
		admin := c.Connect(siotest.Namespace("/admin"))
		var handled lines
		c.On("hello", func(args siotest.Args) { handled.add("%v", args) })
		for _, end := range []func(){
			c.Cut,
			c.Drop,
			func() { admin.Disconnect(); c.Disconnect() },
			func() { io.Of("/").Socket(c.ID()).Disconnect(true); c.ExpectDisconnect() },
		} {
			if got := c.Expect("hello").String(); got != `hello("{\"token\":\"a\"}")` {
				t.Errorf("got %s", got)
			}
			id := c.ID()
			end()
			c.Reconnect()
			if c.ID() == id || c.Recovered() {
				t.Errorf("the id is %s again, recovered: %v", id, c.Recovered())
			}
			if admin.Connected() {
				t.Error("the other is connected, too")
			}
			admin.Reconnect()
		}
		c.Expect("hello")
		c.ExpectNone()
		if n := len(handled.text); n != 4 && n != 5 { // the first may have come before
			t.Errorf("%d were handled", n)
		}
	})
}

// Where the server has state recovery, the client tells what it had: pid and the
// offset of the last event. It shows what the client sends, to a server of the
// test's own.
func TestRecovery(t *testing.T) {
	peer := newPeer(t)
	connects := make(chan string, 3)
	go peer.serve(func(s *peerSocket) {
		connects <- s.next()
		s.send(`40{"sid":"s1","pid":"p1"}`, `42["a",1,"offset 1"]`, `42["b"]`, `42["c","offset 2"]`, `42["d",7]`)
	}, func(s *peerSocket) {
		connects <- s.next()
		s.send(`40{"sid":"s1","pid":"p1"}`)
	}, func(s *peerSocket) {
		connects <- s.next()
		s.send(`40{"sid":"s2","pid":"p2"}`)
	})
	c := siotest.Dial(t, peer.url, siotest.Auth(map[string]int{"x": 1}))
	c.Expect("d")
	recovered := []bool{c.Recovered()}
	for range 2 {
		c.Cut()
		c.Reconnect()
		recovered = append(recovered, c.Recovered())
	}
	for _, want := range []string{`40{"x":1}`, `40{"offset":"offset 2","pid":"p1","x":1}`, `40{"offset":"offset 2","pid":"p1","x":1}`} {
		if got := <-connects; got != want {
			t.Errorf("connected with %s, want %s", got, want)
		}
	}
	if want := []bool{false, true, false}; !slices.Equal(recovered, want) {
		t.Errorf("recovered: %v, want %v", recovered, want)
	}
}
