package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// anchor is the context of a socket pair's end that is enrolled in each loop.
// It makes the loop's EventLoop known before the first client comes, and its
// closing tells that the loop has ended: gnet has no other sign of that. A byte
// sent to it starts a turn behind a look at all sockets, see [Loop.sleep].
type anchor struct {
	loop *Loop
	peer int // the pair's other end
}

// wake makes gnet call OnTraffic for the anchor in its next epoll round. On the
// loop. At most one byte is under way, so the socket takes it.
func (a *anchor) wake() error {
	_, err := unix.Write(a.peer, []byte{0})
	return err
}

// anchorLoops enrolls one anchor per loop: gnet puts each new connection on the
// loop that has the fewest.
func (r *Reactor) anchorLoops() error {
	for i := range r.opts.Loops {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("loop: anchor: %w", err)
		}
		a := &anchor{loop: newLoop(r, i), peer: fds[1]}
		a.loop.anchor = a
		end := os.NewFile(uintptr(fds[0]), "anchor")
		c, err := net.FileConn(end)
		_ = end.Close() // FileConn has its own descriptor
		if err != nil {
			return errors.Join(fmt.Errorf("loop: anchor: %w", err), unix.Close(a.peer))
		}
		gc, err := r.client.EnrollContext(c, a)
		if err != nil {
			return errors.Join(fmt.Errorf("loop: anchor: %w", err), unix.Close(a.peer))
		}
		a.loop.gnet = gc.EventLoop()
		if a.loop.epoll, err = findPoller(a.loop.gnet, gc); err != nil {
			r.opts.Logger.Warn("loop: the input of http handlers can't be paused", "error", err)
		}
		r.byGnet[a.loop.gnet] = a.loop
		r.loops = append(r.loops, a.loop)
	}
	if len(r.byGnet) != r.opts.Loops {
		return fmt.Errorf("loop: anchors reached %d of %d loops", len(r.byGnet), r.opts.Loops)
	}
	return nil
}

// gnetHandler receives gnet's callbacks, each on its connection's loop.
type gnetHandler struct {
	gnet.BuiltinEventEngine

	reactor *Reactor
}

// OnOpen makes a Conn of an accepted connection. Its context is an anchor, or what
// the acceptor says of it, who waits until OnOpen has returned.
func (h *gnetHandler) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	e, ok := gc.Context().(*enrollment)
	if !ok {
		return nil, gnet.None
	}
	e.opened = true
	l := h.reactor.byGnet[gc.EventLoop()]
	c := newConn(l, gc)
	c.counted = e.counted
	gc.SetContext(c)
	l.beginInput(c)
	l.protect(c, func() {
		c.opened(e.proxy)
		if e.arrived != nil {
			e.arrived.begin(c)
		}
	})
	l.endInput(c)
	return nil, c.action()
}

// OnTraffic hands input to its Conn. The bytes are valid until it returns.
func (h *gnetHandler) OnTraffic(gc gnet.Conn) gnet.Action {
	c, ok := gc.Context().(*Conn)
	if !ok {
		if a, ok := gc.Context().(*anchor); ok {
			_, _ = gc.Discard(-1)
			a.loop.turns = 0
			_ = a.loop.runTurn(context.Background())
		}
		return gnet.None
	}
	input, err := gc.Next(-1)
	if err != nil || len(input) == 0 || c.closed {
		return gnet.None
	}
	l := c.loop
	l.beginInput(c)
	h.handleInput(c, input)
	l.endInput(c)
	return c.action()
}

func (h *gnetHandler) handleInput(c *Conn, input []byte) {
	defer c.loop.recoverPanic(c)
	c.onInput(input)
}

// OnClose is the one place where a Conn ends.
func (h *gnetHandler) OnClose(gc gnet.Conn, err error) gnet.Action {
	switch ctx := gc.Context().(type) {
	case *anchor:
		_ = unix.Close(ctx.peer)
		ctx.peer = -1
		h.reactor.fail()
		ctx.loop.endGuests()
	case *Conn:
		h.reactor.conns.Add(-1)
		ctx.loop.protect(nil, func() { ctx.onClosed(err) })
		ctx.loop.endClose()
	}
	return gnet.None
}

// gnetLogger passes gnet's log lines on.
type gnetLogger struct{ log *slog.Logger }

func (g gnetLogger) Debugf(format string, args ...any) {
	g.log.Debug("gnet: " + fmt.Sprintf(format, args...))
}

func (g gnetLogger) Infof(format string, args ...any) {
	g.log.Debug("gnet: " + fmt.Sprintf(format, args...))
}

func (g gnetLogger) Warnf(format string, args ...any) {
	g.log.Warn("gnet: " + fmt.Sprintf(format, args...))
}

func (g gnetLogger) Errorf(format string, args ...any) {
	g.log.Error("gnet: " + fmt.Sprintf(format, args...))
}

func (g gnetLogger) Fatalf(format string, args ...any) {
	g.log.Error("gnet: " + fmt.Sprintf(format, args...))
}
