package loop

import (
	"errors"

	"golang.org/x/sys/unix"
)

// descriptorReserve is what stays for everything that is not a client: log
// files, the program's own sockets, epoll instances, connections being taken.
const descriptorReserve = 128

// raiseDescriptorLimit lifts RLIMIT_NOFILE to its hard limit and returns it.
func raiseDescriptorLimit() (uint64, error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, err
	}
	if lim.Cur < lim.Max {
		lim.Cur = lim.Max
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
			return 0, err
		}
	}
	return lim.Cur, nil
}

// connectionCap is how many clients fit below the descriptor limit.
func connectionCap(limit uint64, loops int) int {
	const atMost = 1 << 30
	reserve := uint64(descriptorReserve + 4*loops)
	if limit < 2*reserve {
		return max(int(limit/2), 1)
	}
	return int(min(limit-reserve, atMost))
}

// probeDescriptors returns nil if there are as many descriptors as taking a
// connection needs: one from the listener, and gnet's duplicate of it.
func probeDescriptors() error {
	first, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return err
	}
	second, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err == nil {
		err = unix.Close(second)
	}
	return errors.Join(err, unix.Close(first))
}
