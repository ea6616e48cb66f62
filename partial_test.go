package sio_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func attachmentTimeout(d time.Duration) func(*sio.Options) {
	return func(o *sio.Options) { o.AttachmentTimeout = d }
}

// TestAttachmentTimeout shows S16.3: who begins a binary packet and does not end it
// is sent away, as S2.15 has it.
func TestAttachmentTimeout(t *testing.T) {
	for _, tc := range []struct {
		name string
		sent func(*siotest.Conn)
	}{
		{"no attachment", func(c *siotest.Conn) { c.Send(`451-["a",{"_placeholder":true,"num":0}]`) }},
		{"one of two", func(c *siotest.Conn) { c.Send(`452-["a"]`); c.SendBinary([]byte("x")) }},
		{"the second packet", func(c *siotest.Conn) {
			c.Send(`451-["a"]`)
			c.SendBinary([]byte("x"))
			c.Send(`451-["a"]`)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, attachmentTimeout(20*time.Millisecond))
			f.Of("/b")
			reasons := make(chan sio.Reason, 2)
			c, s := f.connect(t)
			other := f.Of("/b").Socket(c.Join("/b", ""))
			for _, s := range []*sio.Socket{s, other} {
				s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { reasons <- r })
			}
			tc.sent(c)
			if packets, code := c.WantClosed(); code != int(ws.StatusNoStatusRcvd) || packets != nil {
				t.Errorf("closed with %d behind %q", code, packets)
			}
			for range 2 {
				if r := <-reasons; r != sio.ReasonForcedClose {
					t.Errorf("reason %q", r)
				}
				f.wantError(t, isError(sio.ErrPacket)) // one for each socket
			}
			f.wantNoErrors(t)
		})
	}
}

// A client that is done with its packet may be silent as long as it likes.
func TestAttachmentTimeoutEndsWithThePacket(t *testing.T) {
	const timeout = 10 * time.Millisecond
	f := serve(t, oneLoop, attachmentTimeout(timeout))
	f.on(t, "a", func(data []byte, ack sio.Ack) error { return ack.Send(data) })
	quiet, _ := f.connect(t)
	quiet.Send(`451-0["a",{"_placeholder":true,"num":0}]`)
	quiet.SendBinary([]byte("x"))
	quiet.Want(`461-0[{"_placeholder":true,"num":0}]`, "binary:x")
	// Another client's timeout, set later on the same loop, shows that its time is over.
	late, _ := f.connect(t)
	late.Send(`451-["a"]`)
	late.WantClosed()
	quiet.Send(`451-1["a",{"_placeholder":true,"num":0}]`)
	quiet.SendBinary([]byte("y"))
	quiet.Want(`461-1[{"_placeholder":true,"num":0}]`, "binary:y")
	f.wantError(t, isError(sio.ErrPacket))
	f.wantNoErrors(t)
}

// TestAttachmentsThroughUpgrade begins a packet over polling and ends it, or not, over
// the WebSocket that the session upgrades to, most times on another loop.
func TestAttachmentsThroughUpgrade(t *testing.T) {
	for _, ends := range []bool{true, false} {
		timeout := 10 * time.Second
		if !ends {
			timeout = 50 * time.Millisecond
		}
		f := serve(t, attachmentTimeout(timeout), func(o *sio.Options) { o.Loops = 3 })
		got := make(chan string, 1)
		f.on(t, "a", func(data []byte) { got <- string(data) })
		for range 12 {
			p := newPoller(t, f.addr)
			p.post(t, "40\x1e"+`451-["a",{"_placeholder":true,"num":0}]`)
			conn := p.upgrade(t)
			if ends {
				if err := wsutil.WriteClientBinary(conn, []byte("x")); err != nil {
					t.Fatal(err)
				}
				if s := <-got; s != "x" {
					t.Errorf("got %q", s)
				}
			} else {
				f.wantError(t, isError(sio.ErrPacket))
			}
			conn.Close()
		}
	}
}

// poller is a session over polling.
type poller struct{ addr, url string }

func newPoller(tb testing.TB, addr string) *poller {
	tb.Helper()
	p := &poller{addr, "http://" + addr + "/socket.io/?EIO=4&transport=polling"}
	open := p.get(tb)
	_, sid, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	p.url += "&sid=" + sid
	return p
}

func (p *poller) do(tb testing.TB, method, body string) string {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, p.url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %d %s, %v", method, res.StatusCode, answer, err)
	}
	return string(answer)
}

func (p *poller) get(tb testing.TB) string {
	tb.Helper()
	return p.do(tb, http.MethodGet, "")
}

func (p *poller) post(tb testing.TB, payload string) {
	tb.Helper()
	if answer := p.do(tb, http.MethodPost, payload); answer != "ok" {
		tb.Fatalf("POST was answered %q", answer)
	}
}

// upgrade moves the session to a WebSocket.
func (p *poller) upgrade(tb testing.TB) io.ReadWriteCloser {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(strings.Replace(p.url, "polling", "websocket", 1), "http"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	for _, packet := range []string{"2probe", "5"} {
		if err := wsutil.WriteClientText(conn, []byte(packet)); err != nil {
			tb.Fatal(err)
		}
		if packet == "2probe" {
			if answer, _, err := wsutil.ReadServerData(conn); err != nil || string(answer) != "3probe" {
				tb.Fatalf("the probe was answered %q, %v", answer, err)
			}
		}
	}
	return conn
}
