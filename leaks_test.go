package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/broadcast"
)

// TestAcksLeaveNothingBehind shows that a socket forgets every acknowledgement, however
// the wait for it ended (S16.4).
func TestAcksLeaveNothingBehind(t *testing.T) {
	const soon = 20 * time.Millisecond
	for _, tc := range []struct {
		name   string
		wait   func(ctx context.Context, io *sio.Server, s *sio.Socket) error // until the answer
		answer bool
		err    error
	}{
		{"answered", func(ctx context.Context, _ *sio.Server, s *sio.Socket) error {
			_, err := s.EmitWithAck(ctx, "q")
			return err
		}, true, nil},
		{"too late", func(ctx context.Context, _ *sio.Server, s *sio.Socket) error {
			_, err := s.Timeout(soon).EmitWithAck(ctx, "q")
			return err
		}, false, sio.ErrAckTimeout},
		{"given up", func(ctx context.Context, _ *sio.Server, s *sio.Socket) error {
			ctx, cancel := context.WithTimeout(ctx, soon)
			defer cancel()
			_, err := s.EmitWithAck(ctx, "q")
			return err
		}, false, context.DeadlineExceeded},
		{"a callback answered", func(_ context.Context, _ *sio.Server, s *sio.Socket) error {
			done := make(chan error, 1)
			return errors.Join(s.Timeout(time.Minute).EmitAck(func(_ sio.Reply, err error) { done <- err }, "q"), <-done)
		}, true, nil},
		{"a callback too late", func(_ context.Context, _ *sio.Server, s *sio.Socket) error {
			done := make(chan error, 1)
			return errors.Join(s.Timeout(soon).EmitAck(func(_ sio.Reply, err error) { done <- err }, "q"), <-done)
		}, false, sio.ErrAckTimeout},
		{"not encoded", func(ctx context.Context, _ *sio.Server, s *sio.Socket) error {
			_, err := s.EmitWithAck(ctx, "connect")
			return err
		}, false, sio.ErrReservedEvent},
		{"many answered", func(ctx context.Context, io *sio.Server, _ *sio.Socket) error {
			_, err := io.EmitWithAck(ctx, "q")
			return err
		}, true, nil},
		{"many too late", func(ctx context.Context, io *sio.Server, _ *sio.Socket) error {
			_, err := io.Timeout(soon).EmitWithAck(ctx, "q")
			return err
		}, false, sio.ErrAckTimeout},
		{"many, one is enough", func(ctx context.Context, io *sio.Server, _ *sio.Socket) error {
			for _, err := range io.Answers(ctx, "q") {
				return err
			}
			return nil
		}, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			io := serve(t)
			c, id := io.enter(t)
			s := io.Socket(id)
			result := make(chan error, 1)
			go func() { result <- tc.wait(t.Context(), io.Server, s) }()
			if !errors.Is(tc.err, sio.ErrReservedEvent) {
				c.Want(`420["q"]`)
			}
			if tc.answer {
				c.Send("430[1]")
			}
			if err := <-result; !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			eventually(t, "nothing to be waited for", func() bool { n, _ := s.Awaited(); return n == 0 })
			if _, memory := s.Awaited(); memory {
				t.Error("the socket keeps the memory")
			}
		})
	}
}

// A server that was asked for acknowledgements by another forgets them, too.
func TestAcksForAnotherServerLeaveNothingBehind(t *testing.T) {
	bus := broadcast.NewBus()
	asking := serve(t, func(o *sio.Options) { o.Adapter = bus.Join })
	io := serve(t, func(o *sio.Options) { o.Adapter = bus.Join })
	c, id := io.enter(t)
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
		eventually(t, "nothing to be waited for", func() bool { n, _ := s.Awaited(); return n == 0 && io.RunningHandlers() == 0 })
	}
}

// TestUnknownNamespacesLeaveNothingBehind shows what we do in place of a part of S16.2: a
// client that tries names without end, be they refused at once or by a parent, leaves
// nothing behind.
func TestUnknownNamespacesLeaveNothingBehind(t *testing.T) {
	for _, asked := range []bool{false, true} {
		t.Run(fmt.Sprint("parents are asked: ", asked), func(t *testing.T) {
			io := serve(t, oneLoop)
			if asked {
				io.OfFunc(func(context.Context, string, json.RawMessage) bool { return false })
			}
			c, id := io.enter(t)
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
			if namespaces, others := io.Known(id); others != 0 || namespaces != 1 {
				t.Errorf("%d sockets and %d namespaces are left", others, namespaces-1)
			}
		})
	}
}

// A child that is removed lets go of what it has kept for clients that may come back.
func TestRemovedChildKeepsNoEvents(t *testing.T) {
	io := serve(t, cleanup, recovering(sio.Recovery{}))
	p := io.OfPattern(numbered)
	c := io.dial(t)
	c.Send("40/dyn-1,")
	c.Next()
	child := p.Children()[0]
	if err := p.Emit("e"); err != nil {
		t.Fatal(err)
	}
	if child.Kept() == 0 {
		t.Error("the event is not kept")
	}
	c.Close()
	eventually(t, "the child gone", func() bool { return len(p.Children()) == 0 && child.Kept() == 0 })
}
