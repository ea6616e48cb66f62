package siotest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// short is the patience of clients that wait in vain.
const short = 50 * time.Millisecond

// What fails says what came instead, and does not hang.
func TestFailures(t *testing.T) {
	onEach(t, func(t on) {
		transport := t.transport
		for _, tt := range []struct {
			name string
			do   func(srv *siotest.Server, io *sio.Server, c *siotest.Client)
			want []string
		}{
			{
				"an event that does not come",
				func(srv *siotest.Server, _ *sio.Server, c *siotest.Client) {
					c.Emit("twice", "x")
					srv.Wait()
					c.Expect("chat")
				},
				[]string{`siotest: waited 50ms for the event "chat"; what came instead: e("x",1), e("x",2)`},
			},
			{
				"nothing comes",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Expect("chat") },
				[]string{`siotest: waited 50ms for the event "chat"; what came instead: nothing`},
			},
			{
				"an event of a client that was sent away",
				func(_ *siotest.Server, io *sio.Server, c *siotest.Client) {
					_ = io.Emit("bye") // it is connected
					io.Sockets()[0].Disconnect(true)
					c.ExpectDisconnect()
					c.Expect("chat")
				},
				[]string{`siotest: waiting for the event "chat", but the client is not connected any more: io server disconnect; what came instead: bye()`},
			},
			{
				"an acknowledgement that does not come",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Call("silence", 1) },
				[]string{`siotest: waited 50ms for the acknowledgement of "silence"; what came instead: nothing`},
			},
			{
				"an event that should not have come",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) {
					c.Emit("twice", []byte("abc"))
					c.ExpectNone("other", "e")
				},
				[]string{`siotest: there should be no such event, but there came: e("YWJj",1), e("YWJj",2)`},
			},
			{
				"any event",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) {
					c.Emit("twice", 0)
					c.Expect("e")
					c.ExpectNone()
				},
				[]string{`siotest: there should be no such event, but there came: e(0,2)`},
			},
			{
				"no disconnect",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.ExpectDisconnect() },
				[]string{`siotest: waited 50ms for the end of the connection; what came instead: nothing`},
			},
			{
				"sending after the end",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Disconnect(); c.Emit("e") },
				[]string{`siotest: sending "42[\"e\"]": the client is not connected: io client disconnect`},
			},
			{
				"no JSON",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Emit("e", func() {}) },
				[]string{`siotest: sio: encoding argument 1: `},
			},
			{
				"an acknowledgement that nobody wants",
				func(srv *siotest.Server, _ *sio.Server, c *siotest.Client) {
					c.Emit("twice", 0)
					srv.Wait()
					c.Expect("e").Ack(1)
				},
				[]string{`siotest: Ack of e(0,1): the server asks for no acknowledgement`},
			},
			{
				"a refusal",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Connect(siotest.Namespace("/nope")) },
				[]string{`siotest: connecting: connection refused: Invalid namespace`},
			},
			{
				"connected twice",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Connect() },
				[]string{`siotest: connecting: the connection is in / already`},
			},
			{
				"reconnected twice",
				func(_ *siotest.Server, _ *sio.Server, c *siotest.Client) { c.Reconnect() },
				[]string{`siotest: Reconnect: the client is still connected`},
			},
			{
				"back in time",
				func(srv *siotest.Server, _ *sio.Server, _ *siotest.Client) { srv.Advance(-1) },
				[]string{`siotest: Advance(-1ns): the time goes one way only`},
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := run(t, func(tb *failing) {
					io := newServer(t)
					io.OnEvent("twice", func(s *sio.Socket, v any) error {
						return errors.Join(s.Emit("e", v, 1), s.Emit("e", v, 2))
					})
					srv := siotest.Start(tb, io)
					c := srv.Connect(tb, transport)
					siotest.SetClientPatience(c, short)
					tt.do(srv, io, c)
					t.Error("it goes on")
				})
				if !strings.HasPrefix(got, tt.want[0]) || strings.Contains(got, "\n") {
					t.Errorf("the test is told:\n%s\nwant:\n%s", got, tt.want[0])
				}
			})
		}
	})
}

// A handler that is busy is waited for, and named in the end.
func TestBusyHandler(t *testing.T) {
	var released atomic.Bool
	got := run(t, func(tb *failing) {
		io := newServer(t)
		io.OnEvent("spin", func() {
			for !released.Load() { // it never blocks
				runtime.Gosched()
			}
		})
		srv := siotest.Start(tb, io)
		siotest.SetPatience(srv, time.Second) // the handler leaves little time to the loops
		tb.Cleanup(func() { siotest.SetPatience(srv, time.Minute); released.Store(true) })
		c := srv.Connect(tb)
		c.Emit("spin")
		srv.Wait()
	})
	if want := "siotest: the server did not come to rest within 1s: 1 handlers of the server still running"; got != want {
		t.Errorf("the test is told %q, want %q", got, want)
	}
}

// An inline handler that blocks keeps its loop from anything.
func TestBusyLoop(t *testing.T) {
	release := make(chan struct{})
	got := run(t, func(tb *failing) {
		io := newServer(t)
		io.OnEvent("block", func() { <-release }, sio.Inline)
		srv := siotest.Start(tb, io)
		siotest.SetPatience(srv, short)
		tb.Cleanup(func() { siotest.SetPatience(srv, time.Minute) })
		c := srv.Connect(tb)
		tb.Cleanup(func() { close(release) })
		c.Emit("block")
		srv.Advance(time.Second)
	})
	if want := "siotest: the server did not come to rest within 50ms: an event loop is busy"; got != want {
		t.Errorf("the test is told %q, want %q", got, want)
	}
}

// A client's handler may fail the test, as wrong as that is: those behind it run.
func TestFailingHandler(t *testing.T) {
	got := run(t, func(tb *failing) {
		io := newServer(t)
		srv := siotest.Start(tb, io)
		c := srv.Connect(tb)
		c.On("fail", func(args siotest.Args) { tb.Fatalf("%v", args) })
		for i := range 2 {
			if err := io.Emit("fail", i); err != nil {
				t.Error(err)
			}
		}
		c.Expect("fail")
		c.Expect("fail")
	})
	if got != "[0]\n[1]" {
		t.Errorf("the test is told %q", got)
	}
}

// A handler of a client that never ends is told of.
func TestStuckHandler(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	got := run(t, func(tb *failing) {
		io := newServer(t)
		srv := siotest.Start(tb, io)
		c := srv.Connect(tb)
		siotest.SetClientPatience(c, short)
		entered := make(chan struct{})
		c.On("stick", func(siotest.Args) { close(entered); <-release })
		if err := io.Emit("stick"); err != nil {
			t.Error(err)
		}
		<-entered
	})
	if want := "siotest: a handler of a client still runs 50ms after the test"; got != want {
		t.Errorf("the test is told %q, want %q", got, want)
	}
}

func TestBadOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(tb *failing)
		want string
	}{
		{"transport", func(tb *failing) { siotest.Dial(tb, "http://127.0.0.1", siotest.Transport("telepathy")) }, `siotest: Transport("telepathy"): want`},
		{"auth", func(tb *failing) { siotest.Open(tb, "http://127.0.0.1", siotest.Auth(func() {})) }, "siotest: opening a connection: Auth: json: unsupported type"},
		{"auth, a string", func(tb *failing) { siotest.Dial(tb, "http://127.0.0.1", siotest.Auth("token")) }, `siotest: Auth("token"): want an object`},
		{"auth, a list", func(tb *failing) { siotest.Dial(tb, "http://127.0.0.1", siotest.Auth([]string{"a"})) }, `siotest: Auth(["a"]): want an object`},
		{"auth, a number", func(tb *failing) { siotest.Dial(tb, "http://127.0.0.1", siotest.Auth(7)) }, `siotest: Auth(7): want an object`},
		{"address", func(tb *failing) { siotest.Dial(tb, "127.0.0.1:80") }, `siotest: address "127.0.0.1:80": `},
		{"scheme", func(tb *failing) { siotest.Dial(tb, "ftp://127.0.0.1") }, `siotest: address "ftp://127.0.0.1": want http`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := run(t, tt.do); !strings.HasPrefix(got, tt.want) {
				t.Errorf("the test is told %q, want %q", got, tt.want)
			}
		})
	}
}

// What the server fails with fails the test.
func TestServerFailures(t *testing.T) {
	release := make(chan struct{})
	got := run(t, func(tb *failing) {
		io := newServer(t)
		entered := make(chan struct{})
		io.OnEvent("stick", func() { close(entered); <-release })
		srv := siotest.Start(tb, io)
		siotest.SetPatience(srv, short)
		srv.Connect(tb).Emit("stick")
		<-entered
	})
	close(release)
	if want := "siotest: Shutdown: " + context.DeadlineExceeded.Error(); got != want {
		t.Errorf("the test is told %q, want %q", got, want)
	}
	got = run(t, func(tb *failing) {
		io := newServer(t)
		siotest.Start(tb, io)
		if err := io.Close(); err != nil {
			t.Error(err)
		}
	})
	if got != "" {
		t.Errorf("a server that is closed by the test: %q", got)
	}
}
