//go:build !poll_opt

package loop

import (
	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// pollEvent returns what gnet's poller knows a connection by.
func pollEvent(gc gnet.Conn) unix.EpollEvent { return unix.EpollEvent{Fd: int32(gc.Fd())} }
