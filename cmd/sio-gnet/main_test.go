package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// asCommand, when set, makes the test binary the command itself, so that tests
// see a process: its exit code, its streams and what signals do to it.
const asCommand = "TEST_AS_SIO_GNET"

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command prepares a process with these arguments and no other SIO_ variables
// than those in env.
func command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SIO_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// The race detector waits a second before a process ends, for what other
	// goroutines may still do; a process here has ended by then.
	cmd.Env = append(cmd.Env, asCommand+"=1", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// end runs a process that ends by itself.
func end(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// complaints returns the lines on standard error that are no log lines.
func complaints(stderr string) (lines []string) {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "time=") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// process is a server that runs.
type process struct {
	cmd    *exec.Cmd
	line   string        // that it began with
	url    string        // from that line
	stdout *bufio.Reader // after the first line
	stderr safeBuffer

	ended chan struct{} // closed when it has
	code  int
}

// safeBuffer can be written and read at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var startLine = regexp.MustCompile(`^sio-gnet: (chat|hello|bench) on (\S.*) \(Socket\.IO path (\S+)\)\n$`)

// start runs "serve" on a free port, unless args say otherwise, and waits until
// it says that it serves. It is killed in the end, if it still runs.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{ended: make(chan struct{})}
	p.cmd = command(context.Background(), append([]string{"SIO_ADDR=127.0.0.1:0"}, env...), append([]string{"serve"}, args...)...)
	p.begin(t)
	return p
}

// begin starts the process, and waits until it says that it serves.
func (p *process) begin(t *testing.T) {
	t.Helper()
	p.cmd.Stderr = &p.stderr
	stdout, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	t.Cleanup(func() {
		if err := stdout.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := stdout.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(stdout)
	line, readErr := p.stdout.ReadString('\n')
	parts := startLine.FindStringSubmatch(line)
	if readErr != nil || parts == nil {
		t.Fatalf("it began with %q (%v) and said %q", line, readErr, p.stderr.String())
	}
	p.line, p.url = line, parts[2]
}

// run notes the end of a process that was started, and sees to it.
func (p *process) run(t *testing.T) {
	t.Helper()
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code says it
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end of the process, which must be a good one.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("it still runs, and said %q", p.stderr.String())
	}
	if p.code != exitOK {
		t.Errorf("exit code %d, and it said %q", p.code, p.stderr.String())
	}
}

// says waits for a text on standard error.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.stderr.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not say %q but %q", text, p.stderr.String())
		}
	}
}

// open makes an Engine.IO session over polling, and returns the status and body
// of the answer.
func (p *process) open(t *testing.T, path string) (status int, body string) {
	t.Helper()
	return get(t, p.url+path+"/?EIO=4&transport=polling")
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

func TestNoArgumentsPrintHelp(t *testing.T) {
	code, stdout, stderr := end(t, nil)
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if _, help, _ := end(t, nil, "--help"); stdout != help || help == "" {
		t.Errorf("got\n%s\nwant\n%s", stdout, help)
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := end(t, nil, "--version")
	if code != exitOK || stderr != "" || !regexp.MustCompile(`^sio-gnet \S+\n$`).MatchString(stdout) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
