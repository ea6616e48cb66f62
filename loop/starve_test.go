package loop

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// childEnv makes the test binary a server that runs out of descriptors.
const childEnv = "LOOP_TEST_STARVE"

// starvingChild serves, says where, and does as its input says: "starve N" uses
// all descriptors up but N, "feed" gives them back.
func starvingChild() int {
	if err := runStarvingChild(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

func runStarvingChild() error {
	r, err := New(Options{Loops: 1, MaxConnections: 1000, Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))}, handlerFunc(echo))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go r.Serve(ln) //nolint:errcheck // it ends with the process
	fmt.Println("addr", ln.Addr())
	var used []int
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var keep int
		if n, _ := fmt.Sscanf(in.Text(), "starve %d", &keep); n == 0 {
			for _, fd := range used {
				_ = unix.Close(fd)
			}
			used = nil
			fmt.Println("done")
			continue
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 256, Max: 256}); err != nil {
			return err
		}
		for {
			fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				break
			}
			used = append(used, fd)
		}
		for range keep {
			_ = unix.Close(used[len(used)-1])
			used = used[:len(used)-1]
		}
		fmt.Println("done")
	}
	return r.Stop()
}

// child is such a server.
type child struct {
	tb    testing.TB
	stdin io.Writer
	lines chan string
}

// want waits for a line that has the part.
func (c *child) want(part string) string {
	c.tb.Helper()
	for {
		line := receive(c.tb, part, c.lines)
		if strings.Contains(line, part) {
			return line
		}
	}
}

func (c *child) tell(command string) {
	c.tb.Helper()
	if _, err := io.WriteString(c.stdin, command+"\n"); err != nil {
		c.tb.Fatal(err)
	}
	c.want("done")
}

func startChild(t *testing.T) (c *child, addr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c = &child{tb: t, stdin: stdin, lines: make(chan string, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			c.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		_ = stdin.Close() // its end
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return c, strings.TrimPrefix(c.want("addr "), "addr ")
}

// TestDescriptorsRunOut wants those who are connected to go on, and those who
// call meanwhile to be served as soon as there are descriptors again.
func TestDescriptorsRunOut(t *testing.T) {
	for _, free := range []int{0, 1} { // with one, accepting works, but not handing over
		t.Run(fmt.Sprint(free), func(t *testing.T) {
			server, addr := startChild(t)
			a, b := dial(t, "tcp", addr).upgrade(), dial(t, "tcp", addr).upgrade()
			a.wantEcho("before")
			server.tell(fmt.Sprintf("starve %d", free))
			var callers []*client
			for range 2 * acceptors {
				c := dial(t, "tcp", addr) // the kernel takes the call
				c.send(get("/patient"))
				callers = append(callers, c)
			}
			server.want("accepting is paused")
			a.wantEcho("meanwhile")
			b.wantEcho("meanwhile")
			server.tell("feed")
			cut := 0
			for _, c := range callers {
				if _, err := c.br.Peek(1); err != nil && cut < acceptors {
					cut++ // one per acceptor may be taken with the last descriptor
					continue
				}
				c.want(200, "GET /patient ")
			}
			a.wantEcho("after")
			b.wantEcho("after")
			c := dial(t, "tcp", addr).upgrade()
			c.wantEcho("new")
		})
	}
}
