package siotest

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// SetPatience changes how long a server's Wait waits.
func SetPatience(s *Server, d time.Duration) { s.patience = d }

// SetClientPatience changes how long a client waits from now on.
func SetClientPatience(c *Client, d time.Duration) { c.link.patience = d }

// SetConnPatience changes how long a connection waits from now on.
func SetConnPatience(c *Conn, d time.Duration) { c.options.patience = d }

// Unread returns how many bytes lie ready at a client's end of a connection.
func Unread(c net.Conn) (n int, err error) {
	failed := c.(*memoryConn).raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	if failed != nil {
		err = failed
	}
	return n, err
}
