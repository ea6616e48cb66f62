package loop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

const deflateOffer = "permessage-deflate; client_max_window_bits"

// takeoverBothWays is the opposite of the defaults.
func takeoverBothWays() *Deflate {
	return &Deflate{ServerContextTakeover: true, ClientContextTakeover: true}
}

func TestDeflateOptions(t *testing.T) {
	tests := []struct {
		name string
		d    Deflate
		ok   bool
	}{
		{"defaults", Deflate{}, true},
		{"best level", Deflate{Level: 9}, true},
		{"level too high", Deflate{Level: 10}, false},
		{"level too low", Deflate{Level: -1}, false},
		{"least windows", Deflate{ServerMaxWindowBits: 8, ClientMaxWindowBits: 8}, true},
		{"server's window too small", Deflate{ServerMaxWindowBits: 7}, false},
		{"server's window too large", Deflate{ServerMaxWindowBits: 16}, false},
		{"client's window too small", Deflate{ClientMaxWindowBits: 7}, false},
		{"client's window too large", Deflate{ClientMaxWindowBits: 16}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.d.withDefaults()
			if err := d.validate(); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrOptions) {
				t.Errorf("got %v, want it valid: %v", err, tt.ok)
			}
			if !tt.ok {
				if _, err := New(Options{Deflate: &tt.d}, nil); !errors.Is(err, ErrOptions) {
					t.Errorf("New returned %v", err)
				}
			}
		})
	}
}

// A limit that is meant to be none counts as a large one.
func TestDeflateWithoutLimit(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{}, MaxMessage: math.MaxInt})
	c := f.dial(t, deflateOffer)
	message := deflateText(5000, 1)
	c.writeRaw(deflateFrame(ws.OpText, true, true, c.compress(message)))
	c.want(ws.OpText, message, true)
}

// TestDeflateHandshake goes through what is answered; E64 is the first line.
func TestDeflateHandshake(t *testing.T) {
	const noTakeover = "; server_no_context_takeover; client_no_context_takeover"
	tests := []struct {
		name    string
		options *Deflate
		offers  []string
		answer  string
	}{
		{"E64 off by default", nil, []string{deflateOffer}, ""},
		{"off, malformed", nil, []string{"@"}, ""},
		{"on, not offered", &Deflate{}, nil, ""},
		{"on, empty", &Deflate{}, []string{""}, ""},
		{"on, other offered", &Deflate{}, []string{"foo"}, ""},
		{"no takeover by default", &Deflate{}, []string{deflateOffer}, "permessage-deflate" + noTakeover},
		{"offer in a second header", &Deflate{}, []string{"foo", deflateOffer}, "permessage-deflate" + noTakeover},
		{"takeover", takeoverBothWays(), []string{deflateOffer}, "permessage-deflate"},
		{"takeover declined by the client", takeoverBothWays(), []string{deflateOffer + noTakeover}, "permessage-deflate" + noTakeover},
		{"windows", &Deflate{ServerMaxWindowBits: 12, ClientMaxWindowBits: 10}, []string{deflateOffer}, "permessage-deflate" + noTakeover + "; server_max_window_bits=12; client_max_window_bits=10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := serveDeflate(t, Options{Deflate: tt.options})
			c := f.dial(t, tt.offers...)
			if c.answer != tt.answer {
				t.Errorf("answer %q, want %q", c.answer, tt.answer)
			}
			message := deflateText(2000, 1)
			c.writeRaw(deflateFrame(ws.OpText, true, false, []byte(message)))
			c.want(ws.OpText, message, tt.answer != "")
		})
	}
}

func TestDeflateMalformedOffer(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{}})
	c, status, _ := f.handshake(t, deflateOffer, `a; b="`)
	if status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	if _, err := io.Copy(io.Discard, c.in); err != nil {
		t.Errorf("the connection goes on: %v", err)
	}
	deflateEventually(t, "an error", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.errs) == 1 && errors.Is(f.errs[0], ErrExtensions)
	})
}

// TestDeflateSequences sends messages to and fro with all that can be agreed on.
func TestDeflateSequences(t *testing.T) {
	type exchange struct {
		op      ws.OpCode
		message string
		plain   bool // comes back as it is
	}
	var messages []exchange
	for i, size := range []int{0, 1, 1023, 1024, 5000, 1025, 70_000, 1500} {
		messages = append(messages,
			exchange{ws.OpText, deflateText(size, int64(i)), size < 1024},
			exchange{ws.OpText, deflateText(size, 77), size < 1024},
			exchange{ws.OpBinary, deflateNoise(size, int64(i)), true},
			exchange{ws.OpText, "plain" + deflateText(size, int64(i)), true}, // W14: not even with takeover (E64)
			exchange{ws.OpBinary, strings.Repeat("ab", size/2), size < 1024})
	}
	offers := map[string]string{
		"browser":               deflateOffer,
		"no server takeover":    deflateOffer + "; server_no_context_takeover",
		"no client takeover":    deflateOffer + "; client_no_context_takeover",
		"server window 8":       deflateOffer + "; server_max_window_bits=8",
		"server window 10":      deflateOffer + "; server_max_window_bits=10",
		"no bounds on a client": "permessage-deflate",
	}
	options := map[string]*Deflate{
		"defaults":  {},
		"takeover":  takeoverBothWays(),
		"level 9":   {ServerContextTakeover: true, ClientContextTakeover: true, Level: 9},
		"level 6":   {ServerContextTakeover: true, Level: 6},
		"window 12": {ServerContextTakeover: true, ClientContextTakeover: true, ServerMaxWindowBits: 12},
	}
	for optionsName, o := range options {
		for offerName, offer := range offers {
			t.Run(optionsName+"/"+offerName, func(t *testing.T) {
				f := serveDeflate(t, Options{Deflate: o})
				c := f.dial(t, offer)
				var window int
				if i := strings.Index(c.answer, "server_max_window_bits="); i >= 0 {
					if _, err := fmt.Sscanf(c.answer[i:], "server_max_window_bits=%d", &window); err != nil {
						t.Fatal(err)
					}
				}
				for i, m := range messages {
					if i%3 == 2 {
						c.writeRaw(deflateFrame(m.op, true, false, []byte(m.message)))
					} else {
						c.writeRaw(deflateFrame(m.op, true, true, c.compress(m.message)))
					}
					h, payload := c.next()
					if h.OpCode != m.op || h.Rsv1() == m.plain {
						t.Fatalf("message %d, %d bytes: frame header %+v", i, len(m.message), h)
					}
					got := string(payload)
					if h.Rsv1() {
						if window > 0 {
							wantWindow(t, payload, 1<<window)
						}
						got = c.decompress(payload, len(m.message))
					}
					if got != m.message {
						t.Fatalf("message %d: got %d bytes %.60q", i, len(got), got)
					}
				}
			})
		}
	}
}

// TestDeflateTakeoverPays shows that a window is kept where it was agreed on,
// and not where it was not.
func TestDeflateTakeoverPays(t *testing.T) {
	message := deflateText(3000, 1)
	for _, takeover := range []bool{true, false} {
		t.Run(fmt.Sprintf("takeover %v", takeover), func(t *testing.T) {
			f := serveDeflate(t, Options{Deflate: &Deflate{ServerContextTakeover: takeover, ClientContextTakeover: takeover}})
			c := f.dial(t, deflateOffer)
			var sizes [3]int
			for i := range sizes {
				c.writeRaw(deflateFrame(ws.OpText, true, true, c.compress(message)))
				sizes[i] = c.want(ws.OpText, message, true)
			}
			if small := sizes[1] < sizes[0]/4 && sizes[2] < sizes[0]/4; small != takeover {
				t.Errorf("sizes of the same message: %v", sizes)
			}
			f.on(t, f.last().loop, func() {
				if w := f.last().windows; (w != nil) != takeover {
					t.Errorf("windows %+v", w)
				} else if w != nil && (cap(w.sent.text) > 32<<10 || len(w.received.text) != 3*len(message)) {
					t.Errorf("windows of %d and %d bytes, in %d", len(w.sent.text), len(w.received.text), cap(w.sent.text))
				}
			})
		})
	}
}

// TestDeflateForeignWindow shows that nothing is kept between messages that was
// not agreed on: a reference to it is an error.
func TestDeflateForeignWindow(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{}})
	c := f.dial(t, deflateOffer)
	c.clientTakeover = true // it goes against what was agreed on
	message := deflateText(3000, 1)
	c.writeRaw(deflateFrame(ws.OpText, true, true, c.compress(message)))
	c.want(ws.OpText, message, true)
	c.writeRaw(deflateFrame(ws.OpText, true, true, c.compress(message)))
	c.wantClose(ws.StatusInvalidFramePayloadData)
}

// TestDeflateSplit cuts a stream of messages, compressed and not, fragmented and
// not, with control frames within, at every byte, and into single bytes.
func TestDeflateSplit(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{ClientContextTakeover: true, Threshold: 1}})
	for _, whole := range []int{-1, 0} {
		c := f.dial(t, deflateOffer)
		if whole < 0 {
			deflateSplit(t, f, c, nil)
			continue
		}
		for at := 1; ; at++ {
			if !deflateSplit(t, f, c, &at) {
				break
			}
		}
	}
}

// deflateSplit sends the stream in two pieces, or, if at is nil, in single
// bytes. It reports whether at lies within it.
func deflateSplit(t *testing.T, f *deflateServer, c *deflateClient, at *int) bool {
	t.Helper()
	one, two, three := strings.Repeat(deflateText(20, 1), 3), strings.Repeat(deflateText(25, 2), 3), strings.Repeat("grüße ", 8)
	var stream []byte
	add := func(op ws.OpCode, fin, rsv1 bool, payload []byte) {
		stream = append(stream, deflateFrame(op, fin, rsv1, payload)...)
	}
	p := c.compress(one)
	add(ws.OpText, true, true, p)
	p = c.compress(two)
	add(ws.OpBinary, false, true, p[:2])
	add(ws.OpPing, true, false, []byte("a"))
	add(ws.OpContinuation, false, false, nil)
	add(ws.OpContinuation, false, false, p[2:len(p)-1])
	add(ws.OpPing, true, false, []byte("b"))
	add(ws.OpContinuation, true, false, p[len(p)-1:])
	add(ws.OpText, false, false, []byte(three[:3]))
	add(ws.OpContinuation, true, false, []byte(three[3:]))
	p = c.compress(three)
	add(ws.OpText, false, true, nil)
	add(ws.OpContinuation, true, false, p)

	var pieces [][]byte
	switch {
	case at == nil:
		for i := range stream {
			pieces = append(pieces, stream[i:i+1])
		}
	case *at >= len(stream):
		return false
	default:
		pieces = [][]byte{stream[:*at], stream[*at:]}
	}
	conn := f.last()
	f.on(t, conn.loop, func() {
		for _, piece := range pieces {
			conn.onInput(bytes.Clone(piece))
		}
	})
	c.want(ws.OpText, one, true)
	c.want(ws.OpPong, "a", false)
	c.want(ws.OpPong, "b", false)
	c.want(ws.OpBinary, two, true)
	c.want(ws.OpText, three, true)
	c.want(ws.OpText, three, true)
	f.on(t, conn.loop, func() {
		if conn.ws != nil || conn.input != nil {
			t.Error("the idle connection holds a reader or input")
		}
	})
	return true
}

// TestDeflateBadFrames goes through what ends a connection that compresses.
func TestDeflateBadFrames(t *testing.T) {
	var c deflateClient
	c.tb = t
	hello := c.compress("hello")
	big := c.compress(strings.Repeat("a", 10_001))
	fits := c.compress(strings.Repeat("a", 10_000))
	tests := []struct {
		name   string
		frames [][]byte
		code   ws.StatusCode // 0: it is echoed
		plain  bool          // compression was not agreed on
	}{
		{name: "good", frames: [][]byte{deflateFrame(ws.OpText, true, true, hello)}},
		{name: "not agreed on", plain: true, frames: [][]byte{deflateFrame(ws.OpText, true, true, hello)}, code: 1002},
		{name: "RSV1 on a continuation", frames: [][]byte{deflateFrame(ws.OpText, false, true, hello[:2]), deflateFrame(ws.OpContinuation, true, true, hello[2:])}, code: 1002},
		{name: "RSV1 on a ping", frames: [][]byte{deflateFrame(ws.OpPing, true, true, nil)}, code: 1002},
		{name: "RSV1 on a close", frames: [][]byte{deflateFrame(ws.OpClose, true, true, nil)}, code: 1002},
		{name: "no deflate data", frames: [][]byte{deflateFrame(ws.OpText, true, true, []byte("hello"))}, code: 1007},
		{name: "nothing at all", frames: [][]byte{deflateFrame(ws.OpText, true, true, nil)}, code: 1007},
		{name: "cut short", frames: [][]byte{deflateFrame(ws.OpText, true, true, hello[:len(hello)-2])}, code: 1007},
		{name: "no deflate data in fragments", frames: [][]byte{deflateFrame(ws.OpText, false, true, []byte("he")), deflateFrame(ws.OpContinuation, true, false, []byte("llo"))}, code: 1007},
		{name: "E68 no UTF-8 inside", frames: [][]byte{deflateFrame(ws.OpText, true, true, c.compress("gr\xfc\xdfe"))}, code: 1007},
		{name: "no UTF-8 inside, binary", frames: [][]byte{deflateFrame(ws.OpBinary, true, true, c.compress("gr\xfc\xdfe"))}},
		{name: "E68 at the limit", frames: [][]byte{deflateFrame(ws.OpText, true, true, fits)}},
		{name: "E68 over the limit", frames: [][]byte{deflateFrame(ws.OpText, true, true, big)}, code: 1009},
		{name: "over the limit in fragments", frames: [][]byte{deflateFrame(ws.OpText, false, true, big[:3]), deflateFrame(ws.OpContinuation, true, false, big[3:])}, code: 1009},
		{name: "noise at the limit", frames: [][]byte{deflateFrame(ws.OpBinary, true, true, c.compress(deflateNoise(10_000, 1)))}},
		{name: "noise at the limit in fragments", frames: [][]byte{deflateFrame(ws.OpBinary, false, true, nil), deflateFrame(ws.OpContinuation, true, false, c.compress(deflateNoise(10_000, 1)))}},
		{name: "compressed payload over the limit", frames: [][]byte{deflateFrame(ws.OpBinary, true, true, []byte(deflateNoise(10_100, 1)))}, code: 1009},
		{name: "plain payload over the limit", frames: [][]byte{deflateFrame(ws.OpBinary, true, false, []byte(deflateNoise(10_001, 1)))}, code: 1009},
	}
	f := serveDeflate(t, Options{Deflate: &Deflate{Threshold: 1 << 20}, MaxMessage: 10_000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			offer := deflateOffer
			if tt.plain {
				offer = "foo"
			}
			c := f.dial(t, offer)
			c.writeRaw(bytes.Join(tt.frames, nil))
			if tt.code != 0 {
				c.wantClose(tt.code)
				return
			}
			if h, _ := c.next(); h.OpCode != ws.OpText && h.OpCode != ws.OpBinary {
				t.Errorf("frame header %+v", h)
			}
		})
	}
}

// TestDeflateMaxWindows shows that windows are bounded in total, and what is
// given up first.
func TestDeflateMaxWindows(t *testing.T) {
	d := takeoverBothWays()
	d.MaxWindows = 32<<10 + 32<<10 + 32<<10
	f := serveDeflate(t, Options{Deflate: d})
	both := f.dial(t, deflateOffer)
	client := f.dial(t, deflateOffer)
	none := f.dial(t, deflateOffer)
	for i, got := range []string{both.answer, client.answer, none.answer} {
		want := []string{"", "; server_no_context_takeover", "; server_no_context_takeover; client_no_context_takeover"}[i]
		if got != "permessage-deflate"+want {
			t.Errorf("connection %d: %q", i, got)
		}
	}
	if n := f.reactor.windows.Load(); n != int64(d.MaxWindows) {
		t.Errorf("%d bytes are reserved", n)
	}
	both.conn.Close()
	deflateEventually(t, "the windows of a closed connection", func() bool { return f.reactor.windows.Load() == 32<<10 })
	if again := f.dial(t, deflateOffer); again.answer != "permessage-deflate" {
		t.Errorf("after one has gone: %q", again.answer)
	}
}

// TestDeflateReserves shows that a connection counts with the windows that were
// agreed on.
func TestDeflateReserves(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{ServerContextTakeover: true, ClientContextTakeover: true, ServerMaxWindowBits: 12}})
	for i, tt := range []struct {
		offer string
		bytes int64
	}{
		{"permessage-deflate; client_max_window_bits=8; server_max_window_bits=9", 256 + 512},
		{"permessage-deflate; client_no_context_takeover", 4096},
		{"permessage-deflate; server_no_context_takeover", 32 << 10},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", 0},
	} {
		before := f.reactor.windows.Load()
		f.dial(t, tt.offer)
		if n := f.reactor.windows.Load() - before; n != tt.bytes {
			t.Errorf("connection %d reserves %d bytes, want %d", i, n, tt.bytes)
		}
	}
}

func TestDeflateWindow(t *testing.T) {
	for _, size := range []int{256, 32 << 10} {
		r := rand.New(rand.NewSource(1))
		w := window{size: size}
		var all []byte
		for range 200 {
			p := []byte(deflateNoise(r.Intn(size/8), r.Int63()))
			if r.Intn(20) == 0 {
				p = []byte(deflateNoise(size+r.Intn(3)-1, r.Int63()))
			}
			all = append(all, p...)
			w.add(p)
			if want := all[max(0, len(all)-size):]; !bytes.Equal(w.text, want) {
				t.Fatalf("size %d: window of %d bytes is wrong, want %d", size, len(w.text), len(want))
			}
			if cap(w.text) > size {
				t.Fatalf("size %d: takes %d bytes", size, cap(w.text))
			}
		}
	}
}
