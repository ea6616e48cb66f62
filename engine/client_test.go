package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// httpConn is one client connection of HTTP/1.1: what goes over which
// connection, and when an answer is read, is the test's to say.
type httpConn struct {
	tb   testing.TB
	conn net.Conn
	in   *bufio.Reader
	// method is that of the last request: HEAD's answer has no body.
	method string
}

// answer is a response as tests compare it.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // the server ends the connection
}

func (a answer) String() string { return fmt.Sprintf("%d %q", a.status, a.body) }

func (f *fixture) dial(tb testing.TB) *httpConn {
	tb.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &httpConn{tb: tb, conn: conn, in: bufio.NewReader(conn)}
}

// write sends bytes as they are.
func (c *httpConn) write(raw string) {
	c.tb.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.tb.Fatalf("writing: %v", err)
	}
}

// send sends a request; header lines are given without their line ends.
func (c *httpConn) send(method, target, body string, header ...string) {
	c.tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: test\r\n", method, target)
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	if body != "" || method == http.MethodPost || method == http.MethodPut {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	c.method = method
	c.write(b.String())
}

// receive reads the answer to the last request.
func (c *httpConn) receive() answer {
	c.tb.Helper()
	a, err := c.read()
	if err != nil {
		c.tb.Fatalf("reading an answer: %v", err)
	}
	return a
}

func (c *httpConn) read() (answer, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	res, err := http.ReadResponse(c.in, &http.Request{Method: c.method})
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: string(body), closes: res.Close}, err
}

// do sends a request and reads its answer.
func (c *httpConn) do(method, target, body string, header ...string) answer {
	c.tb.Helper()
	c.send(method, target, body, header...)
	return c.receive()
}

// want fails unless the answer is this one.
func (c *httpConn) want(status int, body string) {
	c.tb.Helper()
	if got := c.receive(); got.status != status || got.body != body {
		c.tb.Fatalf("answer %v, want %d %q", got, status, body)
	}
}

// wantEnd fails unless the server closes the connection with nothing more.
func (c *httpConn) wantEnd() {
	c.tb.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.tb.Fatal(err)
	}
	rest, err := io.ReadAll(c.in)
	if err != nil && !errors.Is(err, net.ErrClosed) || len(rest) > 0 {
		c.tb.Fatalf("connection goes on with %q, %v", rest, err)
	}
}

// open is the content of an open packet.
type open struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpen(tb testing.TB, packet string) (o open) {
	tb.Helper()
	if !strings.HasPrefix(packet, "0") || json.Unmarshal([]byte(packet[1:]), &o) != nil || o.SID == "" {
		tb.Fatalf("no open packet: %q", packet)
	}
	return o
}

const (
	pollingTarget   = "/engine.io/?EIO=4&transport=polling"
	websocketTarget = "/engine.io/?EIO=4&transport=websocket"
)

// poller is a client that polls, with one connection for its GETs and one for
// its POSTs.
type poller struct {
	tb     testing.TB
	get    *httpConn
	post   *httpConn
	target string
	*record
}

// poll opens a session over polling.
func (f *fixture) poll(tb testing.TB) *poller {
	tb.Helper()
	c := &poller{tb: tb, get: f.dial(tb), post: f.dial(tb)}
	a := c.get.do(http.MethodGet, pollingTarget, "")
	if a.status != 200 {
		tb.Fatalf("handshake: %v", a)
	}
	sid := parseOpen(tb, a.body).SID
	c.record, c.target = f.record(tb, sid), pollingTarget+"&sid="+sid
	return c
}

// startPoll sends a GET and waits until the session holds it.
func (c *poller) startPoll() {
	c.tb.Helper()
	c.get.send(http.MethodGet, c.target, "")
	c.wantPolling(c.tb)
}

// wantPoll polls until all these packets came, in one payload or several.
func (c *poller) wantPoll(packets ...string) {
	c.tb.Helper()
	for want := strings.Join(packets, "\x1e"); ; {
		c.get.send(http.MethodGet, c.target, "")
		got := c.get.receive()
		if got.status == 200 && got.body == want {
			return
		}
		rest, ok := strings.CutPrefix(want, got.body+"\x1e")
		if got.status != 200 || !ok {
			c.tb.Fatalf("poll: %v, want %q", got, want)
		}
		want = rest
	}
}

// wantPost posts packets and wants them taken.
func (c *poller) wantPost(packets ...string) {
	c.tb.Helper()
	c.post.send(http.MethodPost, c.target, strings.Join(packets, "\x1e"))
	c.post.want(200, "ok")
}

// wantEcho shows that the session works in both directions.
func (c *poller) wantEcho(message string) {
	c.tb.Helper()
	c.wantPost("4" + message)
	c.wantPoll("4" + message)
}

// wantGone fails if the server still knows the session.
func (c *poller) wantGone() {
	c.tb.Helper()
	c.post.send(http.MethodGet, c.target, "")
	c.post.want(400, `{"code":1,"message":"Session ID unknown"}`)
}

// wsConn is the client's side of a WebSocket, frame by frame.
type wsConn struct {
	tb     testing.TB
	conn   net.Conn
	in     io.Reader
	header http.Header // of the handshake's answer
}

// websocket opens a WebSocket at a target, with header lines of its own.
func (f *fixture) websocket(tb testing.TB, target string, header http.Header) *wsConn {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &wsConn{tb: tb, header: make(http.Header)}
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header), OnHeader: func(k, v []byte) error {
		c.header.Add(string(k), string(v))
		return nil
	}}
	conn, br, _, err := dialer.Dial(ctx, "ws://"+f.addr+target)
	if err != nil {
		tb.Fatalf("websocket: %v", err)
	}
	tb.Cleanup(func() { conn.Close() })
	c.conn, c.in = conn, conn
	if br != nil {
		c.in = br
	}
	return c
}

// socketClient is a client with a session that began on a WebSocket.
type socketClient struct {
	*wsConn
	*record
	open open
}

func (f *fixture) connect(tb testing.TB) *socketClient {
	tb.Helper()
	c := f.websocket(tb, websocketTarget, nil)
	o := parseOpen(tb, c.next())
	return &socketClient{wsConn: c, record: f.record(tb, o.SID), open: o}
}

// next returns the next frame: the packet of a text frame, and all others with
// their kind in front, "close:" with the code. At the end of the stream it is
// "end".
func (c *wsConn) next() string {
	c.tb.Helper()
	packet, err := c.read()
	if err != nil {
		c.tb.Fatalf("reading a frame: %v", err)
	}
	return packet
}

func (c *wsConn) read() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	return readFrame(c.in)
}

// readFrame reads a frame of the server.
func readFrame(r io.Reader) (string, error) {
	h, err := ws.ReadHeader(r)
	payload := make([]byte, max(h.Length, 0))
	if err == nil {
		_, err = io.ReadFull(r, payload)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "end", nil
	}
	if err != nil {
		return "", err
	}
	if h.Masked || !h.Fin {
		return "", fmt.Errorf("unexpected frame header %+v", h)
	}
	switch h.OpCode {
	case ws.OpText:
		return string(payload), nil
	case ws.OpBinary:
		return "binary:" + string(payload), nil
	case ws.OpPong:
		return "pong:" + string(payload), nil
	case ws.OpClose:
		if len(payload) == 0 {
			return "close:", nil
		}
		code, _ := ws.ParseCloseFrameData(payload)
		return fmt.Sprintf("close:%d", code), nil
	}
	return "", fmt.Errorf("unexpected opcode %v", h.OpCode)
}

// want fails if the next frames are not these.
func (c *wsConn) want(packets ...string) {
	c.tb.Helper()
	for _, want := range packets {
		if got := c.next(); got != want {
			c.tb.Fatalf("frame %q, want %q", got, want)
		}
	}
}

// write sends packets as text frames, all in one write.
func (c *wsConn) write(packets ...string) {
	c.tb.Helper()
	var frames []byte
	for _, p := range packets {
		frames = append(frames, clientFrame(ws.OpText, p)...)
	}
	c.writeRaw(frames)
}

// writeFrame sends one frame.
func (c *wsConn) writeFrame(op ws.OpCode, payload string) {
	c.tb.Helper()
	c.writeRaw(clientFrame(op, payload))
}

func (c *wsConn) writeRaw(raw []byte) {
	c.tb.Helper()
	if _, err := c.conn.Write(raw); err != nil {
		c.tb.Fatalf("writing: %v", err)
	}
}

// clientFrame is a whole, masked frame.
func clientFrame(op ws.OpCode, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, true, []byte(payload))))
}

// brokenFrame has an opcode that does not exist.
var brokenFrame = clientFrame(3, "")

// closePayload is the payload of a close frame.
func closePayload(code ws.StatusCode, reason string) string {
	return string(ws.NewCloseFrameBody(code, reason))
}

// wantEcho shows that the session works in both directions.
func (c *wsConn) wantEcho(message string) {
	c.tb.Helper()
	c.write("4" + message)
	c.want("4" + message)
}
