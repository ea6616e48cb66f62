package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a reading of /proc/<pid>.
type process struct {
	rss, peak int64 // bytes
	threads   int
	cpu       time.Duration // user and system
}

// clockTick is the unit of CPU time in /proc, which Linux fixes at 1/100 s.
const clockTick = time.Second / 100

func readProcess(pid int) (process, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return process{}, fmt.Errorf("the server is gone: %w", err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, fmt.Errorf("the server is gone: %w", err)
	}
	return parseProcess(status, stat)
}

func parseProcess(status, stat []byte) (process, error) {
	var p process
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "VmRSS":
			p.rss = n << 10
		case "VmHWM":
			p.peak = n << 10
		case "Threads":
			p.threads = int(n)
		}
	}
	if p.rss == 0 || p.threads == 0 {
		return p, errors.New("no VmRSS or Threads in the status of the server's process")
	}
	// The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return p, errors.New("the stat of the server's process is too short")
	}
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return p, fmt.Errorf("the stat of the server's process: %w", err)
		}
		p.cpu += time.Duration(ticks) * clockTick
	}
	return p, nil
}

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
