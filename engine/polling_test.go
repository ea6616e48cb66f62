package engine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// TestPollingMessages shows E49 and E86.
func TestPollingMessages(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.wantEcho("hello")
	c.wantEcho("grüße 日本 😀")
	c.wantEcho("")
	c.wantEcho(`quotes " and \n`)
	c.wantReceived(t, "hello", "grüße 日本 😀", "", `quotes " and \n`)
}

// TestPollingPayload shows E41 and E49.
func TestPollingPayload(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.wantPost("4one", "bAQIDBA==", "4two", "b", "b_-8")
	c.wantReceived(t, "one", "binary:\x01\x02\x03\x04", "two", "binary:", "binary:\xff\xef")

	// What one POST makes the server send comes back as one payload.
	c.get.send(http.MethodGet, c.target, "")
	c.get.want(200, "4one\x1ebAQIDBA==\x1e4two\x1eb\x1eb/+8=")
}

// TestPollAnswerHeader shows E40 and E42.
func TestPollAnswerHeader(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	post := c.post.do(http.MethodPost, c.target, "4x")
	get := c.get.do(http.MethodGet, c.target, "")
	for _, tc := range []struct {
		answer     answer
		kind, body string
	}{
		{post, "text/html", "ok"},
		{get, "text/plain; charset=UTF-8", "4x"},
	} {
		h := tc.answer.header
		if tc.answer.status != 200 || tc.answer.body != tc.body || h.Get("Content-Type") != tc.kind ||
			h.Get("Content-Length") != "2" || strings.Join(h.Values("Cache-Control"), ",") != "no-store" {
			t.Errorf("%v %v, want %q as %s", tc.answer, h, tc.body, tc.kind)
		}
	}
}

// TestWaitingPoll shows E41.
func TestWaitingPoll(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	c.startPoll()
	c.send(t, "news")
	c.get.want(200, "4news")

	// What is sent in one turn of the loop leaves in one answer.
	c.startPoll()
	c.inspect(t, func() { c.send(t, "a", "b", "c") })
	c.get.want(200, "4a\x1e4b\x1e4c")

	c.send(t, "kept")
	c.wantPoll("4kept")
	if err := c.Send(false, NewMessage([]byte("1"), false), NewMessage([]byte("2"), true)); err != nil {
		t.Fatal(err)
	}
	c.get.send(http.MethodGet, c.target, "")
	c.get.want(200, "41\x1ebMg==")
}

func TestVolatileOnPolling(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	volatile := func(text string) {
		t.Helper()
		if err := c.Send(true, NewMessage([]byte(text), false), NewMessage([]byte("and more"), false)); err != nil {
			t.Fatal(err)
		}
	}
	volatile("lost: no poll waits")
	c.inspect(t, func() {}) // the poll comes behind it
	c.send(t, "kept")
	c.wantPoll("4kept")
	c.startPoll()
	volatile("seen")
	c.get.want(200, "4seen\x1e4and more")
}

func TestDeliver(t *testing.T) {
	f := serve(t, silent)
	poller, socket := f.poll(t), f.connect(t)
	group := []Message{NewMessage([]byte("a"), false), NewMessage([]byte("b"), true)}
	deliver := func(volatile bool) {
		for _, r := range []*record{poller.record, socket.record} {
			r.inspect(t, func() {
				for _, m := range group {
					m.Retain(1)
				}
				r.Deliver(r.Owner(), volatile, group)
			})
		}
	}
	deliver(true) // the poller has no poll waiting and misses it
	socket.want("4a", "binary:b")
	deliver(false)
	socket.want("4a", "binary:b")
	poller.wantPoll("4a", "bYg==")
	for _, m := range group {
		m.Release()
	}
}

// TestTwoPollsAtOnce shows E43 and E100.
func TestTwoPollsAtOnce(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.startPoll()
	c.post.send(http.MethodGet, c.target, "")
	c.post.want(400, "")
	c.get.want(200, "1")
	c.wantClosed(t, TransportError, ErrPollOverlap)
	c.wantGone()
}

// startPost sends the head of a POST and a part of its body, and waits until the
// session knows of it.
func (c *poller) startPost(length int, part string) *httpConn {
	c.tb.Helper()
	slow := c.fixture.dial(c.tb)
	slow.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", c.target, length, part))
	c.wantUpload(c.tb)
	return slow
}

// A POST that is refused once it is complete does not stand in the way of the
// next.
func TestRefusedPostLeavesNothing(t *testing.T) {
	f := serve(t, func(c *config) {
		c.Middleware = []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("stop") != "" {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}
	})
	c := f.poll(t)
	for target, status := range map[string]int{
		c.target + "&stop=1":                           418,
		strings.Replace(c.target, "EIO=4", "EIO=3", 1): 400,
	} {
		slow := f.dial(t)
		slow.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n4", target))
		c.wantUpload(t)
		slow.write("x")
		if a := slow.receive(); a.status != status {
			t.Errorf("answer %v, want %d", a, status)
		}
	}
	c.wantEcho("goes on")
	c.wantReceived(t, "goes on")
}

// TestTwoPostsAtOnce shows E44: the second gets 400, the first is cut.
func TestTwoPostsAtOnce(t *testing.T) {
	for name, change := range map[string]func(*config){"one loop": func(*config) {}, "two loops": twoLoops} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, change)
			c := f.poll(t)
			slow := c.startPost(5, "4sl")
			c.post.send(http.MethodPost, c.target, "4quick")
			c.post.want(400, "")
			slow.wantEnd()
			c.wantClosed(t, TransportError, ErrPostOverlap)
			c.wantReceived(t)
			c.wantGone()
		})
		t.Run(name+", both coming in", func(t *testing.T) {
			f := serve(t, change)
			c := f.poll(t)
			slow := c.startPost(5, "4sl")
			second := f.dial(t)
			second.write("POST " + c.target + " HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n4q")
			slow.wantEnd()
			c.wantClosed(t, TransportError, ErrPostOverlap)
			second.write("uick")
			second.want(400, refused(CodeUnknownSession))
		})
	}
}

// A POST may come in parts, and another one after it.
func TestSlowPost(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	for _, text := range []string{"one", "two"} {
		slow := c.startPost(1+len(text), "4"+text[:1])
		slow.write(text[1:])
		slow.want(200, "ok")
	}
	c.wantReceived(t, "one", "two")
	c.wantPoll("4one", "4two")
}

// TestPollCutByClient shows E45.
func TestPollCutByClient(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.startPoll()
	c.get.conn.Close()
	c.wantClosed(t, TransportError, ErrPollAborted)
	c.wantGone()
}

// A client that cuts its poll and polls again at once must not get to a session
// that still counts on the first poll, whichever loops the two are on.
// It shows E45.
func TestPollAgainAfterCut(t *testing.T) {
	f := serve(t, twoLoops)
	for range 30 {
		c := f.poll(t)
		c.startPoll()
		c.get.conn.Close()
		c.post.send(http.MethodGet, c.target, "")
		if a := c.post.receive(); a.status != 400 {
			t.Fatalf("second poll: %v", a)
		}
		c.wantClosed(t, TransportError, nil)
	}
}

// TestPostCutByClient shows E45.
func TestPostCutByClient(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.startPoll()
	c.startPost(5, "4cut").conn.Close()
	c.get.want(200, "1")
	c.wantClosed(t, TransportError, ErrPostAborted)
	c.wantReceived(t)
	c.wantGone()
}

// TestPostCutByServer shows E63.
func TestPostCutByServer(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	slow := c.startPost(5, "4sl")
	c.Discard()
	slow.wantEnd()
	c.wantClosed(t, ForcedClose, nil)
}

// A POST that the reactor refuses, here for its size, does not end the session
// (E46).
func TestRefusedPost(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPayload = 10 })
	c := f.poll(t)
	slow := f.dial(t)
	slow.write("POST " + c.target + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n4abc\r\n")
	c.wantUpload(t)
	slow.write("8\r\n12345678\r\n")
	if a := slow.receive(); a.status != 413 || !a.closes {
		t.Errorf("answer %v", a)
	}
	c.wantReceived(t)
	c.wantEcho("goes on")
}

// TestLargePost shows E46 and W4.
func TestLargePost(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPayload = 1000 })
	c := f.poll(t)
	fits := strings.Repeat("x", 999)
	c.wantEcho(fits)

	big := f.dial(t)
	big.send(http.MethodPost, c.target, "4"+fits+"y")
	if a := big.receive(); a.status != 413 || !a.closes {
		t.Errorf("by length: %v", a)
	}
	big = f.dial(t)
	big.write("POST " + c.target + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n4" + fits + "y\r\n0\r\n\r\n")
	if a := big.receive(); a.status != 413 || !a.closes {
		t.Errorf("chunked: %v", a)
	}
	c.wantEcho("goes on")
	c.wantReceived(t, fits, "goes on")
}

func TestChunkedPost(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.post.write("POST " + c.target + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4a\r\n3\r\n\x1e4b\r\n0\r\n\r\n")
	c.post.want(200, "ok")
	c.wantReceived(t, "a", "b")
}

// TestBadPayload shows E50, E100, W2 and W8.
func TestBadPayload(t *testing.T) {
	f := serve(t, func(c *config) { c.MaxPacketsPerPayload = 3 })
	for _, tc := range []struct {
		name, body string
		err        error
		received   []string
	}{
		{"empty", "", engineio.ErrEmptyPacket, nil},
		{"unknown type", "abc", engineio.ErrUnknownType, nil},
		{"unknown type 7", "7", engineio.ErrUnknownType, nil},
		{"only a separator", "\x1e", engineio.ErrEmptyPacket, nil},
		{"leading separator", "\x1e4a", engineio.ErrEmptyPacket, nil},
		{"trailing separator", "4a\x1e", engineio.ErrEmptyPacket, []string{"a"}},
		{"double separator", "4a\x1e\x1e4b", engineio.ErrEmptyPacket, []string{"a"}},
		{"good before bad", "4a\x1e4b\x1ex", engineio.ErrUnknownType, []string{"a", "b"}},
		{"too many packets", "4a\x1e4b\x1e4c\x1e4d", engineio.ErrTooManyPackets, []string{"a", "b", "c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.poll(t)
			c.startPoll()
			c.post.send(http.MethodPost, c.target, tc.body)
			c.post.want(400, "")
			if a := c.get.receive(); a.status != 200 || !strings.HasSuffix("\x1e"+a.body, "\x1e1") {
				t.Errorf("waiting poll: %v", a)
			}
			c.wantClosed(t, ParseError, tc.err)
			c.wantReceived(t, tc.received...)
			c.wantGone()
		})
	}
}

// Base64 is taken as leniently as the reference does.
// It shows E50.
func TestLenientBase64(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	c.wantPost("bAQ ID\nBA", "bA!Q==AQ", "b=")
	c.wantReceived(t, "binary:\x01\x02\x03\x04", "binary:\x01", "binary:")
}

// TestContentTypeOfPost shows E47.
func TestContentTypeOfPost(t *testing.T) {
	f := serve(t)
	for _, kind := range []string{"text/plain;charset=UTF-8", "application/octet-stream; x=1", "nonsense"} {
		c := f.poll(t)
		if a := c.post.do(http.MethodPost, c.target, "4a", "Content-Type: "+kind); a.status != 200 {
			t.Errorf("%s: %v", kind, a)
		}
	}
	c := f.poll(t)
	if a := c.post.do(http.MethodPost, c.target, "4a", "Content-Type: application/octet-stream"); a.status != 400 || a.body != "" {
		t.Errorf("binary: %v", a)
	}
	c.wantClosed(t, TransportError, ErrInvalidContent)
	c.wantReceived(t)
}

// TestClosePacketOnPolling shows E51.
func TestClosePacketOnPolling(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.startPoll()
	c.wantPost("4before", "1", "4behind", "xyz")
	if a := c.get.receive(); a.status != 200 || a.body != "6" {
		t.Errorf("waiting poll: %v", a)
	}
	c.wantClosed(t, TransportClose, nil)
	c.wantReceived(t, "before")
	c.wantGone()

	c = f.poll(t)
	c.wantPost("1")
	c.wantClosed(t, TransportClose, nil)
	c.post.send(http.MethodPost, c.target, "4late")
	c.post.want(400, refused(CodeUnknownSession))
	c.wantReceived(t)
}

// A poll sent just before the close packet may come just behind it, as they take
// two connections: it is ended as if it had waited.
// It shows E51.
func TestPollBehindClosePacket(t *testing.T) {
	f := serve(t, twoLoops)
	eventually(t, "a poll that is not too late", func() bool {
		c := f.poll(t)
		c.post.send(http.MethodPost, c.target, "1")
		c.eventually(t, "the close packet", func() bool { return c.state != stateOpen })
		c.get.send(http.MethodGet, c.target, "")
		a := c.get.receive()
		c.post.want(200, "ok")
		c.wantClosed(t, TransportClose, nil)
		c.wantGone()
		if a.status == 400 {
			return false
		}
		if a.status != 200 || a.body != "6" {
			t.Fatalf("poll: %v", a)
		}
		return true
	})
}

// While a session waits for that poll it takes and sends nothing.
// It shows E51.
func TestNothingBehindClosePacket(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	k := c.openCandidate()
	c.wantPost("4before", "1", "4behind")
	k.want("close:", "end")
	c.wantClosed(t, TransportClose, nil)
	c.wantReceived(t, "before")
	if err := c.Send(false, NewMessage(nil, false)); !errors.Is(err, ErrSessionClosed) {
		t.Errorf("Send: %v", err)
	}

	c = f.poll(t)
	c.post.send(http.MethodPost, c.target, "1")
	c.eventually(t, "the close packet", func() bool { return c.state != stateOpen })
	f.CloseAll()
	c.post.want(200, "ok")
	<-c.closed
}

// Packets that only a server sends, or that belong to an upgrade, do nothing.
// It shows E51 and E67.
func TestPacketsWithoutEffect(t *testing.T) {
	f := serve(t)
	poller, socket := f.poll(t), f.connect(t)
	poller.wantPost("0", "3", "3probe", "5", "6", "0{}")
	poller.wantEcho("lives")
	socket.write("0", "3", "3probe", "5", "6", "0{}")
	socket.wantEcho("lives")
}

// TestOtherMethodsOnSession shows E48 and W9.
func TestOtherMethodsOnSession(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	for _, method := range []string{"HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "get"} {
		a := f.dial(t).do(method, c.target, "", "Content-Length: 0")
		if method == "PUT" { // it has that line already
			a = f.dial(t).do(method, c.target, "")
		}
		if a.status != 405 || a.body != "" || a.header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: %v %v", method, a, a.header)
		}
	}
	c.wantEcho("unaffected")
}

// TestPipelinedRequests shows that requests sent ahead are served one after the
// other, a GET that waits included.
func TestPipelinedRequests(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	post := func(body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", c.target, len(body), body)
	}
	get := "GET " + c.target + " HTTP/1.1\r\nHost: test\r\n\r\n"
	c.post.write(post("4a") + get + get + post("4c"))
	c.post.want(200, "ok")
	c.post.want(200, "4a")
	c.wantPolling(t)
	c.wantReceived(t, "a")
	c.send(t, "b")
	c.post.want(200, "4b")
	c.post.want(200, "ok")
	c.wantPoll("4c")
}

// TestPollingAcrossLoops has the requests of a session on loops of their own.
func TestPollingAcrossLoops(t *testing.T) {
	f := serve(t, twoLoops)
	sessions := make(map[*loop.Loop]*poller)
	for range 100 {
		if c := f.poll(t); sessions[c.Home()] == nil {
			sessions[c.Home()] = c
		}
		if len(sessions) == 2 {
			break
		}
	}
	if len(sessions) != 2 {
		t.Fatal("all sessions are on one loop")
	}
	loops := f.reactor.Loops()
	a, b := sessions[loops[0]], sessions[loops[1]]
	a.get, b.get = b.get, a.get
	a.post, b.post = f.dial(t), f.dial(t)
	for _, c := range sessions {
		c.wantEcho("from elsewhere")
		c.wantPost("4a", "bAQID")
		c.wantPoll("4a", "bAQID")
		c.startPoll()
		c.send(t, "news")
		c.get.want(200, "4news")
	}
	for _, c := range sessions {
		c.post.send(http.MethodPost, c.target, "x")
		c.post.want(400, "")
		c.wantClosed(t, ParseError, engineio.ErrUnknownType)
	}
}

// TestSeparatorInText shows W13: the wire has no escape for it, so one message
// becomes two packets, of which the second is what it looks like.
func TestSeparatorInText(t *testing.T) {
	f := serve(t, silent)
	c := f.poll(t)
	c.send(t, "a\x1e4b")
	c.wantPoll("4a", "4b")
	socket := f.connect(t)
	socket.send(t, "a\x1e4b")
	socket.want("4a\x1e4b")
}
