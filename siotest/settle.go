package siotest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/seam"
)

// state is what server and clients are at, as far as can be seen at one go.
type state struct {
	seam.Activity

	ops      uint64 // of the clients
	working  int64  // things that clients do beside reading
	inFlight int    // connections
}

// look is made so that two looks which show the same counts, and nothing to do,
// prove that all was quiet at the moment between them: whatever goes from one
// place to another is counted before it leaves, and seen until it has arrived.
func (s *Server) look() (state, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	ops := s.memory.ops.Load()
	a, err := s.seam.Look(ctx)
	return state{Activity: a, ops: ops, working: s.memory.working.Load(), inFlight: s.memory.inFlight()}, err
}

// quiet reports whether there is nothing to do but for handlers that may be
// blocked.
func (s state) quiet() bool {
	return s.Flushing == 0 && s.Hooks == 0 && s.working == 0 && s.inFlight == 0
}

// handlers returns how many handlers run, of events and of HTTP.
func (s state) handlers() int { return s.Handlers + s.Serving }

func (s state) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.Handlers, "handlers of the server still running"},
		{s.Hooks, "hooks still running"},
		{s.Serving, "http.Handlers still running"},
		{int(s.working), "handlers or requests of clients still running"},
		{s.Flushing, "connections with output that the client has not read"},
		{s.inFlight, "connections with bytes in flight"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if parts == nil {
		return "it never came to rest"
	}
	return strings.Join(parts, ", ")
}

// blockedLooks is how often in a row, a millisecond apart, all handlers must be
// found blocked before they are taken to wait for what the test does next.
const blockedLooks = 20

// settle waits until all that follows from what has happened has happened.
func (s *Server) settle() error {
	end := time.Now().Add(s.patience)
	blocked := 0
	var last state
	for known := false; ; known = true {
		now, err := s.look()
		switch {
		case errors.Is(err, sio.ErrServerClosed):
			return nil // nothing happens any more
		case err != nil:
			return fmt.Errorf("the server did not come to rest within %v: an event loop is busy", s.patience)
		case time.Now().After(end):
			return fmt.Errorf("the server did not come to rest within %v: %v", s.patience, now)
		}
		same := known && now == last
		last = now
		switch {
		case !same || !now.quiet():
			blocked = 0
		case now.handlers() == 0:
			return nil
		case !handlersBlocked():
			blocked = 0
		default:
			if blocked++; blocked >= blockedLooks {
				return nil
			}
		}
		if now.quiet() && now.handlers() == 0 {
			continue // one more look may do
		}
		pause(now)
	}
}

// pause lets others do something.
func pause(now state) {
	if now.handlers() > 0 {
		time.Sleep(time.Millisecond)
		return
	}
	time.Sleep(50 * time.Microsecond)
}

// handlersBlocked reports whether all goroutines that run handlers wait for
// somebody: in a channel, a select or a lock. One that sleeps, or waits for I/O,
// goes on by itself.
func handlersBlocked() bool {
	buf := make([]byte, 64<<10)
	for n := runtime.Stack(buf, true); n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		head, frames, _ := strings.Cut(stack, "\n")
		if !isHandler(frames) {
			continue
		}
		_, status, _ := strings.Cut(head, "[")
		status, _, _ = strings.Cut(strings.TrimRight(status, ":]\n"), ",")
		if !waits(status) {
			return false
		}
	}
	return true
}

// isHandler reports whether a goroutine was started to run handlers.
func isHandler(frames string) bool {
	return strings.Contains(frames, rootPath+".(*eventQueue).work(") || strings.Contains(frames, rootPath+".(*ackWait).settle") ||
		strings.Contains(frames, "net/http.(*conn).serve(") &&
			(strings.Contains(frames, rootPath+"/loop.newFront") || strings.Contains(frames, rootPath+"/loop.(*frontConn)"))
}

// waits reports whether a goroutine's status, as runtime.Stack has it, says that
// another one has to let it go on.
func waits(status string) bool {
	status, _, _ = strings.Cut(status, " (")
	switch status {
	case "chan receive", "chan send", "select", "semacquire":
		return true
	}
	return strings.HasPrefix(status, "sync.")
}

// rootPath is the import path of the package sio.
var rootPath = reflect.TypeFor[sio.Server]().PkgPath()
