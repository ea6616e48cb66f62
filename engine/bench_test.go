package engine

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// quiet makes a server that records nothing.
func quiet(c *config) { c.noRecord = true }

func BenchmarkPollingRoundTrip(b *testing.B) {
	f := serve(b, quiet)
	c := f.poll(b)
	post := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n4hello", c.target)
	get := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", c.target)
	trip := func(conn *httpConn, request []byte) string {
		if _, err := conn.conn.Write(request); err != nil {
			b.Fatal(err)
		}
		res, err := http.ReadResponse(conn.in, nil)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close()
		return string(body)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := trip(c.post, post) + trip(c.get, get); got != "ok4hello" {
			b.Fatalf("answers %q", got)
		}
	}
}

func BenchmarkWebSocketEcho(b *testing.B) {
	for _, size := range []int{16, 1024, 64 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			c := serve(b, quiet).connect(b)
			trip := echo(b, c, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				trip()
			}
		})
	}
}

// echo returns a function that sends a message and reads it back, without
// allocating on the client's side.
func echo(tb testing.TB, c *socketClient, size int) func() {
	tb.Helper()
	packet := "4" + strings.Repeat("x", size)
	request := clientFrame(ws.OpText, packet)
	want := string(ws.MustCompileFrame(ws.NewTextFrame([]byte(packet))))
	answer := make([]byte, len(want))
	in := bufio.NewReader(c.conn)
	return func() {
		if _, err := c.conn.Write(request); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(in, answer); err != nil {
			tb.Fatal(err)
		}
		if string(answer) != want {
			tb.Fatal("wrong echo")
		}
	}
}

// BenchmarkSend measures messages from the program to one client that reads.
func BenchmarkSend(b *testing.B) {
	const group = 100
	c := serve(b, quiet).connect(b)
	data := []byte("hello")
	in := bufio.NewReaderSize(c.conn, 64<<10)
	answer := make([]byte, group*len("\x81\x064hello"))
	b.ReportAllocs()
	for b.Loop() {
		for range group {
			if err := c.Send(false, NewMessage(data, false)); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := io.ReadFull(in, answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/group, "ns/message")
}

// alwaysPooled is a size of messages whose buffers go back to their pool whatever
// was sent before; the pool drops buffers larger than what was common lately.
const alwaysPooled = 40

// TestEchoAllocations guards the path of a WebSocket message through the server,
// in and out.
func TestEchoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	trip := echo(t, serve(t, quiet).connect(t), alwaysPooled)
	for range 100 { // fills the pools
		trip()
	}
	if n := testing.AllocsPerRun(1000, trip); n > 0 {
		t.Errorf("%v allocations per echo", n)
	}
}

// TestNewMessageAllocations guards encoding.
func TestNewMessageAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	data := []byte(strings.Repeat("x", alwaysPooled))
	if n := testing.AllocsPerRun(1000, func() { NewMessage(data, false).Release() }); n > 0 {
		t.Errorf("%v allocations per message", n)
	}
}
