package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

const (
	// connecting is how many clients may be on their way in at once: enough to keep
	// the server busy, too few to overflow its accept queue.
	connecting = 256
	// perSource is how many clients share a source address. The kernel has some
	// 28,000 ports for connections from one address to one server.
	perSource = 25_000
)

// clients are Socket.IO clients on one epoll set, all driven by the goroutine
// that calls runUntil.
type clients struct {
	epoll   int
	server  unix.SockaddrInet4
	request []byte
	buffer  []byte
	want    int
	list    []client
	byFD    map[int32]int32 // index in list

	template   client // what each begins as
	joined     int    // clients that are in the namespace
	settled    int    // clients that answered settledHeartbeats
	heartbeats int64  // answered by all clients
}

func newClients(addr netip.AddrPort, config config) (*clients, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	c := &clients{
		epoll:  epoll,
		server: unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()},
		buffer: make([]byte, 64<<10),
		want:   config.clients,
		list:   make([]client, 0, config.clients),
		byFD:   make(map[int32]int32, config.clients),
	}
	switch host := addr.String(); {
	case config.transport == overPolling:
		c.template.poller = &poller{host: host}
		c.request = wire.Get(host, "")
	case config.deflate:
		c.template.compressed = compressedEcho()
		c.request = upgradeRequest(host, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	default:
		c.request = upgradeRequest(host, "")
	}
	return c, nil
}

// runUntil opens connections as far as they are missing and serves all until
// done. A client that is turned away or lost is an error.
func (c *clients) runUntil(ctx context.Context, done func() bool) error {
	events := make([]unix.EpollEvent, 512)
	for !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(c.list) < c.want && len(c.list)-c.joined < connecting {
			if err := c.open(); err != nil {
				return err
			}
		}
		n, err := unix.EpollWait(c.epoll, events, int((100 * time.Millisecond).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		for i := range events[:n] {
			if err := c.serve(events[i].Fd); err != nil {
				return fmt.Errorf("client %d: %w", c.byFD[events[i].Fd], err)
			}
		}
	}
	return nil
}

// open connects one more client and sends its request. Connecting blocks, which
// on loopback takes as long as the server's kernel half.
func (c *clients) open() error {
	i := len(c.list)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("client %d: socket: %w", i, err)
	}
	if err := c.connect(fd, i/perSource); err != nil {
		unix.Close(fd) //nolint:errcheck // the error to tell is the other one
		return fmt.Errorf("client %d: %w", i, err)
	}
	c.byFD[int32(fd)] = int32(i)
	cl := c.template
	cl.fd = fd
	if cl.poller != nil {
		cl.poller = &poller{host: cl.poller.host}
	}
	c.list = append(c.list, cl)
	return nil
}

func (c *clients) connect(fd, source int) error {
	if source > 0 {
		// The port is chosen when connecting, so that it must be unique for this
		// server only.
		if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fmt.Errorf("socket option: %w", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 1, byte(source >> 8), byte(source)}}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	if err := unix.Connect(fd, &c.server); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := write(fd, c.request); err != nil {
		return err
	}
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// serve reads what a client has received and answers it.
func (c *clients) serve(fd int32) error {
	n, err := unix.Read(int(fd), c.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("read: %w", err)
	case n == 0:
		return errors.New("the server closed the connection")
	}
	cl := &c.list[c.byFD[fd]]
	was := *cl
	reply, err := cl.receive(c.buffer[:n])
	if err != nil {
		return err
	}
	if cl.stage == joined && was.stage != joined {
		c.joined++
	}
	c.heartbeats += int64(cl.heartbeats - was.heartbeats)
	if cl.heartbeats >= settledHeartbeats && was.heartbeats < settledHeartbeats {
		c.settled++
	}
	return write(int(fd), reply)
}

// write sends a few bytes, for which an idle connection always has room.
func write(fd int, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if n, err := unix.Write(fd, b); err != nil {
		return fmt.Errorf("write: %w", err)
	} else if n < len(b) {
		return errors.New("the server does not read")
	}
	return nil
}

func (c *clients) close() {
	for i := range c.list {
		unix.Close(c.list[i].fd) //nolint:errcheck // nothing is left to lose
	}
	unix.Close(c.epoll) //nolint:errcheck // nothing is left to lose
}
