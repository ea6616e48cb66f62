package child

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is a reading of /proc/<pid>.
type Process struct {
	RSS, Peak int64 // resident memory in bytes, now and at most
	Threads   int
	CPU       time.Duration // user and system, of all threads, in steps of 10 ms
}

// clockTick is the unit of CPU time in /proc, which Linux fixes at 1/100 s.
const clockTick = time.Second / 100

// Read reads what the process has used so far.
func Read(pid int) (Process, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Process{}, fmt.Errorf("the server is gone: %w", err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, fmt.Errorf("the server is gone: %w", err)
	}
	return parseProcess(status, stat)
}

func parseProcess(status, stat []byte) (Process, error) {
	var p Process
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
			p.RSS = n << 10
		case "VmHWM":
			p.Peak = n << 10
		case "Threads":
			p.Threads = int(n)
		}
	}
	if p.RSS == 0 || p.Threads == 0 {
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
		p.CPU += time.Duration(ticks) * clockTick
	}
	return p, nil
}
