package sio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/internal/testclient"
	"github.com/sio-gnet/sio-gnet/loop"
)

// serveInside starts a server whose insides a test looks at, and ends it with the test.
func serveInside(t *testing.T, o Options) (s *Server, addr string) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := New(&o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			t.Error(err)
		}
	})
	return s, ln.Addr().String()
}

// awaited returns how many answers a socket waits for.
func (s *Socket) awaited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks)
}

// TestAcksLeaveNothingBehind shows that a socket forgets every acknowledgement, however
// the wait for it ended (S16.4).
func TestAcksLeaveNothingBehind(t *testing.T) {
	const soon = 20 * time.Millisecond
	for _, tc := range []struct {
		name   string
		wait   func(ctx context.Context, io *Server, s *Socket) error // until the answer
		answer bool
		err    error
	}{
		{"answered", func(ctx context.Context, _ *Server, s *Socket) error {
			_, err := s.EmitWithAck(ctx, "q")
			return err
		}, true, nil},
		{"too late", func(ctx context.Context, _ *Server, s *Socket) error {
			_, err := s.Timeout(soon).EmitWithAck(ctx, "q")
			return err
		}, false, ErrAckTimeout},
		{"given up", func(ctx context.Context, _ *Server, s *Socket) error {
			ctx, cancel := context.WithTimeout(ctx, soon)
			defer cancel()
			_, err := s.EmitWithAck(ctx, "q")
			return err
		}, false, context.DeadlineExceeded},
		{"a callback answered", func(_ context.Context, _ *Server, s *Socket) error {
			done := make(chan error, 1)
			return errors.Join(s.Timeout(time.Minute).EmitAck(func(_ Reply, err error) { done <- err }, "q"), <-done)
		}, true, nil},
		{"a callback too late", func(_ context.Context, _ *Server, s *Socket) error {
			done := make(chan error, 1)
			return errors.Join(s.Timeout(soon).EmitAck(func(_ Reply, err error) { done <- err }, "q"), <-done)
		}, false, ErrAckTimeout},
		{"not encoded", func(ctx context.Context, _ *Server, s *Socket) error {
			_, err := s.EmitWithAck(ctx, "connect")
			return err
		}, false, ErrReservedEvent},
		{"many answered", func(ctx context.Context, io *Server, _ *Socket) error {
			_, err := io.EmitWithAck(ctx, "q")
			return err
		}, true, nil},
		{"many too late", func(ctx context.Context, io *Server, _ *Socket) error {
			_, err := io.Timeout(soon).EmitWithAck(ctx, "q")
			return err
		}, false, ErrAckTimeout},
		{"many, one is enough", func(ctx context.Context, io *Server, _ *Socket) error {
			for _, err := range io.Answers(ctx, "q") {
				return err
			}
			return nil
		}, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			io, addr := serveInside(t, Options{})
			c, id := testclient.Connect(t, addr, "/")
			s := io.Socket(id)
			result := make(chan error, 1)
			go func() { result <- tc.wait(t.Context(), io, s) }()
			if !errors.Is(tc.err, ErrReservedEvent) {
				c.Want(`420["q"]`)
			}
			if tc.answer {
				c.Send("430[1]")
			}
			if err := <-result; !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			testclient.Eventually(t, "nothing to be waited for", func() bool { return s.awaited() == 0 })
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.acks != nil {
				t.Error("the socket keeps the memory")
			}
		})
	}
}

// A server that was asked for acknowledgements by another forgets them, too.
func TestAcksForAnotherServerLeaveNothingBehind(t *testing.T) {
	bus := broadcast.NewBus()
	asking, _ := serveInside(t, Options{Adapter: bus.Join})
	io, addr := serveInside(t, Options{Adapter: bus.Join})
	c, id := testclient.Connect(t, addr, "/")
	s := io.Socket(id)
	for _, timeout := range []time.Duration{10 * time.Millisecond, time.Minute} {
		result := make(chan error, 1)
		go func() {
			_, err := asking.Timeout(timeout).EmitWithAck(t.Context(), "q")
			result <- err
		}()
		packet := c.Next()
		if timeout == time.Minute {
			c.Send(strings.Replace(strings.TrimSuffix(packet, `["q"]`), "42", "43", 1) + "[]")
		}
		if err := <-result; (err == nil) != (timeout == time.Minute) {
			t.Errorf("got %v", err)
		}
		testclient.Eventually(t, "nothing to be waited for", func() bool { return s.awaited() == 0 && io.handlers.Load() == 0 })
	}
}

// TestUnknownNamespacesLeaveNothingBehind shows what we do in place of a part of S16.2: a
// client that tries names without end, be they refused at once or by a parent, leaves
// nothing behind.
func TestUnknownNamespacesLeaveNothingBehind(t *testing.T) {
	for _, asked := range []bool{false, true} {
		t.Run(fmt.Sprint("parents are asked: ", asked), func(t *testing.T) {
			io, addr := serveInside(t, Options{Loops: 1})
			if asked {
				io.OfFunc(func(context.Context, string, json.RawMessage) bool { return false })
			}
			c, id := testclient.Connect(t, addr, "/")
			const names, burst = 10_000, 50
			for i := 0; i < names; i += burst {
				packets := make([]string, burst)
				for k := range packets {
					packets[k] = fmt.Sprintf("40/name-%d,", i+k)
				}
				c.Send(packets...)
				for range packets {
					if got := c.Next(); !strings.HasSuffix(got, `,{"message":"Invalid namespace"}`) {
						t.Fatalf("got %q", got)
					}
				}
			}
			client, left := io.Socket(id).client, make(chan int)
			client.session.Post(loop.TaskFunc(func(*loop.Loop) { left <- len(client.sockets) - 1 + len(client.resolving) }))
			io.mu.RLock()
			defer io.mu.RUnlock()
			if n := <-left; n != 0 || len(io.namespaces) != 1 {
				t.Errorf("%d sockets and %d namespaces are left", n, len(io.namespaces)-1)
			}
		})
	}
}

// A child that is removed lets go of what it has kept for clients that may come back.
func TestRemovedChildKeepsNoEvents(t *testing.T) {
	io, addr := serveInside(t, Options{CleanupEmptyChildNamespaces: true, ConnectionStateRecovery: &Recovery{}})
	p := io.OfPattern(regexp.MustCompile("^/child$"))
	c := testclient.Dial(t, addr)
	c.Send("40/child,")
	c.Next()
	log := p.Children()[0].log
	if err := p.Emit("e"); err != nil {
		t.Fatal(err)
	}
	kept := func() int {
		log.mu.Lock()
		defer log.mu.Unlock()
		return len(log.entries) + len(log.sessions)
	}
	if kept() == 0 {
		t.Error("the event is not kept")
	}
	c.Close()
	testclient.Eventually(t, "the child gone", func() bool { return len(p.Children()) == 0 && kept() == 0 })
}
