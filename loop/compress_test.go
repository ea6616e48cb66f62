package loop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// broadcastDeflate sends one message to all connections, each loop's share as a
// task, as a broadcast does. It returns the Buffer, with one reference kept.
func (f *deflateServer) broadcastDeflate(tb testing.TB, payload string, compress bool, targets []*Conn) *Buffer {
	tb.Helper()
	b, frame := deflateMessage(payload, false)
	b.Retain(len(targets))
	var done sync.WaitGroup
	for _, l := range f.reactor.Loops() {
		done.Add(1)
		l.Post(TaskFunc(func(l *Loop) {
			defer done.Done()
			for _, c := range targets {
				if c.loop == l {
					c.EnqueueMessage(b, frame, FrameHeadroom, compress)
				}
			}
		}))
	}
	done.Wait()
	return b
}

// forms returns the compressed forms that a Buffer has.
func forms(b *Buffer) (all []*deflatedForm) {
	for form := b.deflated.Load(); form != nil; form = form.next {
		all = append(all, form)
	}
	return all
}

// TestDeflateSharedFrame sends messages to clients on two loops that agreed on
// different things, and looks at how often they were compressed, and at the
// references.
func TestDeflateSharedFrame(t *testing.T) {
	f := serveDeflate(t, Options{Loops: 2, Deflate: &Deflate{}})
	var clients []*deflateClient
	windows := []string{"", "; server_max_window_bits=10", "; server_max_window_bits=12"}
	for i := range 12 {
		clients = append(clients, f.dial(t, deflateOffer+windows[i%3]))
	}
	uncompressing := f.dial(t)
	used := make(map[*Loop]int)
	for _, c := range f.all() {
		used[c.loop]++
	}
	if len(used) != 2 {
		t.Fatalf("connections by loop: %v", used)
	}
	tests := []struct {
		name     string
		message  string
		plain    bool // W14: the message is not to be compressed
		forms    int
		deflates bool
	}{
		{name: "all share one", message: deflateText(1024, 1), forms: 1, deflates: true},
		{name: "windows of 10 bits have their own", message: deflateText(4000, 2), forms: 2, deflates: true},
		{name: "each window has its own", message: deflateText(10_000, 3), forms: 3, deflates: true},
		{name: "below the threshold", message: deflateText(1023, 4)},
		{name: "not to be compressed", message: deflateText(2000, 5), plain: true},
		{name: "does not compress", message: noisyText(1024), forms: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := f.broadcastDeflate(t, tt.message, !tt.plain, f.all())
			got := make(map[string]string)
			for i, c := range clients {
				h, payload := c.next()
				if h.Rsv1() != tt.deflates {
					t.Fatalf("client %d: frame header %+v", i, h)
				}
				if h.Rsv1() {
					wantWindow(t, payload, 1<<[]int{15, 10, 12}[i%3])
				}
				if first, ok := got[windows[i%3]]; ok && first != string(payload) {
					t.Errorf("client %d got a frame of its own", i)
				}
				got[windows[i%3]] = string(payload)
				if h.Rsv1() {
					payload = []byte(c.decompress(payload, len(tt.message)))
				}
				if string(payload) != tt.message {
					t.Errorf("client %d got %.40q", i, payload)
				}
			}
			uncompressing.want(ws.OpText, tt.message, false)
			all := forms(b)
			if len(all) != tt.forms {
				t.Errorf("compressed %d times, want %d", len(all), tt.forms)
			}
			// Every client has its frame, and gave its reference back.
			deflateEventually(t, "the last reference", func() bool {
				left := b.refs.Load() == 1
				for _, form := range all {
					left = left && (form.frame == nil || form.frame.refs.Load() == 1)
				}
				return left
			})
			b.Retain(1)
			b.ReleaseN(2)
			for _, form := range all {
				if form.frame != nil && form.frame.refs.Load() != 0 {
					t.Errorf("%d references to a compressed frame are left", form.frame.refs.Load())
				}
			}
		})
	}
}

// noisyText is text in which nothing repeats: the compressor leaves it alone.
func noisyText(n int) string {
	b := []byte(deflateNoise(n, 1))
	for i := range b {
		b[i] &= 0x7f
	}
	return string(b)
}

// TestDeflateToClosed shows that what can't be sent is not compressed either, and
// that references come back.
func TestDeflateToClosed(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{}})
	c := f.dial(t, deflateOffer)
	f.on(t, f.last().loop, func() { f.last().CloseWebSocket(CloseNormal, "") })
	b := f.broadcastDeflate(t, deflateText(2000, 1), true, f.all())
	c.wantClose(CloseNormal)
	if n := len(forms(b)); n != 0 {
		t.Errorf("compressed %d times", n)
	}
	deflateEventually(t, "the last reference", func() bool { return b.refs.Load() == 1 })
	b.Release()
}

// TestDeflateSlowConsumer cuts a client off that does not read; compressed
// frames are released with it.
func TestDeflateSlowConsumer(t *testing.T) {
	f := serveDeflate(t, Options{Deflate: &Deflate{}, MaxPending: 64 << 10})
	f.dial(t, deflateOffer)
	slow := f.last()
	text := deflateText(100_000, 1)
	var sent []*Buffer
	deflateEventually(t, "the end of a client that does not read", func() bool {
		sent = append(sent, f.broadcastDeflate(t, text, true, []*Conn{slow}))
		return slow.Closed()
	})
	for _, b := range sent {
		deflateEventually(t, "the last reference", func() bool {
			all := forms(b)
			return b.refs.Load() == 1 && (len(all) == 0 || all[0].frame.refs.Load() == 1)
		})
		b.Release()
	}
}

// TestDeflateAllocations guards the paths that every message takes.
func TestDeflateAllocations(t *testing.T) {
	if deflateRace {
		t.Skip("the race detector allocates")
	}
	message := deflateText(2000, 1)
	payload := []byte(deflated(t, message))
	var (
		in   inflater
		out  deflater
		dst  = make([]byte, 0, 4096)
		said = []byte(message)
	)
	for name, f := range map[string]func(){
		"inflate": func() {
			if _, err := in.inflate(dst, payload, said, 4000); err != nil {
				t.Error(err)
			}
		},
		"deflate": func() {
			if _, ok := out.deflate(dst, []byte(message), said, 15, 1); !ok {
				t.Error("not compressed")
			}
		},
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n > 1 { // the copy of the message
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkDeflateBroadcast sends 1 KiB of JSON to 1,000 clients in this process,
// which read and throw away. ns/op of the server's side can't be told from that of
// the readers, so it is the difference to plain that counts.
func BenchmarkDeflateBroadcast(b *testing.B) {
	const clients = 1000
	for _, bb := range []struct {
		name     string
		options  *Deflate
		compress bool
	}{
		{"plain", nil, false},
		{"deflate", &Deflate{}, true},
		{"deflate level 6", &Deflate{Level: 6}, true},
		{"takeover of 4 KiB", &Deflate{ServerContextTakeover: true, ServerMaxWindowBits: 12}, true},
		{"takeover of 32 KiB", &Deflate{ServerContextTakeover: true}, true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			f := serveDeflate(b, Options{Loops: 1, Deflate: bb.options, MaxConnections: 2 * clients, MaxPending: 16 << 20})
			var received sync.WaitGroup
			for range clients {
				c := f.dial(b, deflateOffer)
				received.Go(func() { drainDeflate(c.in, c.conn) })
			}
			message := deflateText(1024, 1)
			conns := f.all()
			send := func() { f.broadcastDeflate(b, message, bb.compress, conns).Release() }
			for range 40 { // fills the windows
				send()
			}
			cpu := processTime(b)
			b.ResetTimer()
			for b.Loop() {
				send()
				f.flushed(b)
			}
			b.ReportMetric(float64(processTime(b)-cpu)/float64(b.N)/clients, "cpu-ns/client")
			b.StopTimer()
			if err := f.reactor.Stop(); err != nil {
				b.Fatal(err)
			}
			received.Wait()
		})
	}
}

// flushed waits until a turn has come and gone.
func (f *deflateServer) flushed(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deflatePatience)
	defer cancel()
	for _, l := range f.reactor.Loops() {
		if err := f.reactor.Await(ctx, l, func(*Loop) {}); err != nil {
			tb.Fatal(err)
		}
	}
}

func drainDeflate(in io.Reader, conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(io.Discard, in) // until the server stops
}

func processTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDeflateIdle measures the heap that an idle connection takes after each
// client has sent one message of 2 KB, and one of 64 KB.
func BenchmarkDeflateIdle(b *testing.B) {
	const clients = 1000
	for _, bb := range []struct {
		name    string
		options *Deflate
	}{
		{"off", nil},
		{"no takeover", &Deflate{}},
		{"client takeover", &Deflate{ClientContextTakeover: true}},
		{"client takeover of 4 KiB", &Deflate{ClientContextTakeover: true, ClientMaxWindowBits: 12}},
		{"takeover both ways", takeoverBothWays()},
	} {
		for _, size := range []int{2000, 64_000} {
			b.Run(fmt.Sprintf("%s/%d bytes", bb.name, size), func(b *testing.B) {
				f := serveDeflate(b, Options{Loops: 1, Deflate: bb.options, MaxConnections: 2 * clients})
				message := deflateText(size, 1)
				frame := deflateFrame(ws.OpText, true, false, []byte(message))
				if bb.options != nil {
					frame = deflateFrame(ws.OpText, true, true, []byte(deflated(b, message)))
				}
				heap := func() uint64 {
					var m runtime.MemStats
					runtime.GC()
					runtime.GC()
					runtime.ReadMemStats(&m)
					return m.HeapAlloc
				}
				warm := f.rawDeflate(b, frame) // the loop has its own memory from here on
				defer warm.Close()
				for b.Loop() {
					var conns []net.Conn
					before := heap()
					for range clients {
						conns = append(conns, f.rawDeflate(b, frame))
					}
					f.on(b, f.last().loop, func() {}) // the turn of the last echo is over
					b.ReportMetric(float64(heap()-before)/clients, "heap-B/client")
					for _, c := range conns {
						c.Close()
					}
					deflateEventually(b, "the end of all", func() bool { return f.reactor.Connections() == 1 })
					f.mu.Lock()
					f.conns, f.errs, f.ends = f.conns[:1], nil, nil
					f.mu.Unlock()
				}
			})
		}
	}
}

// rawDeflate opens a WebSocket that holds next to nothing on the client's side,
// sends a frame and reads the first byte of the echo.
func (f *deflateServer) rawDeflate(tb testing.TB, frame []byte) net.Conn {
	tb.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		tb.Fatal(err)
	}
	request := deflateRequest + "Sec-WebSocket-Extensions: " + deflateOffer + "\r\n\r\n"
	if _, err := conn.Write(append([]byte(request), frame...)); err != nil {
		tb.Fatal(err)
	}
	var answer []byte
	piece := make([]byte, 512)
	for {
		n, err := conn.Read(piece)
		if err != nil {
			tb.Fatal(err)
		}
		answer = append(answer, piece[:n]...)
		if head := bytes.Index(answer, []byte("\r\n\r\n")); head >= 0 && len(answer) > head+4 {
			return conn
		}
		if len(answer) > 4096 {
			tb.Fatalf("answer %s", strings.ToValidUTF8(string(answer), "?"))
		}
	}
}
