package sio_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	sio "github.com/sio-gnet/sio-gnet"
)

// pollingClient is a client over polling, which may go on to WebSocket. It is for one
// goroutine. Binary messages are shown as package siotest shows them.
type pollingClient struct {
	tb      testing.TB
	addr    string
	http    http.Client
	sid     string
	packets []string // that came and were not shown yet
	conn    net.Conn // once it was upgraded
	in      io.ReadWriter
}

func poll(tb testing.TB, addr string) *pollingClient {
	tb.Helper()
	p := &pollingClient{tb: tb, addr: addr, http: http.Client{Transport: new(http.Transport), Timeout: 20 * time.Second}}
	tb.Cleanup(p.http.CloseIdleConnections)
	var open struct{ SID string }
	if first := p.next(); json.Unmarshal([]byte(first[1:]), &open) != nil || open.SID == "" {
		tb.Fatalf("open packet %q", first)
	}
	p.sid = open.SID
	return p
}

func (p *pollingClient) url(scheme, transport string) string {
	u := scheme + "://" + p.addr + "/socket.io/?EIO=4&transport=" + transport
	if p.sid != "" {
		u += "&sid=" + p.sid
	}
	return u
}

// join joins "/" and returns the socket's id.
func (p *pollingClient) join() string {
	p.tb.Helper()
	p.send("40")
	var data struct{ SID string }
	if got := p.next(); json.Unmarshal([]byte(got[2:]), &data) != nil || data.SID == "" {
		p.tb.Fatalf("answer %q", got)
	}
	return data.SID
}

func (p *pollingClient) send(packets ...string) {
	p.tb.Helper()
	if p.conn != nil {
		for _, packet := range packets {
			if err := wsutil.WriteClientText(p.conn, []byte(packet)); err != nil {
				p.tb.Fatal(err)
			}
		}
		return
	}
	p.request(http.MethodPost, strings.Join(packets, "\x1e"))
}

func (p *pollingClient) request(method, body string) string {
	p.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, p.url("http", "polling"), strings.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.tb.Fatalf("%s: %s %q, %v", method, res.Status, answer, err)
	}
	return string(answer)
}

// next returns the next packet, without pings and noops. It polls if there is none.
func (p *pollingClient) next() string {
	p.tb.Helper()
	for {
		for len(p.packets) == 0 {
			p.fill()
		}
		packet := p.packets[0]
		p.packets = p.packets[1:]
		switch {
		case packet == "2":
			p.send("3")
		case packet == "6":
		case packet[0] == 'b':
			data, err := base64.StdEncoding.DecodeString(packet[1:])
			if err != nil {
				p.tb.Fatal(err)
			}
			return "binary:" + string(data)
		default:
			return packet
		}
	}
}

func (p *pollingClient) fill() {
	p.tb.Helper()
	if p.conn == nil {
		p.packets = strings.Split(p.request(http.MethodGet, ""), "\x1e")
		return
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		p.tb.Fatal(err)
	}
	data, op, err := wsutil.ReadServerData(p.in)
	if err != nil {
		p.tb.Fatal(err)
	}
	if op == ws.OpBinary {
		data = append([]byte("b"), base64.StdEncoding.EncodeToString(data)...)
	}
	p.packets = []string{string(data)}
}

// upgrade goes over to WebSocket as clients do: it probes, polls until the server has
// answered the last poll, and says that it is done.
func (p *pollingClient) upgrade() {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, br, _, err := ws.Dial(ctx, p.url("ws", "websocket"))
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(func() { conn.Close() })
	in := stream{io.Reader(conn), conn}
	if br != nil {
		in.Reader = io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn)
	}
	if err := wsutil.WriteClientText(conn, []byte("2probe")); err != nil {
		p.tb.Fatal(err)
	}
	if answer, _, err := wsutil.ReadServerData(in); err != nil || !bytes.Equal(answer, []byte("3probe")) {
		p.tb.Fatalf("probe: %q, %v", answer, err)
	}
	p.packets = append(p.packets, strings.Split(p.request(http.MethodGet, ""), "\x1e")...)
	if err := wsutil.WriteClientText(conn, []byte("5")); err != nil {
		p.tb.Fatal(err)
	}
	p.conn, p.in = conn, in
}

type stream struct {
	io.Reader
	io.Writer
}

// TestOrderUnderLoad shows S6.9 and more: what one goroutine emits to a socket, directly
// or by broadcasts, from handlers and elsewhere, with and without attachments, arrives
// in order and whole on either transport and through the change of it.
func TestOrderUnderLoad(t *testing.T) {
	for _, tc := range []struct {
		name    string
		upgrade bool
		loops   int
	}{{"polling", false, 2}, {"upgrade", true, 1}, {"upgrade to another loop", true, 3}} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) { o.Loops = tc.loops; o.MaxPending = 64 << 20 })
			p := poll(t, f.addr)
			s := f.Socket(p.join())
			const senders, each = 5, 300
			for room := range 8 {
				s.Join(fmt.Sprint("room", room))
			}
			var wg sync.WaitGroup
			emit := func(sender, i int) {
				args := []any{sender, i}
				if i%3 == 0 {
					args = append(args, []byte{byte(sender), byte(i)}, map[string][]byte{"k": {byte(i)}})
				}
				var err error
				switch i % 5 {
				case 0, 3:
					err = s.Emit("e", args...)
				case 1:
					err = f.Emit("e", args...)
				default:
					err = f.To(fmt.Sprint("room", i%8), fmt.Sprint("room", (i+sender)%8)).Emit("e", args...)
				}
				if err != nil {
					t.Error(err)
				}
			}
			f.on(t, "start", func() { // a handler is one of the senders
				for i := range each {
					emit(0, i)
				}
			})
			for sender := 1; sender < senders; sender++ {
				wg.Go(func() {
					for i := range each {
						emit(sender, i)
						if i%32 == 0 {
							time.Sleep(time.Millisecond) // so that the client is in the middle of it
						}
					}
				})
			}
			p.send(`42["start"]`)
			var next [senders]int
			for n := range senders * each {
				if tc.upgrade && n == 200 {
					p.upgrade()
				}
				packet := p.next()
				binary := strings.HasPrefix(packet, `452-["e",`)
				args := packet[strings.IndexByte(packet, '['):]
				var sender, i int
				if _, err := fmt.Sscanf(args, `["e",%d,%d`, &sender, &i); err != nil || sender >= senders || i != next[sender] {
					t.Fatalf("got %q, want %v next, %v", packet, next, err)
				}
				next[sender]++
				if binary != (i%3 == 0) {
					t.Fatalf("got %q", packet)
				}
				if binary {
					for _, want := range []string{string([]byte{byte(sender), byte(i)}), string([]byte{byte(i)})} {
						if got := p.next(); got != "binary:"+want {
							t.Fatalf("attachment %q of %q, want %q", got, packet, want)
						}
					}
				}
			}
			wg.Wait()
			if want := "polling"; tc.upgrade == (s.Transport() == want) {
				t.Errorf("the transport is %s", s.Transport())
			}
			if err := s.Emit("end"); err != nil {
				t.Fatal(err)
			}
			if got := p.next(); got != `42["end"]` {
				t.Errorf("got %q", got)
			}
			f.wantNoErrors(t)
		})
	}
}

// TestVolatile shows S6.7 and S6.8: over polling, what is volatile goes only into a poll
// that waits, whole or not at all, and what is not goes on as ever.
func TestVolatile(t *testing.T) {
	f := serve(t, oneLoop)
	f.on(t, "echo", func(ack sio.Ack) error { return ack.Send() })
	fence, fenceSocket := f.connect(t)
	// settled waits until the loop has done what it was given: its answer stands behind that.
	settled := func() {
		t.Helper()
		fence.Send(`421["echo"]`)
		fence.Want(`431[]`)
	}
	p := poll(t, f.addr)
	s := f.Socket(p.join())
	for i, emit := range []func(string, ...any) error{
		s.Volatile().Emit, s.Compress(false).Volatile().Emit, f.To(s.ID()).Volatile().Emit, f.Except(fenceSocket.ID()).Volatile().Emit,
	} {
		if err := emit("lost", i, []byte("x")); err != nil { // no poll waits
			t.Fatal(err)
		}
	}
	// The emitter is a value: what it says holds for its own emits only.
	e := s.Volatile()
	if err := errors.Join(e.Emit("lost"), s.Emit("kept"), e.Emit("lost")); err != nil {
		t.Fatal(err)
	}
	settled()
	if got := p.request(http.MethodGet, ""); got != `42["kept"]` {
		t.Errorf("got %q", got)
	}

	got := make(chan string, 1)
	go func() { got <- p.request(http.MethodGet, "") }()
	for { // until a poll waits
		if err := s.Volatile().Emit("v", []byte("x")); err != nil {
			t.Fatal(err)
		}
		settled()
		select {
		case payload := <-got:
			if want := holes(`451-["v",#]`) + "\x1ebeA=="; payload != want {
				t.Errorf("got %q, want %q", payload, want)
			}
			return
		default:
		}
	}
}
