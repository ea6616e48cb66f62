package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// suiteDeadline bounds one client process. It is for a client that hangs: each
// check has a shorter deadline of its own.
const suiteDeadline = 5 * time.Minute

// reportLine is one line of a client's standard output: first the plan, then
// one result for each of its names.
type reportLine struct {
	Plan  []string `json:"plan"`
	Check string   `json:"check"`
	OK    bool     `json:"ok"`
	Error string   `json:"error"`
}

// runChecks runs a client process in a folder and makes every check that it
// reports a subtest. A check that was planned and not reported fails, and so
// does a process that ends badly without having reported a failure.
func runChecks(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), suiteDeadline)
	defer cancel()

	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	// A group of its own, so that what the client starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	var planned []string
	reported := make(map[string]bool)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line reportLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Logf("%s", lines.Bytes())
			continue
		}
		if line.Plan != nil {
			planned = line.Plan
			continue
		}
		reported[line.Check] = true
		t.Run(line.Check, func(t *testing.T) {
			if !line.OK {
				t.Error(line.Error)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Errorf("reading the client's report: %v", err)
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || !t.Failed()) {
		t.Errorf("the client process: %v", err)
	}
	if len(planned) == 0 {
		t.Error("the client announced no checks")
	}
	for _, check := range planned {
		if !reported[check] {
			t.Errorf("no result for %q", check)
		}
	}
	if t.Failed() && stderr.Len() > 0 {
		t.Logf("standard error of the client:\n%s", stderr.Bytes())
	}
}
