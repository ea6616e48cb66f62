package client

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// wires is an IO that notes what a client does, and a User that notes what it is told.
type wires struct {
	t        *testing.T
	c        Client
	s        *Shared
	log      []string // "open poll", "write poll GET", "close poll", "joined", ...
	messages []string
	heads    []string // of requests
	lost     *Error
}

var lineNames = [Lines]string{"poll", "post", "socket"}

func (w *wires) Open(l Line)          { w.log = append(w.log, "open "+lineNames[l]) }
func (w *wires) Close(l Line, _ bool) { w.log = append(w.log, "close "+lineNames[l]) }

// Write notes a request by its method, target's end and body, and a frame by what is in it.
func (w *wires) Write(l Line, b []byte) {
	for len(b) > 0 && l == Socket && !bytes.HasPrefix(b, []byte("GET ")) {
		r := bytes.NewReader(b)
		f, err := readFrame(r)
		if err != nil {
			w.t.Fatal(err)
		}
		ws.UnmaskFrameInPlace(f)
		w.log = append(w.log, fmt.Sprintf("socket %x %s", f.Header.OpCode, f.Payload))
		b = b[len(b)-r.Len():]
	}
	if len(b) == 0 {
		return
	}
	head, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	w.heads = append(w.heads, string(head))
	line, _, _ := bytes.Cut(head, []byte(" HTTP/1.1\r\n"))
	w.log = append(w.log, strings.TrimSpace(fmt.Sprintf("%s %s %s", lineNames[l], line, body)))
}

func (w *wires) OnJoined(*Client) { w.log = append(w.log, "joined") }

func (w *wires) OnMessage(_ *Client, m *Received) {
	what := string(m.Event)
	if m.Event == nil {
		what = fmt.Sprintf("ack %d", m.ID)
	}
	w.messages = append(w.messages, strings.TrimSpace(what+" "+string(m.Body())))
}

func (w *wires) OnLost(_ *Client, err error) {
	if w.lost != nil {
		w.t.Errorf("lost twice: %v and %v", w.lost, err)
	}
	if !errors.As(err, &w.lost) {
		w.t.Errorf("the error is %T", err)
	}
}

// took returns what was noted since the last call.
func (w *wires) took() string {
	s := strings.Join(w.log, "; ")
	w.log = nil
	return s
}

func newWires(t *testing.T, cfg *Config) *wires {
	t.Helper()
	if cfg.EIO == 0 {
		cfg.EIO = 4
	}
	if cfg.Namespace == "" {
		cfg.Namespace = "/"
	}
	cfg.Host, cfg.Path, cfg.MaxMessage = "h", "/e/", 1<<16
	w := &wires{t: t, s: NewShared(cfg, 1)}
	w.c.Start(w.s, w, w, 1e9)
	return w
}

// feed gives a line what a server sends, in pieces.
func (w *wires) feed(l Line, text string, size int) {
	var rest []byte
	for len(text) > 0 {
		n := min(size, len(text))
		rest = append(rest, text[:n]...)
		text = text[n:]
		taken := w.c.Receive(l, slices.Clone(rest))
		rest = rest[taken:]
	}
	if len(rest) > 0 && w.lost == nil {
		w.t.Errorf("%q was not taken", rest)
	}
}

func (w *wires) expect(what, want string) {
	w.t.Helper()
	if got := w.took(); got != want {
		w.t.Fatalf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

const (
	open101   = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	handshake = `0{"sid":"S","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":500,"maxPayload":100}`
)

func accept() string { return open101 + "Sec-WebSocket-Accept: " + socketAccept + "\r\n" }

func response(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func frame(op ws.OpCode, payload string) string {
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, ws.NewFrame(op, true, []byte(payload))); err != nil {
		panic(err)
	}
	return b.String()
}

func TestWebSocket(t *testing.T) {
	fragment := string([]byte{0x01, 5}) + `42["b` + frame(ws.OpPing, "p") + string([]byte{0x80, 6}) + `","x"]`
	for size := 1; size < 60; size++ {
		w := newWires(t, &Config{Auth: []byte(`{"a":1}`)})
		w.expect("start", "open socket")
		w.c.Opened(Socket)
		w.expect("connected", "socket GET /e/?EIO=4&transport=websocket")
		w.feed(Socket, accept()+"\r\n"+frame(ws.OpText, handshake), size)
		w.expect("handshake", `socket 1 40{"a":1}`)
		w.feed(Socket, frame(ws.OpText, `40{"sid":"x"}`), size)
		w.expect("CONNECT", "joined")
		w.feed(Socket, frame(ws.OpText, "2")+fragment+frame(ws.OpText, `437["y"]`)+
			frame(ws.OpText, `451-["c",{"_placeholder":true,"num":0}]`)+frame(ws.OpBinary, "raw"), size)
		w.expect("packets", "socket 1 3; socket a p")
		if got := strings.Join(w.messages, "; "); got != "b x; ack 7 y; c raw" {
			t.Fatalf("messages: %s", got)
		}
		if err := w.c.Emit(&Message{Event: "e", Room: "r", Body: []byte("b"), Binary: true, ID: 5, Ack: true}); err != nil {
			t.Fatal(err)
		}
		w.expect("emit", `socket 1 451-5["e","r",{"_placeholder":true,"num":0}]; socket 2 b`)
		w.c.Leave()
		w.expect("leave", "socket 1 41; socket 8 ; close socket")
		if w.lost != nil {
			t.Fatal(w.lost)
		}
	}
}

// Over polling an idle client has one connection. One that sends while a GET waits takes
// a second one for that.
func TestPolling(t *testing.T) {
	for _, size := range []int{1, 7, 1000} {
		w := newWires(t, &Config{Transport: Polling})
		w.expect("start", "open poll")
		w.c.Opened(Poll)
		w.expect("connected", "poll GET /e/?EIO=4&transport=polling")
		w.feed(Poll, response(handshake), size)
		w.expect("handshake", "poll POST /e/?EIO=4&transport=polling&sid=S 40")
		w.feed(Poll, response("ok"), size)
		w.expect("POST is over", "poll GET /e/?EIO=4&transport=polling&sid=S")
		w.feed(Poll, response(`40{"sid":"x"}`), size)
		w.expect("CONNECT", "joined; poll GET /e/?EIO=4&transport=polling&sid=S")
		w.feed(Poll, response("2\x1e42[\"a\",\"x\"]"), size)
		w.expect("ping", "poll POST /e/?EIO=4&transport=polling&sid=S 3")
		w.feed(Poll, response("ok"), size)
		w.expect("pong is over", "poll GET /e/?EIO=4&transport=polling&sid=S")
		for _, body := range []string{"b", strings.Repeat("c", 80), "d"} {
			if err := w.c.Emit(&Message{Event: "e", Body: []byte(body)}); err != nil {
				t.Fatal(err)
			}
		}
		w.expect("emit", "open post")
		w.c.Opened(Post)
		// maxPayload is 100 bytes, so they do not go at once.
		w.expect("opened", `post POST /e/?EIO=4&transport=polling&sid=S 42["e","b"]`)
		w.feed(Post, response("ok"), size)
		w.expect("the second", `post POST /e/?EIO=4&transport=polling&sid=S 42["e","`+strings.Repeat("c", 80)+`"]`)
		w.feed(Post, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", size)
		w.expect("the server closes", "close post; open post")
		w.c.Opened(Post)
		w.expect("the third", `post POST /e/?EIO=4&transport=polling&sid=S 42["e","d"]`)
		w.feed(Post, response("ok"), size)
		w.expect("all sent", "")
		w.c.Closed(Post, errors.New("EOF")) // it was idle
		w.c.Leave()
		w.expect("leave", "close poll")
		if w.lost != nil {
			t.Fatal(w.lost)
		}
	}
}

// The cookies of the handshake are sent along from then on: by them proxies know where a
// session is.
func TestCookies(t *testing.T) {
	w := newWires(t, &Config{Transport: Upgrade, Header: "X: y\r\n"})
	w.c.Opened(Poll)
	w.took()
	w.heads = nil
	w.feed(Poll, strings.Replace(response(handshake), "\r\n", "\r\nSet-Cookie: a=b; Path=/; HttpOnly\r\nset-cookie: c=d\r\nSet-Cookie: ;\r\n", 1), 1000)
	w.c.Opened(Socket)
	if len(w.heads) != 2 {
		t.Fatalf("%d requests", len(w.heads))
	}
	for _, head := range w.heads {
		if !strings.Contains(head, "\r\nX: y\r\nCookie: a=b; c=d") {
			t.Errorf("a request without cookies: %q", head)
		}
	}
}

// An upgrade waits for the poll that is under way, and takes along what was not sent.
func TestUpgrade(t *testing.T) {
	w := newWires(t, &Config{Transport: Upgrade})
	w.c.Opened(Poll)
	w.took()
	w.feed(Poll, response(handshake), 1000)
	w.expect("handshake", "poll POST /e/?EIO=4&transport=polling&sid=S 40; open socket")
	w.c.Opened(Socket)
	w.expect("socket", "socket GET /e/?EIO=4&transport=websocket&sid=S")
	w.feed(Poll, response("ok"), 1000)
	w.expect("POST is over", "poll GET /e/?EIO=4&transport=polling&sid=S")
	w.feed(Socket, accept()+"\r\n", 1000)
	w.expect("probe", "socket 1 2probe")
	w.feed(Socket, frame(ws.OpText, "3probe"), 1000)
	w.expect("the poll waits", "")
	w.feed(Poll, response("2\x1e40{\"sid\":\"x\"}"), 1000)
	w.expect("upgrade", "socket 1 5; close poll; socket 1 3; joined")
	w.c.Closed(Socket, errors.New("EOF"))
	if w.lost == nil || w.lost.Kind != KindClosed {
		t.Errorf("lost by %v", w.lost)
	}
}

func TestRevision3(t *testing.T) {
	w := newWires(t, &Config{EIO: 3, Namespace: "/n"})
	w.c.Opened(Socket)
	w.took()
	w.feed(Socket, accept()+"\r\n"+frame(ws.OpText, handshake)+frame(ws.OpText, "40"), 1000)
	w.expect("handshake", "socket 1 40/n,")
	w.feed(Socket, frame(ws.OpText, "40/n?x=1"), 1000)
	w.expect("CONNECT", "joined")
	w.s.Now = 999e6
	w.c.Tick()
	w.expect("before the interval", "")
	w.s.Now = 1000e6
	w.c.Tick()
	w.expect("after the interval", "socket 1 2")
	w.feed(Socket, frame(ws.OpText, "3")+frame(ws.OpText, `451-/n,["c",{"_placeholder":true,"num":0}]`)+frame(ws.OpBinary, "\x04raw"), 1000)
	if got := strings.Join(w.messages, "; "); got != "c raw" {
		t.Errorf("messages: %s", got)
	}
	w.s.Now = 2500e6
	w.c.Tick()
	if w.lost != nil {
		t.Errorf("lost by %v", w.lost)
	}
	w.s.Now = 2501e6
	w.c.Tick()
	if w.lost == nil || w.lost.Kind != KindHeartbeat {
		t.Errorf("lost by %v", w.lost)
	}
}

// The window of a server that keeps it is kept, but not more than 32 KiB.
func TestDeflateTakeover(t *testing.T) {
	w := newWires(t, &Config{Deflate: DeflateTakeover})
	w.c.Opened(Socket)
	w.feed(Socket, accept()+"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"+frame(ws.OpText, handshake)+frame(ws.OpText, "40{}"), 1000)
	var b bytes.Buffer
	fw, err := flate.NewWriter(&b, 6)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		text := fmt.Sprintf(`42["a","%d %s"]`, i, strings.Repeat("the same again ", 150))
		b.Reset()
		fmt.Fprint(fw, text)
		if err := fw.Flush(); err != nil {
			t.Fatal(err)
		}
		f := ws.NewTextFrame(bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")))
		f.Header.Rsv = ws.Rsv(true, false, false)
		var out bytes.Buffer
		if err := ws.WriteFrame(&out, f); err != nil {
			t.Fatal(err)
		}
		w.feed(Socket, out.String(), 1000)
		if len(w.messages) != i+1 || !strings.HasPrefix(w.messages[i], fmt.Sprintf("a %d the same", i)) {
			t.Fatalf("message %d: %v, lost by %v", i, w.messages[i:], w.lost)
		}
	}
	if len(w.c.window) != windowSize {
		t.Errorf("the window has %d bytes", len(w.c.window))
	}
}

// What a server must not do ends the client with an error that says what it was.
func TestBreaches(t *testing.T) {
	joined := accept() + "\r\n" + frame(ws.OpText, handshake) + frame(ws.OpText, "40{}")
	for _, tt := range []struct {
		name, input string
		kind        Kind
	}{
		{"a packet before the handshake", accept() + "\r\n" + frame(ws.OpText, "2"), KindProtocol},
		{"no packet", joined + frame(ws.OpText, ""), KindProtocol},
		{"a second handshake", joined + frame(ws.OpText, handshake), KindProtocol},
		{"an extension that was not offered", accept() + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", KindProtocol},
		{"a compressed message", joined + "\xc1\x01x", KindProtocol},
		{"a continuation of nothing", joined + "\x80\x01x", KindProtocol},
		{"two messages at once", joined + "\x01\x01x\x01\x01x", KindProtocol},
		{"a packet of another namespace", joined + frame(ws.OpText, `42/x,["a"]`), KindProtocol},
		{"bad JSON", joined + frame(ws.OpText, `42["a`), KindProtocol},
		{"binary data without a packet", joined + frame(ws.OpBinary, "x"), KindProtocol},
		{"a packet in place of an attachment", joined + frame(ws.OpText, `451-["a",{"_placeholder":true,"num":0}]`) + frame(ws.OpText, `42["a"]`), KindProtocol},
		{"a close frame", joined + frame(ws.OpClose, "\x03\xe8bye"), KindClosed},
		{"a close packet", joined + frame(ws.OpText, "1"), KindClosed},
		{"a DISCONNECT", joined + frame(ws.OpText, "41"), KindClosed},
		{"a refusal", accept() + "\r\n" + frame(ws.OpText, handshake) + frame(ws.OpText, `44{"message":"no"}`), KindConnect},
		{"an HTTP error", "HTTP/1.1 503 x\r\nContent-Length: 4\r\n\r\nbusy", KindRefused},
		{"no HTTP", "+OK hello\r\n", KindProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 1000} {
				w := newWires(t, &Config{})
				w.c.Opened(Socket)
				w.feed(Socket, tt.input, size)
				if w.lost == nil || w.lost.Kind != tt.kind || strings.Contains(w.lost.Error(), "\n") {
					t.Errorf("lost by %+v", w.lost)
				}
				if !w.c.Gone() {
					t.Error("it goes on")
				}
				w.c.Closed(Socket, nil) // nothing comes behind OnLost
				w.c.Tick()
				w.c.Leave()
			}
		})
	}
}

// Whatever a server sends, a client takes no more than there is, and says at most once that
// it is lost.
func FuzzReceive(f *testing.F) {
	f.Add(uint8(0), []byte(frame(ws.OpText, `42["a","b"]`)+frame(ws.OpText, "2")))
	f.Add(uint8(1), []byte(response("2\x1e42[\"a\"]")))
	f.Add(uint8(2), []byte("\xc1\x03abc"))
	f.Add(uint8(3), []byte(frame(ws.OpBinary, "\x83\xa4type\x02\xa4data\x91\xa1a\xa3nsp\xa1/")))
	f.Add(uint8(4), []byte(frame(ws.OpText, `451-["c",{"_placeholder":true,"num":0}]`)+frame(ws.OpBinary, "\x04raw")))
	f.Fuzz(func(t *testing.T, mode uint8, b []byte) {
		cfg := &Config{}
		line := Socket
		switch mode % 5 {
		case 1:
			cfg.Transport, line = Polling, Poll
		case 2:
			cfg.Deflate = DeflateTakeover
		case 3:
			cfg.MessagePack = true
		case 4:
			cfg.EIO = 3
		}
		w := newWires(t, cfg)
		w.c.Opened(line)
		if line == Poll {
			w.c.Receive(Poll, []byte(response(handshake)))
		} else {
			extensions := ""
			if cfg.Deflate != NoDeflate {
				extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
			}
			w.c.Receive(Socket, []byte(accept()+extensions+"\r\n"+frame(ws.OpText, handshake)+frame(ws.OpText, "40{}")))
		}
		if n := w.c.Receive(line, b[:len(b):len(b)]); n < 0 || n > len(b) {
			t.Errorf("it took %d of %d bytes", n, len(b))
		}
		w.c.Leave()
	})
}

// readFrame reads a frame of our own, by the library.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
