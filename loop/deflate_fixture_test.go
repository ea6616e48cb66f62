package loop

import (
	"bufio"
	"bytes"
	stdflate "compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// deflatePatience bounds every wait, so that a failing test ends.
const deflatePatience = 20 * time.Second

func deflateEventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(deflatePatience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}

// deflateServer echoes the messages of its WebSockets. One that begins with
// "plain" is answered with the wish not to compress.
type deflateServer struct {
	reactor *Reactor
	addr    string

	mu    sync.Mutex
	conns []*Conn // in the order of their handshakes
	errs  []error // of AcceptWebSocket
	ends  []error // of connections
}

func serveDeflate(tb testing.TB, o Options) *deflateServer {
	tb.Helper()
	f := &deflateServer{}
	o.Logger = slog.New(slog.DiscardHandler)
	if o.Loops == 0 {
		o.Loops = 1
	}
	var err error
	if f.reactor, err = New(o, f); err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	f.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.reactor.Serve(ln) }()
	tb.Cleanup(func() {
		if err := f.reactor.Stop(); err != nil {
			tb.Errorf("Stop: %v", err)
		}
		if err := <-served; !errors.Is(err, ErrServerClosed) {
			tb.Errorf("Serve returned %v", err)
		}
		if n := f.reactor.windows.Load(); n != 0 {
			tb.Errorf("%d bytes of windows are still reserved", n)
		}
	})
	return f
}

// ServeRequest accepts WebSockets.
func (f *deflateServer) ServeRequest(c *Conn, r *Request) {
	hs, refusal := CheckHandshake(r)
	if refusal != nil {
		_ = c.Respond(*refusal)
		return
	}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	err := c.AcceptWebSocket(hs, []byte("X-Test: a\r\n"), f)
	f.mu.Lock()
	f.errs = append(f.errs, err)
	f.mu.Unlock()
}

// OnMessage sends a message back.
func (f *deflateServer) OnMessage(c *Conn, binary bool, payload []byte) {
	b, frame := deflateMessage(string(payload), binary)
	c.EnqueueMessage(b, frame, FrameHeadroom, !bytes.HasPrefix(payload, []byte("plain")))
}

// OnClose records why a connection ended.
func (f *deflateServer) OnClose(_ *Conn, err error) {
	f.mu.Lock()
	f.ends = append(f.ends, err)
	f.mu.Unlock()
}

// deflateMessage makes a message that is ready to be enqueued.
func deflateMessage(payload string, binary bool) (b *Buffer, frame int) {
	b = NewBuffer()
	b.B = append(b.B, make([]byte, FrameHeadroom)...)
	b.B = append(b.B, payload...)
	return b, PutFrameHeader(b.B[:FrameHeadroom], binary, len(payload))
}

// on runs f on a loop and waits for it.
func (f *deflateServer) on(tb testing.TB, l *Loop, do func()) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deflatePatience)
	defer cancel()
	if err := f.reactor.Await(ctx, l, func(*Loop) { do() }); err != nil {
		tb.Fatal(err)
	}
}

// all returns the connections.
func (f *deflateServer) all() []*Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Conn(nil), f.conns...)
}

// last is the connection of the last handshake.
func (f *deflateServer) last() *Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns[len(f.conns)-1]
}

// deflateClient is the client's side: raw frames, and the standard library's
// compressor and decompressor, which share no code with the server's.
type deflateClient struct {
	tb     testing.TB
	conn   net.Conn
	in     *bufio.Reader
	answer string // the extensions that the server agreed on

	serverTakeover, clientTakeover bool

	out    bytes.Buffer
	writer *stdflate.Writer
	source bytes.Buffer
	reader io.ReadCloser
}

const deflateRequest = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// dial opens a WebSocket with these Sec-WebSocket-Extensions headers.
func (f *deflateServer) dial(tb testing.TB, offers ...string) *deflateClient {
	tb.Helper()
	c, status, header := f.handshake(tb, offers...)
	if status != http.StatusSwitchingProtocols || header.Get("X-Test") != "a" {
		tb.Fatalf("handshake: %d %v", status, header)
	}
	c.answer = strings.Join(header.Values("Sec-WebSocket-Extensions"), "|")
	c.serverTakeover = !strings.Contains(c.answer, "server_no_context_takeover")
	c.clientTakeover = !strings.Contains(c.answer, "client_no_context_takeover")
	return c
}

func (f *deflateServer) handshake(tb testing.TB, offers ...string) (c *deflateClient, status int, header http.Header) {
	tb.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	request := []byte(deflateRequest)
	for _, offer := range offers {
		request = fmt.Appendf(request, "Sec-WebSocket-Extensions: %s\r\n", offer)
	}
	c = &deflateClient{tb: tb, conn: conn, in: bufio.NewReader(conn)}
	c.writeRaw(append(request, "\r\n"...))
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		tb.Fatal(err)
	}
	_ = res.Body.Close()
	return c, res.StatusCode, res.Header
}

func (c *deflateClient) writeRaw(raw []byte) {
	c.tb.Helper()
	if _, err := c.conn.Write(raw); err != nil {
		c.tb.Fatalf("writing: %v", err)
	}
}

// deflateFrame is a client's frame.
func deflateFrame(op ws.OpCode, fin, rsv1 bool, payload []byte) []byte {
	f := ws.NewFrame(op, fin, append([]byte(nil), payload...))
	f.Header.Rsv = ws.Rsv(rsv1, false, false)
	return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(f, [4]byte{1, 2, 3, 4}))
}

// compress compresses a message, with the window of those before if that was
// agreed on.
func (c *deflateClient) compress(message string) []byte {
	c.tb.Helper()
	c.out.Reset()
	if c.writer == nil {
		w, err := stdflate.NewWriter(&c.out, stdflate.DefaultCompression)
		if err != nil {
			c.tb.Fatal(err)
		}
		c.writer = w
	} else if !c.clientTakeover {
		c.writer.Reset(&c.out)
	}
	if _, err := io.WriteString(c.writer, message); err != nil {
		c.tb.Fatal(err)
	}
	if err := c.writer.Flush(); err != nil {
		c.tb.Fatal(err)
	}
	return bytes.Clone(bytes.TrimSuffix(c.out.Bytes(), []byte(deflateTail)))
}

// decompress is the inverse, for messages of the server.
func (c *deflateClient) decompress(payload []byte, size int) string {
	c.tb.Helper()
	if c.reader == nil {
		c.reader = stdflate.NewReader(&c.source)
	} else if !c.serverTakeover {
		c.source.Reset()
		if err := c.reader.(stdflate.Resetter).Reset(&c.source, nil); err != nil {
			c.tb.Fatal(err)
		}
	}
	c.source.Write(payload)
	c.source.WriteString(deflateTail)
	message := make([]byte, size)
	if _, err := io.ReadFull(c.reader, message); err != nil {
		c.tb.Fatalf("decompressing: %v", err)
	}
	return string(message)
}

// next reads a frame.
func (c *deflateClient) next() (ws.Header, []byte) {
	c.tb.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(deflatePatience)); err != nil {
		c.tb.Fatal(err)
	}
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		c.tb.Fatalf("reading a frame: %v", err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		c.tb.Fatalf("reading a frame: %v", err)
	}
	if h.Masked || !h.Fin || h.Rsv2() || h.Rsv3() {
		c.tb.Fatalf("frame header %+v", h)
	}
	return h, payload
}

// want reads a message and returns how many bytes its payload took; compressed
// says how it must come.
func (c *deflateClient) want(op ws.OpCode, message string, compressed bool) int {
	c.tb.Helper()
	h, payload := c.next()
	if h.OpCode != op || h.Rsv1() != compressed {
		c.tb.Fatalf("frame header %+v, want opcode %v, compressed: %v", h, op, compressed)
	}
	got := string(payload)
	if compressed {
		got = c.decompress(payload, len(message))
	}
	if got != message {
		c.tb.Fatalf("message of %d bytes %.40q, want %d bytes %.40q", len(got), got, len(message), message)
	}
	return len(payload)
}

// wantClose reads a close frame of that code, and the end.
func (c *deflateClient) wantClose(code ws.StatusCode) {
	c.tb.Helper()
	h, payload := c.next()
	got, reason := ws.ParseCloseFrameData(payload)
	if h.OpCode != ws.OpClose || h.Rsv != 0 || got != code {
		c.tb.Fatalf("frame %+v %d %q, want a close with %d", h, got, reason, code)
	}
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.tb.Fatalf("behind the close: %q, %v", rest, err)
	}
}

// deflateText is JSON of n bytes as chats and games have it.
func deflateText(n int, seed int64) string {
	r := rand.New(rand.NewSource(seed))
	var b strings.Builder
	b.WriteString(`42["update",[`)
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"name":"user-%d","score":%.2f,"grüße":%v},`, r.Intn(1e6), r.Intn(1000), r.Float64()*100, r.Intn(2) == 0)
	}
	return strings.ToValidUTF8(b.String()[:n], "?")
}

// deflateNoise does not compress.
func deflateNoise(n int, seed int64) string {
	b := make([]byte, n)
	r := rand.New(rand.NewSource(seed))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}
