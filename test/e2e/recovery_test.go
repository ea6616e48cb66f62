package e2e

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
)

// recoveryFixture is a server that lets clients come back.
type recoveryFixture struct {
	*fixture

	counting atomic.Bool

	mu   sync.Mutex
	lost map[string]chan struct{} // by id; closed when the socket is lost
}

// TestNodeRecovery runs the checks of connection state recovery.
func TestNodeRecovery(t *testing.T) {
	node := nodeTool(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			f := startRecovery(t, nil)
			runChecks(t, nodeClients, node, "recovery.mjs", "--url", f.url, "--mode", mode)
		})
	}
	t.Run("msgpack", func(t *testing.T) {
		f := startRecovery(t, msgpack.Parser{})
		runChecks(t, nodeClients, node, "recovery.mjs", "--url", f.url, "--mode", "upgrade", "--parser", "msgpack")
	})
}

func startRecovery(t *testing.T, parser sio.Parser) *recoveryFixture {
	t.Helper()
	server, err := sio.New(&sio.Options{
		ConnectionStateRecovery: &sio.Recovery{}, Parser: parser, Logger: slog.New(slog.DiscardHandler),
		OnError: func(_ *sio.Socket, err error) {
			var p *sio.PanicError
			if errors.As(err, &p) {
				t.Errorf("%s", p.Stack)
			}
			t.Error(err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &recoveryFixture{fixture: &fixture{Server: server}, lost: make(map[string]chan struct{})}
	f.OnConnection(func(s *sio.Socket) {
		lost := make(chan struct{})
		f.mu.Lock()
		f.lost[s.ID()] = lost
		f.mu.Unlock()
		s.OnDisconnect(func(*sio.Socket, sio.Reason) { close(lost) })
	})
	for event, handler := range map[string]any{
		"join": func(s *sio.Socket, room, data string, ack sio.Ack) error {
			s.Join(room)
			s.SetData(data)
			return ack.Send()
		},
		"say": func(room string, value any, ack sio.Ack) error {
			if err := f.To(room).Emit("news", value); err != nil {
				return err
			}
			return ack.Send()
		},
		"state": func(s *sio.Socket, ack sio.Ack) error {
			return ack.Send(map[string]any{"rooms": s.Rooms(), "data": s.Data(), "recovered": s.Recovered()})
		},
		// tell emits to a socket that it found while that was connected.
		"tell": func() any {
			var known sync.Map
			return func(id, text string, ack sio.Ack) error {
				s, _ := known.LoadOrStore(id, f.Socket(id))
				if err := s.(*sio.Socket).Emit("news", text); err != nil {
					return err
				}
				return ack.Send()
			}
		}(),
		"lost": func(id string, ack sio.Ack) error {
			select {
			case <-f.signal(id):
			case <-time.After(patience):
			}
			return ack.Send(f.Socket(id) == nil)
		},
		"count": func(on bool, ack sio.Ack) error {
			f.counting.Store(on)
			if on {
				go f.count()
			}
			return ack.Send()
		},
	} {
		if err := f.OnEvent(event, handler); err != nil {
			t.Fatal(err)
		}
	}
	f.serve(t, listenLoopback(t))
	return f
}

// signal returns what is closed when the socket is lost.
func (f *recoveryFixture) signal(id string) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost[id]
}

// count emits numbers until it is switched off, and then how many they were.
func (f *recoveryFixture) count() {
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	room := f.To("numbers")
	n := 0
	for ; f.counting.Load(); n++ {
		_ = room.Emit("number", n) // what is lost shows at the client
		<-pace.C
	}
	_ = room.Emit("finished", n)
}
