package reactor

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// secureLink carries a connection over TLS, which can't be driven by a reactor: it has
// two goroutines and crypto/tls's buffers, some 30 KB in all.
type secureLink struct {
	dialer *dialer
	conn   *conn
	tls    *tls.Conn

	mu     sync.Mutex
	some   sync.Cond
	queue  []byte
	closed bool
}

// startSecure hands a connection to its loop.
func (d *dialer) startSecure(c *conn, t *tls.Conn) error {
	s := &secureLink{dialer: d, conn: c, tls: t}
	s.some.L = &s.mu
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		t.NetConn().Close()
		return errors.New("stopped")
	}
	d.links[s] = struct{}{}
	c.peer.loop.Post(func() { c.opened(s) })
	d.running.Go(s.read)
	d.running.Go(s.write)
	return nil
}

func (s *secureLink) read() {
	b := make([]byte, 4<<10)
	l := s.conn.peer.loop
	for {
		n, err := s.tls.Read(b)
		if n > 0 {
			input := append([]byte(nil), b[:n]...)
			l.Post(func() {
				if !s.conn.given {
					s.conn.receive(input)
				}
			})
		}
		if err != nil {
			s.end()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			l.Post(func() { s.conn.failed(err) })
			return
		}
	}
}

// end has write end, too.
func (s *secureLink) end() {
	s.dialer.mu.Lock()
	delete(s.dialer.links, s)
	s.dialer.mu.Unlock()
	_ = s.Close()
}

func (s *secureLink) write() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closed {
			s.some.Wait()
		}
		b, closed := s.queue, s.closed
		s.queue = nil
		s.mu.Unlock()
		if len(b) > 0 {
			if _, err := s.tls.Write(b); err != nil {
				closed = true
			}
		}
		if closed {
			_ = s.tls.Close() // read notices
			return
		}
	}
}

// Write queues b.
func (s *secureLink) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.queue = append(s.queue, b...)
	s.mu.Unlock()
	s.some.Signal()
	return len(b), nil
}

// OutboundBuffered returns how much is queued.
func (s *secureLink) OutboundBuffered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// SetLinger makes closing a reset, with 0.
func (s *secureLink) SetLinger(sec int) error {
	tcp, ok := s.tls.NetConn().(*net.TCPConn)
	if !ok {
		return nil
	}
	return tcp.SetLinger(sec) //nolint:wrapcheck // nobody looks at it
}

// Close closes the connection once the queue is written.
func (s *secureLink) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.some.Signal()
	return nil
}
