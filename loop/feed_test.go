package loop

import (
	"strings"
	"testing"
)

// conn returns the server's side of the connection that was opened last, on a reactor
// with one loop.
func (f *fixture) conn(tb testing.TB) *Conn {
	tb.Helper()
	var c *Conn
	eventually(tb, "a connection", func() bool {
		linked := 0
		f.on(tb, func(l *Loop) {
			c = l.conns
			for other := c; other != nil; other = other.next {
				linked++
			}
		})
		return linked > 0 && linked == f.Connections() // which counts it before the loop has it
	})
	return c
}

// feed gives a connection input as gnet would, in parts of just that size: a
// socket may join what was sent apart. The parts are overwritten afterwards, as
// gnet's buffer is.
func (f *fixture) feed(tb testing.TB, c *Conn, parts ...string) {
	tb.Helper()
	f.on(tb, func(l *Loop) {
		for _, p := range parts {
			buf := []byte(p)
			l.beginInput(c)
			(&gnetHandler{reactor: f.Reactor}).handleInput(c, buf)
			l.endInput(c)
			copy(buf, strings.Repeat("\xaa", len(buf)))
		}
	})
}

// splits returns input cut in two at every place, and cut into single bytes.
func splits(input string) [][]string {
	all := [][]string{strings.Split(input, "")}
	for i := 1; i < len(input); i++ {
		all = append(all, []string{input[:i], input[i:]})
	}
	return all
}

// settle waits until the first loop sleeps: all turns are over.
func (f *fixture) settle(tb testing.TB) {
	tb.Helper()
	l := f.loops[0]
	eventually(tb, "the loop to sleep", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !l.awake && !l.signalled && len(l.mailbox) == 0
	})
}

// wantIdle waits until a connection holds nothing that it does not need: a client
// may have seen all of a response before its handler has come to an end.
func (f *fixture) wantIdle(tb testing.TB, c *Conn) {
	tb.Helper()
	eventually(tb, "a connection that holds nothing", func() (idle bool) {
		f.on(tb, func(*Loop) {
			idle = c.input == nil && c.http == nil && c.ws == nil && c.out == nil && c.drained == nil && !c.blocked && !c.dirty
		})
		return idle
	})
}
