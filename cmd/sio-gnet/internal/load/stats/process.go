package stats

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Process is what a process has used.
type Process struct {
	CPU time.Duration // user and system time
	RSS int64         // bytes
}

// clockTick is the unit of times in /proc/pid/stat: USER_HZ, which is 100 on every
// architecture that Go runs on.
const clockTick = time.Second / 100

// ReadProcess reads /proc/pid/stat (proc(5)).
func ReadProcess(pid int) (p Process, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, fmt.Errorf("process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything.
	i := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[i+1:])
	const utime, stime, rss = 11, 12, 21 // the first field here is the third of the file
	if i < 0 || len(fields) <= rss {
		return p, fmt.Errorf("process %d: unknown form of /proc/%d/stat", pid, pid)
	}
	var values [3]int64
	for j, at := range []int{utime, stime, rss} {
		if values[j], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return p, fmt.Errorf("process %d: %w", pid, err)
		}
	}
	p.CPU = time.Duration(values[0]+values[1]) * clockTick
	p.RSS = values[2] * int64(os.Getpagesize())
	return p, nil
}
