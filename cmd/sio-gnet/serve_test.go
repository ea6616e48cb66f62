package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestStartingLine(t *testing.T) {
	p := start(t, nil, "--app", "bench", "--path", "/ws/io")
	if !strings.HasPrefix(p.line, "sio-gnet: bench on http://localhost:") || !strings.HasSuffix(p.line, " (Socket.IO path /ws/io)\n") {
		t.Errorf("it began with %q", p.line)
	}
	if strings.HasSuffix(p.url, ":0") {
		t.Errorf("%s is no address to go to", p.url)
	}
	if status, body := p.open(t, "/ws/io"); status != 200 || !strings.HasPrefix(body, `0{"sid":`) {
		t.Errorf("the handshake got %d %q", status, body)
	}
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
	if rest, err := io.ReadAll(p.stdout); err != nil || len(rest) > 0 {
		t.Errorf("on standard output came %q, too (%v)", rest, err)
	}
}

func TestSignalsEndInOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, nil, "--drain-timeout", "1m")
			status, body := p.open(t, "/socket.io")
			if status != 200 {
				t.Fatalf("the handshake got %d %q", status, body)
			}
			p.signal(t, s)
			p.wait(t)
			if said := p.stderr.String(); !strings.Contains(said, "shutting down") || strings.Contains(said, "not all") {
				t.Errorf("it said %q", said)
			}
		})
	}
}

// A signal that comes with the starting line ends the server in order, too.
func TestSignalAtOnce(t *testing.T) {
	p := start(t, nil)
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
}

func TestDrainTimeout(t *testing.T) {
	p := start(t, nil, "--app", "bench", "--drain-timeout", "300ms")
	stall(t, p)
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
	if said := p.stderr.String(); !strings.Contains(said, "not all clients and handlers ended in time") {
		t.Errorf("it said %q", said)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, nil, "--app", "bench", "--drain-timeout", "10m")
	stall(t, p)
	p.signal(t, syscall.SIGTERM)
	p.says(t, "shutting down")
	p.signal(t, syscall.SIGINT)
	p.wait(t)
}

func TestTakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()
	code, stdout, stderr := end(t, nil, "serve", "--addr", addr)
	if code != exitError || stdout != "" {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
	want := "sio-gnet: " + addr + " is taken by another program; choose another address with --addr"
	if got := complaints(stderr); len(got) != 1 || got[0] != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// stall begins a request and does not end its head, which the server waits for.
func stall(t *testing.T, p *process) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// Both come in one piece, so who has answered the first has the second, too.
	fmt.Fprint(conn, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: loc")
	want := "HTTP/1.1 "
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
}

// A handler that blocks holds up the end no longer than until the second
// signal: here it writes to a pipe that nobody reads on.
func TestSecondSignalWithABlockedHandler(t *testing.T) {
	p := start(t, nil, "--app", "hello", "--drain-timeout", "10m")
	c := siotest.Open(t, p.url)
	id := c.Join("/", "")
	c.Send(`42["salutations","` + strings.Repeat("x", 200_000) + `"]`)
	want := "connect " + id + "\nsalutations from "
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.stdout, got); err != nil || string(got) != want {
		t.Fatalf("it printed %q, %v", got, err)
	}
	p.signal(t, syscall.SIGTERM)
	p.says(t, "shutting down")
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
}

func TestUnusableAddress(t *testing.T) {
	for _, addr := range []string{"nonsense", "localhost:99999", "localhost:no-such-port", "256.0.0.1:80"} {
		t.Run(addr, func(t *testing.T) {
			code, stdout, stderr := end(t, nil, "serve", "--addr", addr)
			got := complaints(stderr)
			if code != exitUsage || stdout != "" || len(got) != 1 || !strings.Contains(got[0], `--addr "`+addr+`"`) {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// Where standard output takes nothing, the server serves all the same.
func TestUnwritableOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := full.Close(); err != nil {
			t.Error(err)
		}
	}()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	p := &process{cmd: command(t.Context(), nil, "serve", "--app", "hello", "--addr", addr), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = full, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
	c := siotest.Open(t, "http://"+addr)
	c.Join("/", "")
	p.says(t, "hello: printing")
	c.Send(`451-["salutations","a",{},{"_placeholder":true,"num":0}]`)
	c.SendBinary([]byte("b"))
	c.Want(`451-["greetings","a",{},{"_placeholder":true,"num":0}]`, "binary:b")
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
}

func TestLogFormats(t *testing.T) {
	for _, tt := range []struct {
		format string
		isLine func(string) bool
	}{
		{"json", func(line string) bool {
			var entry struct{ Time, Level, Msg string }
			return json.Unmarshal([]byte(line), &entry) == nil && entry.Time != "" && entry.Level != "" && entry.Msg != ""
		}},
		{"text", func(line string) bool { return strings.HasPrefix(line, "time=") && strings.Contains(line, " level=") }},
	} {
		t.Run(tt.format, func(t *testing.T) {
			p := start(t, nil, "--log-format", tt.format, "--log-level", "debug")
			if status, _ := get(t, p.url+"/socket.io/?EIO=1"); status != 400 {
				t.Errorf("a bad request got %d", status)
			}
			p.signal(t, syscall.SIGTERM)
			p.wait(t)
			said := p.stderr.String()
			if !strings.Contains(said, "shutting down") || !strings.Contains(said, "DEBUG") {
				t.Errorf("it said %q", said)
			}
			for line := range strings.Lines(said) {
				if !tt.isLine(line) {
					t.Errorf("no log line: %q", line)
				}
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	p := start(t, nil, "--log-level", "error")
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
	if said := p.stderr.String(); said != "" {
		t.Errorf("it said %q", said)
	}
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.IPv4zero, Port: 3000}, "http://localhost:3000"},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 3000}, "http://localhost:3000"},
		{&net.TCPAddr{Port: 3000}, "http://:3000"},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, "http://localhost:80"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 80}, "http://localhost:80"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8080}, "http://192.0.2.1:8080"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 8080}, "http://[2001:db8::1]:8080"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 8080, Zone: "eth0"}, "http://[fe80::1%eth0]:8080"},
		{&net.UnixAddr{Name: "/tmp/s", Net: "unix"}, "unix:/tmp/s"},
	} {
		if got := address(tt.addr); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.addr, got, tt.want)
		}
	}
}
