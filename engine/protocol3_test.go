package engine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

// withEIO3 lets peers of protocol 3 in.
func withEIO3(c *config) { c.AllowEIO3 = true }

const polling3Target = "/engine.io/?EIO=3&transport=polling"

// poll3 opens a session of protocol 3 over polling. more is added to each target.
func (f *fixture) poll3(tb testing.TB, more string) *poller {
	tb.Helper()
	c := &poller{tb: tb, get: f.dial(tb), post: f.dial(tb)}
	a := c.get.do(http.MethodGet, polling3Target+more, "")
	packet := a.body
	if _, script, ok := strings.Cut(packet, `]("`); ok {
		packet = strings.ReplaceAll(strings.TrimSuffix(script, `");`), `\"`, `"`)
	}
	length, packet, _ := strings.Cut(packet, ":")
	if a.status != 200 || fmt.Sprint(len(packet)) != length {
		tb.Fatalf("handshake: %v", a)
	}
	sid := parseOpen(tb, packet).SID
	c.record, c.target = f.record(tb, sid), polling3Target+more+"&sid="+sid
	return c
}

// TestProtocol3IsOff shows E26: without the option, all that does not say 4 is
// refused with code 5.
func TestProtocol3IsOff(t *testing.T) {
	f := serve(t)
	for _, eio := range []string{"EIO=3&", "EIO=5&", "EIO=&", "EIO=04&", ""} {
		c := f.dial(t)
		c.send(http.MethodGet, "/engine.io/?"+eio+"transport=polling", "")
		c.want(400, refused(CodeUnsupportedVersion))
	}
}

// TestProtocolMismatch shows E26 and W7: a session goes on in its own revision
// only, on whatever transport.
func TestProtocolMismatch(t *testing.T) {
	f := serve(t, withEIO3)
	v4, v3 := f.poll(t), f.poll3(t, "")
	for c, eio := range map[*poller]string{v4: "3", v3: "4"} {
		target := strings.Replace(c.target, "EIO="+fmt.Sprint(c.Protocol()), "EIO="+eio, 1)
		c.post.send(http.MethodGet, target, "")
		c.post.want(400, refused(CodeBadRequest))
		ws := f.dial(t)
		ws.send(http.MethodGet, strings.Replace(target, "polling", "websocket", 1), "", upgradeHeader...)
		ws.want(400, "Bad request")
	}
	v4.wantEcho("lives")
	v3.wantOpen(t)
}

// TestPolling3 shows E91 to E94: the forms of payloads, both ways.
func TestPolling3(t *testing.T) {
	for _, tc := range []struct {
		name, more  string
		posts       []string
		contentType string
		received    []string
		answer      string
		answerType  string
	}{
		{name: "text", posts: []string{"6:4hello"}, received: []string{"hello"}, answer: "6:4hello"},
		{name: "characters beyond ASCII", posts: []string{"2:4€3:4😀"}, received: []string{"€", "😀"}, answer: "2:4€3:4😀"},
		{name: "a separator of protocol 4 is data", posts: []string{"4:4a\x1eb"}, received: []string{"a\x1eb"}, answer: "4:4a\x1eb"},
		{
			name: "bytes", posts: []string{"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"}, contentType: "application/octet-stream",
			received: []string{"hello", "binary:\x01\x02\x03\x04"},
			answer:   "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", answerType: "application/octet-stream",
		},
		{name: "base64 in, bytes out", posts: []string{"6:b4AQID"}, received: []string{"binary:\x01\x02\x03"}, answer: "\x01\x04\xff\x04\x01\x02\x03", answerType: "application/octet-stream"},
		{name: "base64 both ways (E38)", more: "&b64=1", posts: []string{"6:b4AQID"}, received: []string{"binary:\x01\x02\x03"}, answer: "6:b4AQID"},
		{name: "packets of no effect", posts: []string{"1:61:1"[:3] + "2:4x"}, received: []string{"x"}, answer: "2:4x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, withEIO3)
			c := f.poll3(t, tc.more)
			for _, body := range tc.posts {
				header := []string{}
				if tc.contentType != "" {
					header = append(header, "Content-Type: "+tc.contentType)
				}
				if a := c.post.do(http.MethodPost, c.target, body, header...); a.status != 200 || a.body != "ok" {
					t.Fatalf("post: %v", a)
				}
			}
			c.wantReceived(t, tc.received...)
			a := c.get.do(http.MethodGet, c.target, "")
			want := tc.answerType
			if want == "" {
				want = "text/plain; charset=UTF-8"
			}
			if a.body != tc.answer || a.header.Get("Content-Type") != want {
				t.Errorf("poll: %v %v, want %q", a, a.header, tc.answer)
			}
		})
	}
}

func TestBadPayload3(t *testing.T) {
	for name, body := range map[string]string{
		"no length": "4hello", "a length that lies": "9:4hello", "an unknown type": "2:9x", "no colon": "12", "empty": "",
		"a minus": "-1:4", "many digits": strings.Repeat("9", 100_000) + ":4", "a pair cut in two": "2:4😀",
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withEIO3)
			others := newNeighbours(t, f)
			c := f.poll3(t, "")
			c.startPoll()
			if a := c.post.do(http.MethodPost, c.target, "2:4a"+body); name != "empty" && a.status != 400 {
				t.Errorf("answer %v", a)
			}
			if name == "empty" {
				c.post.send(http.MethodPost, c.target, "")
				c.post.want(400, "")
			}
			c.wantClosed(t, ParseError, nil)
			c.wantReceived(t, "a")
			others.wantUnaffected(t)
		})
	}
}

// TestJSONP shows E39, E59, E60 and W11.
func TestJSONP(t *testing.T) {
	f := serve(t, withEIO3, silent)
	c := f.poll3(t, "&j=12%3Cscript%3E3")
	c.target = strings.Replace(c.target, "j=12%3Cscript%3E3", "j=99", 1) // the first one counts
	for _, body := range []string{"d=8%3A4a%2Bb+%5Cn%5C%5Cn", "x=2:4a", "d=2:4a&d=2:4b"} {
		if a := c.post.do(http.MethodPost, c.target, body, "Content-Type: application/x-www-form-urlencoded"); a.status != 200 || a.body != "ok" {
			t.Fatalf("post %q: %v", body, a)
		}
	}
	c.wantReceived(t, "a+b \n\\n")
	c.send(t, "\"</script>\u2028\u2029")
	_ = c.Send(false, NewMessage([]byte{1, 2, 3}, true))
	c.eventually(t, "two messages", func() bool { return len(c.polling.queue) == 2 })
	a := c.get.do(http.MethodGet, c.target, "")
	if want := `___eio[123]("13:4\"</script>\u2028\u20296:b4AQID");`; a.body != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
	if got := a.header.Get("Content-Type"); got != "text/javascript; charset=UTF-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", a.header)
	}
	if first := f.dial(t).do(http.MethodGet, polling3Target+"&j=", ""); !strings.HasPrefix(first.body, `___eio[]("`) {
		t.Errorf("no index: %v", first)
	}
	v4 := f.dial(t).do(http.MethodGet, pollingTarget+"&j=0", "")
	if !strings.HasPrefix(v4.body, `___eio[0]("0{\"sid\"`) {
		t.Errorf("protocol 4: %v", v4)
	}
}

func (f *fixture) connect3(tb testing.TB, more string) *socketClient {
	tb.Helper()
	c := f.websocket(tb, "/engine.io/?EIO=3&transport=websocket"+more, nil)
	o := parseOpen(tb, c.next())
	return &socketClient{wsConn: c, record: f.record(tb, o.SID), open: o}
}

// TestWebSocket3 shows E65, E66 and E38: packets on a WebSocket.
func TestWebSocket3(t *testing.T) {
	f := serve(t, withEIO3)
	c := f.connect3(t, "")
	c.wantEcho("text")
	c.writeFrame(ws.OpBinary, "\x04\x01\x02")
	c.want("binary:\x04\x01\x02")
	c.writeFrame(ws.OpText, "b4AQI=")
	c.want("binary:\x04\x01\x02")
	c.writeFrame(ws.OpBinary, "\x04")
	c.want("binary:\x04")
	c.writeFrame(ws.OpBinary, "\x09unknown types have no effect")
	c.writeFrame(ws.OpBinary, "")
	c.writeFrame(ws.OpBinary, "\x02")
	c.want("3")
	c.wantEcho("lives")

	b64 := f.connect3(t, "&b64=1")
	b64.writeFrame(ws.OpBinary, "\x04\x01\x02")
	b64.want("b4AQI=")
	v4 := f.websocket(t, websocketTarget+"&b64=1", nil)
	v4.next()
	v4.writeFrame(ws.OpBinary, "\x01\x02")
	v4.want("bAQI=")
}

// TestHeartbeat3 shows E78 and E79: the peer pings, and the server waits for
// that and nothing else.
func TestHeartbeat3(t *testing.T) {
	f := serve(t, withEIO3, silent, func(c *config) { c.PingInterval, c.PingTimeout = time.Hour, time.Hour })
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			if transport == "websocket" {
				c := f.connect3(t, "")
				c.write("2", "2probe")
				c.want("3", "3")
				c.write("3")
				c.want("close:")
				c.wantClosed(t, TransportError, ErrHeartbeatDirection)
				return
			}
			c := f.poll3(t, "")
			c.startPoll()
			c.post.send(http.MethodPost, c.target, "1:2")
			c.post.want(200, "ok")
			c.get.want(200, "1:3")
			c.post.send(http.MethodPost, c.target, "1:3")
			c.post.want(200, "ok")
			c.wantClosed(t, TransportError, ErrHeartbeatDirection)
		})
	}
}

func TestPingTimeout3(t *testing.T) {
	f := serve(t, withEIO3, silent, func(c *config) { c.PingInterval, c.PingTimeout = 20*time.Millisecond, 20*time.Millisecond })
	socket, polls := f.connect3(t, ""), f.poll3(t, "")
	polls.startPoll()
	socket.want("close:") // no ping of the server's
	socket.wantClosed(t, PingTimeout, nil)
	polls.get.want(200, "1:1")
	polls.wantClosed(t, PingTimeout, nil)
}

// TestUpgrade3 upgrades with probes as in protocol 4 (E71, E95), and W5: the
// session still times out after it.
func TestUpgrade3(t *testing.T) {
	for name, change := range map[string]func(*config){"one loop": func(*config) {}, "two loops": twoLoops} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withEIO3, change, func(c *config) { c.PingInterval, c.PingTimeout = 150*time.Millisecond, 150*time.Millisecond })
			c := f.poll3(t, "")
			c.startPoll()
			k := f.websocket(t, strings.Replace(c.target, "polling", "websocket", 1), nil)
			k.write("2probe")
			k.want("3probe")
			c.get.want(200, "1:6")
			k.write("5")
			k.wantEcho("upgraded")
			k.writeFrame(ws.OpBinary, "\x04\x01")
			k.want("binary:\x04\x01")
			k.want("close:")
			c.wantClosed(t, PingTimeout, nil)
		})
	}
}

// TestClose3 shows E95 and E61: how the ends look.
func TestClose3(t *testing.T) {
	f := serve(t, withEIO3)
	c := f.poll3(t, "")
	c.Close()
	c.eventually(t, "a session that closes", func() bool { return c.state == stateClosing })
	c.get.send(http.MethodGet, c.target, "")
	c.get.want(200, "1:61:1")
	c.wantClosed(t, ForcedClose, nil)

	c = f.poll3(t, "")
	c.startPoll()
	c.Close()
	c.get.want(200, "1:1")
	c.wantClosed(t, ForcedClose, nil)

	c = f.poll3(t, "")
	c.startPoll()
	c.post.send(http.MethodPost, c.target, "1:1")
	c.post.want(200, "ok")
	c.get.want(200, "1:6")
	c.wantClosed(t, TransportClose, nil)
}

func TestErrorsOfPayloadsAreTheCodecs(t *testing.T) {
	f := serve(t, withEIO3)
	c := f.poll3(t, "")
	c.post.send(http.MethodPost, c.target, "9:4")
	c.post.want(400, "")
	c.wantClosed(t, ParseError, engineio.ErrInvalidLength)
	if errors.Is(c.err, engineio.ErrInvalidUTF8) {
		t.Error("errors are mixed up")
	}
}
