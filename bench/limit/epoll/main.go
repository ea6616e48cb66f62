// Command epoll is the limit for any server in Go: the system calls of the same
// traffic in a bare loop. With -merge, what one round of events has for a client
// leaves in one write, as a server would that collects its output. It takes its port
// from the command line.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sio-gnet/sio-gnet/bench/limit/wire"
)

func main() {
	merge := flag.Bool("merge", false, "collect a round's output before writing it")
	flag.Parse()
	port, err := strconv.Atoi(flag.Arg(0))
	if flag.NArg() > 0 && err != nil {
		log.Fatal(err)
	}
	runtime.LockOSThread()
	s := &server{merge: *merge, conns: make(map[int]*conn)}
	if err := s.listen(port); err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.run())
}

type conn struct {
	wire.Conn
	fd    int
	out   []byte
	dirty bool
}

type server struct {
	merge     bool
	epoll, ln int
	conns     map[int]*conn
	dirty     []*conn
	buf       [64 << 10]byte
	out       wire.Output
}

func (s *server) listen(port int) (err error) {
	if s.ln, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(s.ln, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(s.ln, 4096); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	addr, err := unix.Getsockname(s.ln)
	if err != nil {
		return fmt.Errorf("getsockname: %w", err)
	}
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll_create1: %w", err)
	}
	if err := s.add(s.ln); err != nil {
		return err
	}
	fmt.Println(wire.Listening(addr.(*unix.SockaddrInet4).Port))
	return nil
}

func (s *server) add(fd int) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

func (s *server) run() error {
	events := make([]unix.EpollEvent, 1024)
	for {
		n, err := unix.EpollWait(s.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == s.ln {
				s.accept()
			} else if c := s.conns[int(e.Fd)]; c != nil {
				s.read(c)
			}
		}
		for _, c := range s.dirty {
			c.dirty = false
			s.write(c, c.out)
			c.out = c.out[:0]
		}
		s.dirty = s.dirty[:0]
	}
}

func (s *server) accept() {
	for {
		fd, _, err := unix.Accept4(s.ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // it only makes it faster
		if err := s.add(fd); err != nil {
			log.Fatal(err)
		}
		s.conns[fd] = &conn{fd: fd}
	}
}

func (s *server) read(c *conn) {
	n, err := unix.Read(c.fd, s.buf[:])
	switch {
	case errors.Is(err, unix.EAGAIN):
		return
	case err != nil, n == 0:
		s.close(c)
		return
	}
	s.out.Reply, s.out.Broadcast = s.out.Reply[:0], s.out.Broadcast[:0]
	c.Feed(s.buf[:n], &s.out)
	if len(s.out.Reply) > 0 {
		s.send(c, s.out.Reply)
	}
	if len(s.out.Broadcast) > 0 {
		for _, other := range s.conns {
			s.send(other, s.out.Broadcast)
		}
	}
}

func (s *server) send(c *conn, b []byte) {
	if !s.merge {
		s.write(c, b)
		return
	}
	c.out = append(c.out, b...)
	if !c.dirty {
		c.dirty = true
		s.dirty = append(s.dirty, c)
	}
}

// write writes what the kernel takes at once. A client that reads too slowly for
// that can't be served by a limit, and is closed.
func (s *server) write(c *conn, b []byte) {
	if n, err := unix.Write(c.fd, b); err != nil || n < len(b) {
		s.close(c)
	}
}

func (s *server) close(c *conn) {
	if s.conns[c.fd] == c {
		delete(s.conns, c.fd)
		_ = unix.Close(c.fd) // there is nothing more to do
	}
}
