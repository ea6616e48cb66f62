package load

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// asServer, when set, makes the test binary a server, so that its memory is not that of
// the generator.
const asServer = "TEST_AS_SERVER"

// childServer serves until its standard input ends.
func childServer() int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	server, err := sio.New(&sio.Options{Loops: 1, PingInterval: 200 * time.Millisecond})
	if err != nil {
		return 1
	}
	os.Stdout.WriteString("http://" + ln.Addr().String() + "\n") //nolint:errcheck // who reads it notices
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		_ = server.Close()
	}()
	_ = server.Serve(ln)
	return 0
}

// child is a server in a process of its own.
type child struct {
	url string
	pid int
	end func() // may be called again
}

func startChild(t *testing.T) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	end := func() {
		once.Do(func() {
			stdin.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &child{strings.TrimSpace(line), cmd.Process.Pid, end}
}

// An idle client takes little memory, after some heartbeats, too.
func TestMemoryPerClient(t *testing.T) {
	const (
		clients = 1000
		most    = 4 << 10
	)
	for _, transport := range []client.Transport{client.WebSocket, client.Polling, client.Upgrade} {
		t.Run(transportNames[transport], func(t *testing.T) {
			used := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc + m.StackInuse)
			}
			c := config(t, startChild(t).url, scenario.Part{Kind: scenario.Idle, Clients: clients})
			c.Client.Transport = transport
			c.Warmup, c.Duration = 0, time.Second
			before, during := used(), int64(0)
			goroutines := 0
			c.Progress = func(p *report.Point) {
				if p.Phase == report.Measuring {
					during, goroutines = used(), runtime.NumGoroutine()
				}
			}
			test(t, c)
			each := (during - before) / clients
			t.Logf("%d bytes per client, %d goroutines", each, goroutines)
			if during == 0 || each > most {
				t.Errorf("%d bytes per client", each)
			}
			if goroutines > 100 {
				t.Errorf("%d goroutines", goroutines)
			}
		})
	}
}
