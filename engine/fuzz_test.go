package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// FuzzSession sends what a hostile peer might to a session, over real sockets:
// the first byte chooses how, the rest is what is sent. Whatever that is, nothing
// panics, a neighbour on the same loop is served, and once the peer has gone, each
// session has ended, once.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"\x00GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
		"\x00POST /engine.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n4a",
		"\x014hello\x1e2\x1ebAQID\x1e1", "\x013\x1e4", "\x01", "\x026:4hello3:4😀2:41:2", "\x029:4",
		"\x03\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", "\x03\x01\x09\xff",
		"\x04\x81\x064hello\x82\x03abc\x81\x013\x81\x012", "\x04\x01\x024a\x89\x01x\x80\x01b\x88\x02\x03\xe8", "\x04\x88\x00",
		"\x05\x82\x03\x04ab\x81\x062probe\x81\x04b4AQ", "\x05\x82\x01\x02",
		"\x06\x81\x062probe\x81\x015\x81\x024x", "\x06\x81\x015", "\x06\x81\x024x", "\x06\x88\x00",
		"\x07\x81\xff\x00", "\x07\x81\x80\x00\x00\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	target := newFuzzTarget(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return
		}
		target.attack(t, input[0]%8, input[1:])
		target.check(t)
	})
}

// fuzzTarget is the server that all inputs are sent to.
type fuzzTarget struct {
	*fixture
	neighbour *socketClient
	panics    *panicCounter
	n         int
}

// panicCounter is a log that counts what must not happen.
type panicCounter struct {
	slog.Handler
	count atomic.Int64
}

func (p *panicCounter) Enabled(context.Context, slog.Level) bool { return true }

func (p *panicCounter) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		p.count.Add(1)
	}
	return nil
}

func newFuzzTarget(tb testing.TB) *fuzzTarget {
	tb.Helper()
	t := &fuzzTarget{panics: &panicCounter{Handler: slog.DiscardHandler}}
	t.fixture = serve(tb, withEIO3, func(c *config) {
		c.noRecord = true
		c.CloseTimeout, c.MaxPayload, c.PingInterval = 10*time.Millisecond, 4096, 24*time.Hour
		c.Logger = slog.New(t.panics)
		c.reactor.Logger = c.Logger
		c.reactor.CloseTimeout = 10 * time.Millisecond
	})
	t.neighbour = t.connect(tb)
	return t
}

// attack sends one input, and goes.
func (f *fuzzTarget) attack(t *testing.T, how byte, input []byte) {
	t.Helper()
	switch how {
	case 0:
		f.exchange(t, string(input))
	case 1:
		c := f.poll(t)
		f.exchange(t, postRequest(c.target, "", input))
		c.Discard()
	case 2, 3:
		c := f.poll3(t, "")
		contentType := map[byte]string{3: "Content-Type: application/octet-stream\r\n"}[how]
		f.exchange(t, postRequest(c.target, contentType, input))
		c.Discard()
	case 4, 7:
		c := f.connect(t)
		f.sendFrames(c.wsConn, input, how == 7)
	case 5:
		c := f.connect3(t, "")
		f.sendFrames(c.wsConn, input, false)
	case 6:
		c := f.poll(t)
		f.sendFrames(f.websocket(t, strings.Replace(c.target, "polling", "websocket", 1), nil), input, false)
		c.Discard()
	}
}

func postRequest(target, header string, body []byte) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", target, header, len(body), body)
}

// exchange sends bytes on a connection of its own, and reads to the end.
func (f *fuzzTarget) exchange(t *testing.T, raw string) {
	t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	finish(t, conn, []byte(raw))
}

// finish sends bytes, says that there is no more, and waits for the other end to
// close, too.
func finish(t *testing.T, conn net.Conn, raw []byte) {
	t.Helper()
	if _, err := conn.Write(raw); err != nil {
		return // it was cut before all was sent
	}
	if half, ok := conn.(*net.TCPConn); ok && half.CloseWrite() != nil {
		return
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // as it comes from the socket
		t.Fatal("the connection is still open")
	}
}

// sendFrames sends frames that the input describes, each by a byte with its flags
// and opcode, one with its length, and its payload; or else bytes as they are.
func (f *fuzzTarget) sendFrames(c *wsConn, input []byte, raw bool) {
	c.tb.Helper()
	var out []byte
	for !raw && len(input) >= 2 {
		head, n := input[0], min(int(input[1]), len(input)-2)
		frame := ws.NewFrame(ws.OpCode(head&0xf), head&0x80 != 0, input[2:2+n])
		frame.Header.Rsv = head >> 4 & 7
		out = append(out, ws.MustCompileFrame(ws.MaskFrame(frame))...)
		input = input[2+n:]
	}
	finish(c.tb.(*testing.T), c.conn, append(out, input...))
}

// check holds the invariants.
func (f *fuzzTarget) check(t *testing.T) {
	t.Helper()
	f.neighbour.tb = t
	f.n++
	f.neighbour.wantEcho(fmt.Sprint(f.n))
	eventually(t, "the end of all other sessions", func() bool {
		// Those that raw requests opened have nobody to end them.
		for _, s := range f.sessions.all() {
			if s != f.neighbour.Session {
				s.Discard()
			}
		}
		return f.Sessions() == 1
	})
	f.mu.Lock()
	for id, r := range f.records {
		if r == f.neighbour.record {
			continue
		}
		r.mu.Lock()
		if r.ends != 1 {
			t.Errorf("session %s ended %d times", id, r.ends)
		}
		r.mu.Unlock()
		delete(f.records, id)
	}
	f.mu.Unlock()
	if n := f.panics.count.Load(); n > 0 {
		t.Fatalf("%d errors were logged", n)
	}
	if f.reactor.Connections() < 1 {
		t.Error("the neighbour is gone")
	}
}
