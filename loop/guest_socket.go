package loop

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	// idleRead is the memory that a socket waits for input with, maxRead what it
	// reads at once while much is coming.
	idleRead = 512
	maxRead  = 16 << 10
	// socketSlack is how much output may be under way to a socket without it counting
	// as blocked: the goroutine that writes it takes its time even if the kernel
	// takes it all.
	socketSlack = 64 << 10
	// maxGather is the size up to which small segments are sent by one write.
	maxGather = 16 << 10
)

// socket is the port of a Conn over a hijacked connection that is more than a
// descriptor. One goroutine reads it, and hands each piece to the loop before it
// reads the next. Another one writes, and lives for as long as there is output.
type socket struct {
	conn  *Conn
	net   net.Conn
	input []byte        // for the loop to take
	taken chan struct{} // has room for the one signal that it did
	gone  chan struct{} // closed when the Conn is over
	end   error         // why there is no more input

	// Of the loop; while the writing goroutine is there, it has sending.
	sending  *outQueue
	size     int   // bytes in it
	failed   error // why it could not be sent
	lastCall bool  // the end of output is being sent

	idle [idleRead]byte
}

// serveSocket makes a connection a Conn of the loop. It does not wait.
func (r *Reactor) serveSocket(conn net.Conn, l *Loop, v *visit, input []byte) {
	s := &socket{net: conn, taken: make(chan struct{}, 1), gone: make(chan struct{})}
	s.conn = newGuest(l, v, s)
	r.guests.add() // the caller has not left yet
	go s.read(v, input)
}

// read is the reading goroutine. first is what came before.
func (s *socket) read(v *visit, first []byte) {
	r := s.conn.loop.reactor
	defer r.guests.leave()
	defer s.net.Close()
	s.input = first
	s.conn.loop.Post((*socketOpened)(s))
	select {
	case <-s.taken:
	case <-s.gone:
		return
	case <-s.conn.loop.over:
		select {
		case <-s.gone:
		default: // the loop has ended before it knew of the connection
			v.dismiss()
		}
		return
	}
	buf := s.idle[:]
	for {
		n, err := s.net.Read(buf)
		if n > 0 && !s.hand(buf[:n]) {
			return
		}
		if err != nil {
			s.end = err
			s.conn.loop.Post((*socketEnded)(s))
			<-s.gone
			return
		}
		switch {
		case n < len(buf):
			buf = s.idle[:]
		case len(buf) < maxRead:
			buf = make([]byte, maxRead)
		}
	}
}

// hand gives input to the loop, and reports whether to go on once that took it.
func (s *socket) hand(input []byte) bool {
	s.input = input
	s.conn.loop.Post((*socketInput)(s))
	select {
	case <-s.taken:
		return true
	case <-s.gone:
		return false
	}
}

// socketOpened makes the Conn one of the loop's, and serves its request.
type socketOpened socket

// Run is called on the loop.
func (t *socketOpened) Run(l *Loop) {
	s := (*socket)(t)
	l.protect(s.conn, func() { s.conn.opened(nil) })
	(*socketInput)(s).Run(l)
}

// socketInput takes input.
type socketInput socket

// Run is called on the loop.
func (t *socketInput) Run(l *Loop) {
	s := (*socket)(t)
	defer func() { s.taken <- struct{}{} }()
	defer l.recoverPanic(s.conn)
	s.conn.onInput(s.input)
	s.input = nil
}

// socketEnded ends a Conn that has no more input.
type socketEnded socket

// Run is called on the loop.
func (t *socketEnded) Run(*Loop) {
	err := t.end
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF // TLS without a farewell
	}
	t.conn.end(err)
}

// flush hands all that is queued to a goroutine that writes it.
func (s *socket) flush(c *Conn) {
	if c.out == nil || c.out.bytes == 0 {
		c.flushed()
		return
	}
	s.sending, s.size, c.out = c.out, c.out.bytes, nil
	c.blocked = true
	c.loop.reactor.guests.add() // as the reading goroutine is still there
	go s.write()
}

// write is the writing goroutine.
func (s *socket) write() {
	defer s.conn.loop.reactor.guests.leave()
	s.failed = s.send()
	s.sending.drop() // here, since the loop may have ended
	s.conn.loop.Post((*socketSent)(s))
}

// send writes the segments, small ones together.
func (s *socket) send() error {
	segs := s.sending.segs[s.sending.head:]
	if len(segs) == 1 {
		return s.put(segs[0].buf.B[segs[0].off:segs[0].end])
	}
	b := NewBuffer()
	defer b.Release()
	for i := range segs {
		p := segs[i].buf.B[segs[i].off:segs[i].end]
		if len(b.B)+len(p) <= maxGather {
			b.B = append(b.B, p...)
			continue
		}
		if err := s.put(b.B); err != nil {
			return err
		}
		b.B = b.B[:0]
		if len(p) <= maxGather {
			b.B = append(b.B, p...)
		} else if err := s.put(p); err != nil {
			return err
		}
	}
	return s.put(b.B)
}

func (s *socket) put(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := s.net.Write(p)
	return err //nolint:wrapcheck // it is wrapped where it is used
}

// socketSent goes on with the output.
type socketSent socket

// Run is called on the loop.
func (t *socketSent) Run(l *Loop) {
	s := (*socket)(t)
	c := s.conn
	l.giveQueue(s.sending)
	s.sending, s.size = nil, 0
	c.blocked = false
	if s.failed == nil {
		l.protect(c, c.flush)
		return
	}
	err := s.failed
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	c.Abort(&WriteError{Errno: err})
}

func (s *socket) pending() int { return s.size }

// linger ends the output, if the connection can do so by itself. The peer ends it
// then, or CloseTimeout does.
func (s *socket) linger(c *Conn) {
	half, ok := s.net.(interface{ CloseWrite() error })
	if !ok || s.lastCall {
		return
	}
	s.lastCall = true
	guests := &c.loop.reactor.guests
	guests.add()
	go func() {
		defer guests.leave()
		_ = half.CloseWrite() // the connection is closed soon in any case
	}()
}

// shut makes the reading goroutine close the connection.
func (s *socket) shut() {
	close(s.gone)
	if err := s.net.SetReadDeadline(time.Unix(1, 0)); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
		go s.net.Close()
	}
}
