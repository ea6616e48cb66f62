package engine

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

// openCandidate opens the WebSocket that a polling session may upgrade to.
func (c *poller) openCandidate() *wsConn {
	c.tb.Helper()
	return c.fixture.websocket(c.tb, websocketTarget+"&sid="+c.ID(), nil)
}

// wantFree waits until the session would take a candidate.
func (c *poller) wantFree() {
	c.tb.Helper()
	c.eventually(c.tb, "the end of the candidate", func() bool { return c.polling != nil && c.polling.candidate == nil })
}

// TestUpgrade shows E71, E73 and E75.
func TestUpgrade(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	c.startPoll()
	k := c.openCandidate()
	k.write("2probe")
	k.want("3probe")
	c.get.want(200, "6") // so that the client can go on
	if c.Transport() != "polling" {
		t.Errorf("transport %q before the end of the upgrade", c.Transport())
	}
	k.write("5", "4hello")
	k.want("4hello")
	if c.Transport() != "websocket" {
		t.Errorf("transport %q", c.Transport())
	}
	if !strings.HasPrefix(c.Request().Target, pollingTarget) {
		t.Errorf("the session's request became %q", c.Request().Target)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		c.post.send(method, c.target, "4late")
		c.post.want(400, refused(CodeBadRequest))
	}
	k.wantEcho("unaffected")
	c.wantReceived(t, "hello", "unaffected")
	k.writeFrame(ws.OpClose, "")
	c.wantClosed(t, TransportClose, nil)
}

// TestUpgradeInOneGo shows E71 and E73.
func TestUpgradeInOneGo(t *testing.T) {
	f := serve(t, twoLoops)
	for _, packets := range [][]string{{"2probe", "5", "4a"}, {"5", "4a"}, {"2probe", "2probe", "5", "4a"}} {
		for range 10 { // on one loop and on two
			c := f.poll(t)
			c.wantPost("4queued")
			k := c.openCandidate()
			k.write(packets...)
			for _, p := range packets {
				if p == "2probe" {
					k.want("3probe")
				}
			}
			k.want("4queued", "4a")
			c.wantReceived(t, "queued", "a")
		}
	}
}

// TestUpgradeEndsWaitingPoll shows E73.
func TestUpgradeEndsWaitingPoll(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	k := c.openCandidate()
	c.startPoll()
	k.write("5")
	c.get.want(200, "1")
	k.wantEcho("goes on")
	c.wantOpen(t)
}

// A poll that comes between the probe and the end of the upgrade may be one that
// was sent behind both, as they take two connections: it is refused like one
// that comes later.
// It shows E73.
func TestPollBesideEndOfUpgrade(t *testing.T) {
	f := serve(t, twoLoops)
	eventually(t, "a poll that waits", func() bool {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		c.get.send(http.MethodGet, c.target, "")
		waits := false
		for range 100 {
			if c.inspect(t, func() { waits = c.polling.get != nil }); waits {
				break
			}
		}
		k.write("5")
		a := c.get.receive()
		k.wantEcho("goes on")
		if a.status == 200 && a.body == "6" { // a noop was first
			return false
		}
		if a.status != 400 || a.body != refused(CodeBadRequest) {
			t.Fatalf("poll: %v", a)
		}
		return waits
	})
}

// Until the client says so, polling stays the transport in both directions.
// It shows E71 and E72.
func TestPollingDuringProbe(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	k := c.openCandidate()
	k.write("2probe")
	k.want("3probe")
	c.wantEcho("still polling")
	for range 2 { // each poll is ended, not only the first
		c.get.send(http.MethodGet, c.target, "")
		c.get.want(200, "6")
	}
	c.startPoll()
	c.send(t, "news")
	if a := c.get.receive(); a.body == "6" { // it came first
		c.wantPoll("4news")
	} else if a.body != "4news" {
		t.Errorf("poll: %v", a)
	}
	c.send(t, "queued")
	k.write("5")
	k.want("4queued")
}

// TestFailedProbe shows E74.
func TestFailedProbe(t *testing.T) {
	f := serve(t)
	for _, tc := range []struct {
		name string
		fail func(k *wsConn)
		end  string
	}{
		{"ping without probe", func(k *wsConn) { k.write("2") }, "close:"},
		{"message", func(k *wsConn) { k.write("4early") }, "close:"},
		{"binary message", func(k *wsConn) { k.writeFrame(ws.OpBinary, "2probe") }, "close:"},
		{"binary upgrade", func(k *wsConn) { k.writeFrame(ws.OpBinary, "5") }, "close:"},
		{"unknown type", func(k *wsConn) { k.write("x") }, "close:"},
		{"nothing", func(k *wsConn) { k.write("") }, "close:"},
		{"message after the probe", func(k *wsConn) { k.write("2probe"); k.want("3probe"); k.write("4early") }, "close:"},
		{"broken frame", func(k *wsConn) { k.writeRaw(brokenFrame) }, "close:1002"},
		{"close frame", func(k *wsConn) { k.writeFrame(ws.OpClose, "") }, "close:"},
		{"close frame after the probe", func(k *wsConn) { k.write("2probe"); k.want("3probe"); k.writeFrame(ws.OpClose, "") }, "close:"},
		{"gone", func(k *wsConn) { k.conn.Close() }, ""},
		{"reset after the probe", func(k *wsConn) {
			k.write("2probe")
			k.want("3probe")
			_ = k.conn.(*net.TCPConn).SetLinger(0)
			k.conn.Close()
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := f.poll(t)
			k := c.openCandidate()
			tc.fail(k)
			if tc.end != "" {
				k.want(tc.end)
			}
			c.wantFree()
			c.wantEcho("polling goes on")
			again := c.openCandidate()
			again.write("2probe")
			again.want("3probe")
			again.write("5")
			again.wantEcho("upgraded")
			c.wantReceived(t, "polling goes on", "upgraded")
		})
	}
}

// TestUpgradeTimeout shows E3 and E69.
func TestUpgradeTimeout(t *testing.T) {
	f := serve(t, func(c *config) { c.UpgradeTimeout = 30 * time.Millisecond })
	c := f.poll(t)
	k := c.openCandidate()
	k.want("close:")
	c.wantEcho("polling goes on")
	k = c.openCandidate()
	k.write("2probe")
	k.want("3probe", "close:")
	c.startPoll()
	c.send(t, "no noop comes")
	c.get.want(200, "4no noop comes")
}

// TestSecondCandidate shows E70 and E71.
func TestSecondCandidate(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	k := c.openCandidate()
	k.write("2probe")
	k.want("3probe")
	second := c.openCandidate()
	second.write("2probe", "5")
	second.want("close:")
	k.write("2probe") // any number of times
	k.want("3probe")
	k.write("5")
	k.wantEcho("upgraded")
	third := c.openCandidate()
	third.write("2probe", "5", "4intruder")
	third.want("close:")
	k.wantEcho("unaffected")
	c.wantReceived(t, "upgraded", "unaffected")
}

// TestUpgradeSwitchedOff shows E6 and W6.
func TestUpgradeSwitchedOff(t *testing.T) {
	f := serve(t, func(c *config) { c.NoUpgrade = true })
	c := f.poll(t)
	c.post.send(http.MethodGet, websocketTarget+"&sid="+c.ID(), "", upgradeHeader...)
	c.post.want(400, "Bad request")
	c.post = f.dial(t)
	c.wantEcho("polling goes on")
	f.connect(t).wantEcho("works")
}

// TestCloseDuringProbe shows E76.
func TestCloseDuringProbe(t *testing.T) {
	f := serve(t, twoLoops)
	for range 6 {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		c.Discard()
		k.want("close:")
		c.wantClosed(t, ForcedClose, nil)
		c.wantGone()
	}
}

// A session that only waits for its last packets to be fetched may still send
// them over the WebSocket.
// It shows E76.
func TestUpgradeWhileClosing(t *testing.T) {
	f := serve(t, twoLoops, func(c *config) { c.CloseTimeout = time.Hour })
	for range 10 { // on one loop and on two
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		c.send(t, "last words")
		c.Close()
		eventually(t, "the start of the close", c.Closed)
		k.write("5")
		k.want("4last words", "close:")
		c.wantClosed(t, ForcedClose, nil)
	}
}

// The WebSocket may be lost at any moment of the upgrade; the session then ends,
// once.
func TestWebSocketLostWithUpgrade(t *testing.T) {
	f := serve(t, twoLoops)
	for i := range 40 {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		end, reason := clientFrame(ws.OpText, "5"), TransportClose
		switch i % 4 {
		case 0:
			end = append(end, clientFrame(ws.OpClose, "")...)
		case 1:
			end = append(end, clientFrame(ws.OpText, "1")...)
		case 2:
			end, reason = append(end, brokenFrame...), TransportError
		}
		k.writeRaw(end)
		k.conn.Close()
		c.wantClosed(t, reason, nil)
	}
}

// TestBadPacketRightAfterUpgrade has packets on the new transport before the
// session has come to its loop.
func TestBadPacketRightAfterUpgrade(t *testing.T) {
	f := serve(t, twoLoops)
	for range 10 {
		c := f.poll(t)
		k := c.openCandidate()
		k.write("2probe")
		k.want("3probe")
		k.write("5", "4good", "xyz", "4behind")
		c.wantClosed(t, ParseError, engineio.ErrUnknownType)
		c.wantReceived(t, "good")
	}
}
