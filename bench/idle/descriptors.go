package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve is how many descriptors this process and the server need besides the
// clients' connections.
const reserve = 200

// enoughDescriptors raises the descriptor limit, which the server inherits, and
// fails if it is too low for n clients.
func enoughDescriptors(n int) error {
	want := uint64(n + reserve)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("reading the descriptor limit: %w", err)
	}
	if limit.Max < want {
		// Works for root only, and only below fs.nr_open.
		limit.Max = want
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d clients need %d descriptors: raise the limit with `ulimit -n %d` as root", n, want, want)
	}
	return nil
}
