//go:build poll_opt

package loop

import (
	"reflect"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// pollEvent returns what gnet's poller knows a connection by: with this build tag,
// the address of a struct in it.
func pollEvent(gc gnet.Conn) unix.EpollEvent {
	address := uint64(reflect.ValueOf(gc).Elem().FieldByName("pollAttachment").UnsafeAddr())
	return unix.EpollEvent{Fd: int32(address), Pad: int32(address >> 32)}
}
