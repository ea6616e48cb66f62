package engine

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/loop"
)

// neighbours are two clients on the loop that a test mistreats.
type neighbours struct {
	poller *poller
	socket *socketClient
}

func newNeighbours(tb testing.TB, f *fixture) neighbours {
	tb.Helper()
	return neighbours{f.poll(tb), f.connect(tb)}
}

// wantUnaffected shows that both still work.
func (n neighbours) wantUnaffected(tb testing.TB) {
	tb.Helper()
	n.poller.wantEcho("unaffected")
	n.socket.wantEcho("unaffected")
	n.poller.wantOpen(tb)
	n.socket.wantOpen(tb)
}

func TestHostileFrames(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPayload = 1000 })
	others := newNeighbours(t, f)
	masked := func(b0, length byte, rest ...byte) []byte { return append([]byte{b0, 0x80 | length}, rest...) }
	huge := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 1<<62)
	negative := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 1<<63)
	for _, tc := range []struct {
		name  string
		raw   []byte
		close string
	}{
		{"not masked", []byte("\x81\x024x"), "close:1002"},
		{"reserved bit", masked(0xc1, 0, 0, 0, 0, 0), "close:1002"},
		{"reserved opcode", masked(0x83, 0, 0, 0, 0, 0), "close:1002"},
		{"reserved control opcode", masked(0x8b, 0, 0, 0, 0, 0), "close:1002"},
		{"control frame in parts", masked(0x09, 0, 0, 0, 0, 0), "close:1002"},
		{"long control frame", masked(0x89, 126, 0, 200, 0, 0, 0, 0), "close:1002"},
		{"continuation of nothing", masked(0x80, 0, 0, 0, 0, 0), "close:1002"},
		{"message within a message", append(masked(0x01, 0, 0, 0, 0, 0), masked(0x81, 0, 0, 0, 0, 0)...), "close:1002"},
		{"length longer than written", masked(0x81, 126, 0, 2, 0, 0, 0, 0), "close:1002"},
		{"announced size", append(huge, 0, 0, 0, 0), "close:1009"},
		{"negative size", append(negative, 0, 0, 0, 0), "close:1002"},
		{"close code that must not be sent", clientFrame(ws.OpClose, "\x03\xee"), "close:1002"},
		{"half a close code", clientFrame(ws.OpClose, "\x03"), "close:1002"},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), "close:1002"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.connect(t)
			c.writeRaw(tc.raw)
			c.want(tc.close)
			c.wantClosed(t, TransportError, nil)
			c.wantReceived(t)
			others.wantUnaffected(t)

			p := f.poll(t)
			k := p.openCandidate()
			k.write("2probe")
			k.want("3probe")
			k.writeRaw(tc.raw)
			k.want(tc.close)
			p.wantFree()
			p.wantEcho("polling goes on")
		})
	}
	others.wantUnaffected(t)
}

// TestHostileRequests shows W4.
func TestHostileRequests(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPayload = 1000 })
	others := newNeighbours(t, f)
	victim := f.poll(t)
	post := "POST " + victim.target + " HTTP/1.1\r\nHost: test\r\n"
	for _, tc := range []struct {
		name, raw string
		status    int
	}{
		{"nonsense", "\x00\x01\x02\r\n\r\n", 400},
		{"no version", "GET " + pollingTarget + "\r\n\r\n", 400},
		{"long target", "GET " + pollingTarget + strings.Repeat("x", 10_000) + " HTTP/1.1\r\n\r\n", 414},
		{"long header", "GET " + pollingTarget + " HTTP/1.1\r\nHost: test\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n", 431},
		{"two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n4ab", 400},
		{"length and chunks", post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4a\r\n0\r\n\r\n", 400},
		{"negative length", post + "Content-Length: -1\r\n\r\n", 400},
		{"huge length", post + "Content-Length: 99999999999\r\n\r\n", 413},
		{"bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
		{"session id with a line end", "GET " + pollingTarget + "&sid=a%0d%0ab HTTP/1.1\r\nHost: test\r\n\r\n", 400},
		{"session id that is cut", "GET " + victim.target[:len(victim.target)-1] + " HTTP/1.1\r\nHost: test\r\n\r\n", 400},
		{"long session id", "GET " + pollingTarget + "&sid=" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: test\r\n\r\n", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.dial(t)
			c.write(tc.raw)
			if a := c.receive(); a.status != tc.status {
				t.Errorf("answer %v, want %d", a, tc.status)
			}
			victim.wantEcho("unaffected")
			others.wantUnaffected(t)
		})
	}
}

// TestHostilePayloads shows E79 and W2.
func TestHostilePayloads(t *testing.T) {
	f := serve(t)
	others := newNeighbours(t, f)
	for _, tc := range []struct {
		name, body string
		reason     CloseReason
		status     int
	}{
		{"only separators", strings.Repeat("\x1e", 500_000), ParseError, 400},
		{"too many packets", strings.Repeat("6\x1e", 400_000) + "6", ParseError, 400},
		{"too many messages", strings.Repeat("4\x1e", 10_000) + "4", ParseError, 400},
		{"bytes", "\xff\xfe\x00", ParseError, 400},
		{"ping", "2", TransportError, 200},
		{"ping between messages", "4a\x1e2\x1e4b", TransportError, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.poll(t)
			c.startPoll()
			if a := c.post.do(http.MethodPost, c.target, tc.body); a.status != tc.status {
				t.Errorf("answer %v, want %d", a, tc.status)
			}
			if a := c.get.receive(); a.status != 200 || !strings.HasSuffix(a.body, "1") {
				t.Errorf("poll: %.100s", a.String())
			}
			c.wantClosed(t, tc.reason, nil)
			c.wantGone()
			others.wantUnaffected(t)
		})
	}
}

// Text that is no UTF-8 is repaired, over polling (E47).
func TestBadUTF8OnPolling(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	c.wantPost("4a\xff\xfeä")
	c.wantReceived(t, "a\ufffd\ufffdä")
	c.wantOpen(t)
}

func TestPipelineOverflow(t *testing.T) {
	f := serve(t)
	others := newNeighbours(t, f)
	c := f.poll(t)
	c.startPoll()
	flood := []byte(strings.Repeat("GET "+c.target+" HTTP/1.1\r\nHost: test\r\n\r\n", 2000))
	for { // until the server has had enough
		if _, err := c.get.conn.Write(flood); err != nil {
			break
		}
	}
	c.wantClosed(t, TransportError, ErrPollAborted)
	others.wantUnaffected(t)
}

// Many connections that never finish their request keep nobody else out.
func TestHalfRequests(t *testing.T) {
	f := serve(t)
	others := newNeighbours(t, f)
	victim, half := f.poll(t), f.poll(t)
	for i, raw := range []string{
		"", "G", "GET ", "GET " + victim.target, "POST " + half.target + " HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n4",
	} {
		for range 10 {
			f.dial(t).write(raw)
		}
		for range 10 {
			c := f.connect(t)
			c.writeRaw(clientFrame(ws.OpText, "4never complete")[:1+i])
		}
	}
	victim.wantEcho("unaffected")
	others.wantUnaffected(t)
}

// A receiver that panics ends its own connection, nothing else.
func TestPanickingReceiver(t *testing.T) {
	f := serve(t, func(c *config) {
		c.receive = func(r *record, data []byte, binary bool) {
			if string(data) == "panic" {
				panic("by the test")
			}
			_ = r.Send(false, NewMessage(data, binary))
		}
	})
	others := newNeighbours(t, f)
	socket := f.connect(t)
	socket.write("4panic", "4behind")
	socket.want("end")
	socket.wantClosed(t, TransportError, loop.ErrPanic)
	poller := f.poll(t)
	poller.post.send(http.MethodPost, poller.target, "4panic")
	if a, err := poller.post.read(); err == nil {
		t.Errorf("POST: %v", a)
	}
	poller.post = f.dial(t)
	poller.wantEcho("goes on")
	others.wantUnaffected(t)
}

// Candidates that are opened without end are all refused but the first.
func TestManyCandidates(t *testing.T) {
	f := serve(t, twoLoops)
	c := f.poll(t)
	first := c.openCandidate()
	c.eventually(t, "the candidate", func() bool { return c.polling.candidate != nil })
	for range 50 {
		c.openCandidate().want("close:")
	}
	first.write("2probe", "5")
	first.want("3probe")
	first.wantEcho("upgraded")
}

// Clients of a session that was closed meanwhile, at whatever moment, get an
// answer or the end of their connection.
func TestRequestsMeetClose(t *testing.T) {
	f := serve(t, twoLoops)
	for i := range 40 {
		c := f.poll(t)
		k := f.dial(t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if i%2 == 0 {
				c.Discard()
			} else {
				c.Close()
			}
		}()
		c.get.send(http.MethodGet, c.target, "")
		c.post.send(http.MethodPost, c.target, "4x")
		k.send(http.MethodGet, websocketTarget+"&sid="+c.ID(), "", upgradeHeader...)
		if a := c.get.receive(); a.status != 200 && a.status != 400 {
			t.Errorf("poll: %v", a)
		}
		if a := c.post.receive(); a.status != 200 && a.status != 400 {
			t.Errorf("POST: %v", a)
		}
		if a := k.receive(); a.status != 101 && a.status != 400 {
			t.Errorf("upgrade: %v", a)
		}
		<-ended
		for !c.Closed() || f.sessions.get([]byte(c.ID())) != nil { // what was queued is to be fetched
			c.get.send(http.MethodGet, c.target, "")
			if a, err := c.get.read(); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				t.Fatalf("poll: %v, %v", a, err)
			}
		}
		c.wantClosed(t, ForcedClose, nil)
	}
}
