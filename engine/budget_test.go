package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/loop"
)

// packetSizes are packets with attachments, by the sizes of those. All together they
// are more than any budget here, and than the kernel takes for a peer that does not
// read.
var packetSizes = []struct {
	name         string
	count, bytes int
}{
	{"one large attachment", 1, 8 << 20},
	{"ten large attachments", 10, 800 << 10},
	{"many small attachments", 800, 10 << 10},
}

// newPacket makes the messages of a packet: a header, and attachments that differ.
func newPacket(count, size int) []Message {
	packet := []Message{NewMessage([]byte("header"), false)}
	for i := range count {
		packet = append(packet, NewMessage([]byte(strings.Repeat(string(rune('a'+i%26)), size)), true))
	}
	return packet
}

// ways to send a packet.
var sendWays = map[string]func(tb testing.TB, r *record, packet []Message){
	"send": func(tb testing.TB, r *record, packet []Message) {
		tb.Helper()
		if err := r.Send(false, packet[0], packet[1:]...); err != nil {
			tb.Errorf("Send: %v", err)
		}
	},
	"fan-out": func(tb testing.TB, r *record, packet []Message) {
		tb.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.fixture.reactor.Await(ctx, r.Home(), func(l *loop.Loop) { r.Deliver(l, false, packet) }); err != nil {
			tb.Errorf("Await: %v", err)
		}
	},
}

// wantPacket reads a packet of newPacket.
func (c *wsConn) wantPacket(count, size int) {
	c.tb.Helper()
	c.want("4header")
	for i := range count {
		want := "binary:" + strings.Repeat(string(rune('a'+i%26)), size)
		if got := c.next(); got != want {
			c.tb.Fatalf("attachment %d: %d bytes, %.20q", i, len(got), got)
		}
	}
}

// wantPacket polls until a packet of newPacket has come.
func (c *poller) wantPacket(count, size int) {
	c.tb.Helper()
	packets := []string{"4header"}
	for i := range count {
		data := []byte(strings.Repeat(string(rune('a'+i%26)), size))
		packets = append(packets, "b"+base64.StdEncoding.EncodeToString(data))
	}
	a := c.get.do(http.MethodGet, c.target, "")
	if a.status != 200 || a.body != strings.Join(packets, "\x1e") {
		c.tb.Fatalf("poll: %d, %d bytes", a.status, len(a.body))
	}
}

// smallBudget is less than any packet of packetSizes.
func smallBudget(c *config) { c.MaxPending, c.reactor.MaxPending = 1000, 1000 }

// One packet may pass the budget, however many messages it is, if nothing waits before
// it.
func TestBudgetOfOnePacket(t *testing.T) {
	for _, size := range packetSizes {
		for name, send := range sendWays {
			t.Run(size.name+"/"+name, func(t *testing.T) {
				t.Run("polling", func(t *testing.T) {
					c := serve(t, silent, smallBudget).poll(t)
					for range 2 {
						send(t, c.record, newPacket(size.count, size.bytes))
						c.wantPacket(size.count, size.bytes)
					}
					c.wantOpen(t)
				})
				t.Run("waiting poll", func(t *testing.T) {
					c := serve(t, silent, smallBudget).poll(t)
					c.startPoll()
					send(t, c.record, newPacket(size.count, size.bytes))
					a := c.get.receive()
					if n := strings.Count(a.body, "\x1e"); a.status != 200 || n != size.count {
						t.Errorf("poll: %d, %d packets", a.status, n+1)
					}
				})
				t.Run("websocket", func(t *testing.T) {
					c := serve(t, silent, smallBudget).connect(t)
					for range 2 {
						send(t, c.record, newPacket(size.count, size.bytes))
						c.inspect(t, func() {})
						c.wantPacket(size.count, size.bytes)
					}
					c.wantOpen(t)
				})
				t.Run("websocket with base64", func(t *testing.T) {
					f := serve(t, silent, smallBudget)
					k := f.websocket(t, websocketTarget+"&b64=1", nil)
					r := f.record(t, parseOpen(t, k.next()).SID)
					send(t, r, newPacket(size.count, size.bytes))
					k.want("4header")
					for range size.count {
						if got := k.next(); len(got) <= size.bytes {
							t.Fatalf("%d bytes, %.20q", len(got), got)
						}
					}
				})
				for _, loops := range []int{1, 2} {
					t.Run([]string{"", "upgrade", "upgrade on two loops"}[loops], func(t *testing.T) {
						f := serve(t, silent, smallBudget, func(c *config) { c.reactor.Loops = loops })
						for range loops {
							c := f.poll(t)
							k := c.openCandidate()
							k.write("2probe")
							k.want("3probe")
							send(t, c.record, newPacket(size.count, size.bytes))
							c.inspect(t, func() {})
							k.write("5")
							eventually(t, "the end of the upgrade", func() bool {
								c.wantOpen(t)
								return c.Transport() == "websocket"
							})
							c.inspect(t, func() {})
							k.wantPacket(size.count, size.bytes)
							c.wantOpen(t)
						}
					})
				}
			})
		}
	}
}

// What comes while more than the budget waits is too much, whether it is one message or
// many.
// It shows W2.
func TestBudgetOfSeveralPackets(t *testing.T) {
	for _, size := range packetSizes {
		for name, send := range sendWays {
			t.Run(size.name+"/"+name, func(t *testing.T) {
				t.Run("polling", func(t *testing.T) {
					c := serve(t, silent, smallBudget).poll(t)
					c.send(t, "small")
					send(t, c.record, newPacket(size.count, size.bytes))
					c.wantClosed(t, TransportError, loop.ErrSlowConsumer)
				})
				t.Run("polling, packets that are small", func(t *testing.T) {
					c := serve(t, silent, smallBudget).poll(t)
					for range 3 { // of 408 bytes each
						send(t, c.record, newPacket(4, 92))
					}
					c.wantClosed(t, TransportError, loop.ErrSlowConsumer)
				})
				t.Run("websocket", func(t *testing.T) {
					c := serve(t, silent, smallBudget).connect(t)
					for i := 0; !c.Closed(); i++ {
						if i == 4 {
							t.Fatal("the session takes any amount")
						}
						packet := newPacket(size.count, size.bytes)
						_ = c.Send(false, packet[0], packet[1:]...) // it may have ended
						c.inspect(t, func() {})
					}
					c.wantClosed(t, TransportError, loop.ErrSlowConsumer)
				})
			})
		}
	}
}

// The end of a session in the middle of a packet gives all of its messages back.
func TestBudgetReleasesWhatIsCut(t *testing.T) {
	f := serve(t, silent, smallBudget)
	for _, via := range []string{"polling", "websocket"} {
		t.Run(via, func(t *testing.T) {
			var r *record
			if via == "polling" {
				r = f.poll(t).record
			} else {
				r = f.connect(t).record
			}
			packet := newPacket(4, 2<<20)
			for _, m := range packet {
				m.Retain(8)
			}
			sent := 0
			for ; sent < 8; sent++ {
				if err := r.Send(false, packet[0], packet[1:]...); errors.Is(err, ErrSessionClosed) {
					sent++ // it took its references all the same
					break
				} else if err != nil {
					t.Fatal(err)
				}
				r.inspect(t, func() {})
			}
			r.wantClosed(t, TransportError, loop.ErrSlowConsumer)
			for i, m := range packet {
				r.inspect(t, func() {
					if n := references(m); n != 9-sent {
						t.Errorf("message %d: %d references are left, want %d", i, n, 9-sent)
					}
				})
				m.ReleaseN(9 - sent)
			}
		})
	}
}

// references counts those to a message's buffer. On the loop that gives them back.
func references(m Message) int {
	return int(reflect.ValueOf(m.buf).Elem().FieldByName("refs").FieldByName("v").Int())
}
