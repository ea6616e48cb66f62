package siotest_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// Wait sees a chain of events to its end, however often it goes to and fro.
func TestWait(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t, func(o *sio.Options) { o.Loops = 2 })
		var left atomic.Int64
		io.OnEvent("ping", func(s *sio.Socket, n int, data []byte) error {
			left.Store(int64(n))
			return s.Broadcast().Emit("pong", n, data)
		})
		srv := siotest.Start(t, io)
		var clients [2]*siotest.Client
		for i := range clients {
			c := srv.Connect(t, t.transport)
			c.On("pong", func(args siotest.Args) {
				var (
					n    int
					data []byte
				)
				if err := args.Decode(&n, &data); err != nil {
					t.Error(err)
				}
				if n > 0 {
					c.Emit("ping", n-1, data)
				}
			})
			clients[i] = c
		}
		for i := range 20 {
			rounds, size := 10, 10
			if i == 0 {
				rounds, size = 1, 300_000 // more than a socket holds
			}
			clients[0].Emit("ping", rounds, make([]byte, size))
			srv.Wait()
			if n := left.Load(); n != 0 {
				t.Fatalf("%d rounds are left", n)
			}
		}
	})
}

// A handler that sleeps, or waits for I/O, is not blocked.
func TestWaitForSlowHandlers(t *testing.T) {
	server := newServer(t, func(o *sio.Options) {
		o.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Millisecond) })
	})
	var got lines
	server.OnEvent("sleep", func() {
		time.Sleep(30 * time.Millisecond)
		got.add("awake")
	})
	server.Use(func(*sio.Socket) error { time.Sleep(30 * time.Millisecond); return nil })
	srv := siotest.Start(t, server)
	c := srv.Connect(t)
	c.Emit("sleep")
	srv.Wait()
	got.want(t, "awake")

	raw := srv.Open(t)
	raw.Send("40")
	srv.Wait()
	if n := server.Of("/").SocketCount(); n != 2 {
		t.Errorf("%d sockets", n)
	}

	wantAnswer(t, srv)
}

// wantAnswer makes a request over a new connection, whose answer is there after
// Wait.
func wantAnswer(t *testing.T, srv *siotest.Server) {
	t.Helper()
	conn, err := srv.DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	srv.Wait()
	if n, err := siotest.Unread(conn); err != nil || n == 0 {
		t.Fatalf("no answer: %v", err)
	}
}

// What was sent over a connection that is not accepted yet is waited for, too.
func TestWaitForNewConnections(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := newServer(t, func(o *sio.Options) { o.Loops = 1 })
	server.OnEvent("block", func() { close(entered); <-release }, sio.Inline)
	srv := siotest.Start(t, server)
	c := srv.Connect(t)
	c.Emit("block")
	<-entered
	time.AfterFunc(20*time.Millisecond, func() { close(release) }) // until then, nobody is accepted
	wantAnswer(t, srv)
	for range 100 {
		wantAnswer(t, srv)
	}
}
