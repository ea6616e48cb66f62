package loop

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// spoiling is a listener whose first connections are nothing that epoll takes: a
// file stands behind each. That is how it looks when the kernel has no room for
// one more.
type spoiling struct {
	net.Listener

	file *os.File
	left atomic.Int32
}

func (s *spoiling) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil || s.left.Add(-1) < 0 {
		return c, err
	}
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.Dup3(int(s.file.Fd()), int(fd), unix.O_CLOEXEC) })
	return c, errors.Join(err, failed)
}

// A connection that its loop can't take is given back: in the count, too.
func TestConnectionThatEpollRefuses(t *testing.T) {
	f := serve(t, echo, func(o *Options) { o.MaxConnections = 2 })
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	path := filepath.Join(t.TempDir(), "socket")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &spoiling{Listener: ln, file: file}
	s.left.Store(2)
	f.serveOn(t, s)
	for range 2 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Fatalf("read %d bytes from a connection that nobody has", n)
		}
	}
	f.wantConnections(t, 0)
	f.log.want(t, "a connection could not be taken")
	a, b := f.dial(t), f.dial(t)
	a.send(get("/a"))
	a.want(200, "GET /a ")
	b.send(get("/b"))
	b.want(200, "GET /b ")
}
