package siotest_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// echoServer acknowledges "echo" with what came.
func echoServer(t testing.TB, change ...func(o *sio.Options)) *sio.Server {
	t.Helper()
	io := newServer(t, change...)
	io.OnEvent("echo", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { return ack.SendRaw(args) })
	return io
}

// The packets are the test's own.
func TestPackets(t *testing.T) {
	onEach(t, func(t on) {
		io := echoServer(t)
		io.Of("/admin")
		srv := siotest.Start(t, io)
		c := srv.Open(t, t.transport)
		if io.Clients() != 1 || len(c.SID()) == 0 {
			t.Errorf("%d clients, sid %q", io.Clients(), c.SID())
		}
		id := c.Join("/", "")
		if other := c.Join("/admin", `{"a":1}`); other == id || io.Of("/admin").Socket(other) == nil {
			t.Errorf("ids %q, %q", id, other)
		}
		c.Send(`420["echo","a b"]`, `421["echo"]`)
		c.Want(`430["a b"]`, `431[]`)
		c.Send(`451-2["echo",{"_placeholder":true,"num":0}]`)
		c.SendBinary([]byte("\x00\xff"))
		if got := []string{c.Next(), c.Next()}; got[0] != `461-2[{"_placeholder":true,"num":0}]` || got[1] != "binary:\x00\xff" {
			t.Errorf("got %q", got)
		}
		io.Sockets()[0].Disconnect(true)
		packets, _ := c.WantClosed()
		if want := "41"; len(packets) == 0 || packets[0] != want && packets[0] != want+"/admin," {
			t.Errorf("before the end came %q, want %s first", packets, want)
		}
	})
}

func TestPacketFailures(t *testing.T) {
	onEach(t, func(t on) {
		transport := t.transport
		for _, tt := range []struct {
			name string
			do   func(c *siotest.Conn)
			want string
		}{
			{"none comes", func(c *siotest.Conn) { c.Next() }, "siotest: waiting for a packet: "},
			{"another comes", func(c *siotest.Conn) { c.Send("40/nope,"); c.Want("40/nope,{}") }, `siotest: got packet "44/nope,{\"message\":\"Invalid namespace\"}", want "40/nope,{}"`},
			{"refused", func(c *siotest.Conn) { c.Join("/nope", "") }, `siotest: joining /nope: the answer is "44/nope,`},
			{"still open", func(c *siotest.Conn) { c.WantClosed() }, "siotest: the connection is still open; there came []"},
			{"closed", func(c *siotest.Conn) { c.Close(); c.Send("40") }, `siotest: sending "40": `},
			{"closed, binary", func(c *siotest.Conn) { c.Close(); c.SendBinary([]byte("abc")) }, `siotest: sending 3 bytes: `},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := run(t, func(tb *failing) {
					c := siotest.Start(tb, newServer(t)).Open(tb, transport)
					siotest.SetConnPatience(c, short)
					tt.do(c)
					t.Error("it goes on")
				})
				if !strings.HasPrefix(got, tt.want) {
					t.Errorf("the test is told %q, want %q", got, tt.want)
				}
			})
		}
	})
}

// Clients of Socket.IO 2 are played over a WebSocket.
func TestOldProtocol(t *testing.T) {
	srv := siotest.Start(t, echoServer(t, func(o *sio.Options) { o.AllowEIO3 = true }))
	c := srv.Open(t, siotest.Query("EIO", "3"))
	c.Want("40")
	c.Send(`420["echo",1]`)
	c.Want(`430[1]`)
	c.Send("2")
	c.Want("3")
}

// A server with a port is no different.
func TestDial(t *testing.T) {
	onEach(t, func(t on) {
		io := echoServer(t, func(o *sio.Options) { o.Path = "/app/io" })
		io.OnEvent("start", func(s *sio.Socket) error { return s.Emit("started") })
		io.Use(func(s *sio.Socket) error {
			if s.Handshake().Query.Get("who") != "me" {
				return errors.New("who are you?")
			}
			return nil
		})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- io.Serve(ln) }()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := io.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if err := <-served; !errors.Is(err, sio.ErrServerClosed) {
				t.Error(err)
			}
		})
		url := "http://" + ln.Addr().String() + "/app/"
		opts := []siotest.Option{t.transport, siotest.Path("io"), siotest.Query("who", "me")}
		c := siotest.Dial(t, url, opts...)
		if got := c.Call("echo", "x", []byte("y")).String(); got != `["x","eQ=="]` {
			t.Errorf("got %s", got)
		}
		c.ExpectNone()
		c.Emit("start")
		c.Expect("started")
		c.Disconnect()
		c.ExpectNone()
		c.Reconnect()
		if err := io.Emit("news"); err != nil {
			t.Error(err)
		}
		if got := run(t, func(tb *failing) {
			other := siotest.Dial(tb, url, opts...)
			if err := io.Emit("news"); err != nil {
				t.Error(err)
			}
			other.ExpectNone("news")
		}); got != "siotest: there should be no such event, but there came: news()" {
			t.Errorf("the test is told %q", got)
		}
		if _, err := siotest.TryDial(t, url, opts[:2]...); err == nil || err.Error() != "connection refused: who are you?" {
			t.Errorf("refused with %v", err)
		}
		if siotest.Open(t, url, opts...).Join("/", "") == "" {
			t.Error("no id")
		}
		if got := run(t, func(tb *failing) { siotest.Dial(tb, url, siotest.Path("nowhere"), t.transport) }); !strings.Contains(got, "refused with 404") {
			t.Errorf("the test is told %q", got)
		}
	})
}

// Connections of other packages work, too, and end with the server.
func TestForeignConnection(t *testing.T) {
	io := newServer(t)
	srv := siotest.Start(t, io)
	conn, err := srv.DialContext(t.Context(), "tcp", "anywhere:80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	srv.Wait() // though nobody reads the answer
	srv.Advance(75*time.Second - time.Millisecond)
	buf := make([]byte, 4096)
	if n, err := conn.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 404 ") {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	srv.Advance(time.Millisecond) // the time for a next request is over
	if n, err := conn.Read(buf); err == nil {
		t.Errorf("got %q", buf[:n])
	}
}

// A connection that the test leaves open does not keep the server from its end:
// then, its timeouts run again.
func TestLeftConnection(t *testing.T) {
	var conn net.Conn
	got := run(t, func(tb *failing) {
		srv := siotest.Start(tb, newServer(t))
		var err error
		if conn, err = srv.DialContext(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		srv.Wait()
	})
	conn.Close()
	if got != "" {
		t.Errorf("the test is told %q", got)
	}
}

// After the end, nothing is accepted.
func TestDialAfterTheEnd(t *testing.T) {
	var srv *siotest.Server
	run(t, func(tb *failing) { srv = siotest.Start(tb, newServer(t)) })
	if _, err := srv.TryConnect(t); err == nil {
		t.Error("connected")
	}
}
