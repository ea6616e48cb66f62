package siotest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// polling is the transport of that name: one connection for GETs, which read
// sends, and one for POSTs.
type polling struct {
	*dialing

	ended           chan struct{} // closed by cut
	cutOnce         sync.Once
	leaving, silent atomic.Bool
	url             string
	get, post       httpConn
	queue           []message // of a payload, not read yet
	writing         sync.Mutex
}

// separator stands between the packets of a payload.
const separator = "\x1e"

func (d *dialing) polling() *polling {
	p := &polling{dialing: d, ended: make(chan struct{}), url: d.target("polling", "")}
	p.get.dialing, p.post.dialing = d, d
	return p
}

// session names the session in all further requests.
func (p *polling) session(sid string) { p.url = p.target("polling", sid) }

func (p *polling) read() (message, error) {
	for {
		if len(p.queue) > 0 {
			m := p.queue[0]
			p.queue = p.queue[1:]
			if m.is("6") && p.leaving.Load() {
				return message{}, io.EOF
			}
			return m, nil
		}
		if p.silent.Load() {
			p.get.attend(false)
			<-p.ended
			return message{}, net.ErrClosed
		}
		body, err := p.get.do(http.MethodGet, p.url, "")
		if err != nil {
			return message{}, err
		}
		if p.queue, err = splitPayload(body); err != nil {
			return message{}, err
		}
	}
}

// splitPayload takes a payload of revision 4 apart.
func splitPayload(body string) (packets []message, err error) {
	for packet := range strings.SplitSeq(body, separator) {
		coded, binary := strings.CutPrefix(packet, "b")
		if !binary {
			packets = append(packets, text(packet))
			continue
		}
		data, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return nil, fmt.Errorf("payload %q: %w", body, err)
		}
		packets = append(packets, message{data: data, binary: true})
	}
	return packets, nil
}

func (p *polling) write(packets ...message) error {
	var b strings.Builder
	for i, m := range packets {
		if i > 0 {
			b.WriteString(separator)
		}
		if m.binary {
			b.WriteString("b" + base64.StdEncoding.EncodeToString(m.data))
		} else {
			b.Write(m.data)
		}
	}
	if m := p.memory; m != nil {
		m.working.Add(1)
		defer m.working.Add(-1)
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := p.post.setReadDeadline(time.Now().Add(p.patience)); err != nil {
		return err
	}
	body, err := p.post.do(http.MethodPost, p.url, b.String())
	if err == nil && body != "ok" {
		err = fmt.Errorf("a POST was answered %q", body)
	}
	return err
}

// upgrade takes a session that polls over to a WebSocket. No GET is waiting yet, so
// nothing has to be waited for.
func (d *dialing) upgrade(ctx context.Context, sid string) (*webSocket, error) {
	w, err := d.webSocket(ctx, sid)
	if err != nil {
		return nil, err
	}
	if err := w.probe(d.patience); err != nil {
		w.cut()
		return nil, err
	}
	return w, nil
}

// probe makes the WebSocket the session's transport.
func (w *webSocket) probe(patience time.Duration) error {
	if err := w.setReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := w.write(text("2probe")); err != nil {
		return err
	}
	switch m, err := w.read(); {
	case err != nil:
		return err
	case !m.is("3probe"):
		return fmt.Errorf("the probe was answered %q", m)
	}
	if err := w.write(text("5")); err != nil {
		return err
	}
	return w.setReadDeadline(time.Time{})
}

func (p *polling) setReadDeadline(t time.Time) error { return p.get.setReadDeadline(t) }

func (p *polling) attend(on bool) { p.get.attend(on) }

func (p *polling) mute() { p.silent.Store(true) }

// leave says goodbye; the GET that waits is answered with a noop then.
func (p *polling) leave() error {
	p.leaving.Store(true)
	return p.write(text("1"))
}

func (p *polling) cut() {
	p.cutOnce.Do(func() {
		close(p.ended)
		p.get.close()
		if p.leaving.Load() { // the goodbye is a POST, which ends by itself
			p.writing.Lock()
			defer p.writing.Unlock()
		}
		p.post.close()
	})
}

// ready waits until a GET is under way: without one, the server has no connection
// whose end it could see.
func (p *polling) ready() {
	for end := time.Now().Add(p.patience); !p.get.asked.Load() && time.Now().Before(end); {
		select {
		case <-p.ended:
			return
		case <-time.After(50 * time.Microsecond):
		}
	}
}

// httpConn is a connection for one request after the other.
type httpConn struct {
	*dialing

	mu       sync.Mutex
	conn     net.Conn
	in       *bufio.Reader
	attended bool
	closed   bool
	asked    atomic.Bool // a request was sent, and the answer has not come
	deadline time.Time
}

// do sends a request and returns the answer's body. A status other than 200 is a
// [*HandshakeError].
func (c *httpConn) do(method, target, body string) (string, error) {
	conn, in, err := c.open()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	if req.Header = c.headers(); method == http.MethodPost {
		req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	if err := req.Write(&b); err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	if _, err := conn.Write(b.Bytes()); err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	c.asked.Store(true)
	defer c.asked.Store(false)
	res, err := http.ReadResponse(in, req)
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	defer res.Body.Close()
	if res.Close {
		defer c.hangUp()
	}
	if res.StatusCode != http.StatusOK {
		return "", &HandshakeError{Status: res.StatusCode, Body: readAnswer(res.Body)}
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err)
	}
	return string(answer), nil
}

// open returns the connection, and makes one if there is none.
func (c *httpConn) open() (net.Conn, *bufio.Reader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, nil, net.ErrClosed
	case c.conn != nil:
		return c.conn, c.in, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.patience)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	attend(conn, c.attended)
	c.conn, c.in = conn, bufio.NewReader(conn)
	return conn, c.in, conn.SetReadDeadline(c.deadline) //nolint:wrapcheck // it is a *net.OpError already
}

func (c *httpConn) setReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.conn == nil {
		return nil
	}
	return c.conn.SetReadDeadline(t) //nolint:wrapcheck // as above
}

func (c *httpConn) attend(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attended = on
	if c.conn != nil {
		attend(c.conn, on)
	}
}

// hangUp closes the connection; the next request makes another.
func (c *httpConn) hangUp() {
	c.mu.Lock()
	conn := c.conn
	c.conn, c.in = nil, nil
	c.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

// close is hangUp for good.
func (c *httpConn) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.hangUp()
}
