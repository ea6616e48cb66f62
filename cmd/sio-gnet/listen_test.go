package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

// handshake opens a session at an address as the first line names it.
func handshake(t *testing.T, addr string) {
	t.Helper()
	network, where := "tcp", strings.TrimPrefix(addr, "http://")
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		network, where = "unix", path
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, where)
		},
	}}
	res, err := client.Get("http://server/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), `0{"sid":`) {
		t.Errorf("%s: got %d %q, %v", addr, res.StatusCode, body, err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	p := start(t, nil, "--addr", "unix:"+path)
	if want := "sio-gnet: chat on unix:" + path + " (Socket.IO path /socket.io)\n"; p.line != want {
		t.Errorf("it began with %q, want %q", p.line, want)
	}
	handshake(t, p.url)
	if code, _, stderr := end(t, nil, "serve", "--addr", "unix:"+path); code != exitError || !strings.Contains(stderr, "taken by another program") {
		t.Errorf("a second server: exit code %d, %q", code, stderr)
	}
	handshake(t, p.url)
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there (%v)", err)
	}
}

// What a killed server left is no hindrance; what is no socket is not touched.
func TestUnixSocketThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	handshake(t, start(t, nil, "--addr", "unix:"+path).url)

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := end(t, nil, "serve", "--addr", "unix:"+file); code != exitError {
		t.Errorf("on a file: exit code %d, %q", code, stderr)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file has %q, %v", b, err)
	}
}

func TestSeveralAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	p := start(t, nil, "--addr", "127.0.0.1:0,unix:"+path, "--addr", "[::1]:0")
	addrs := strings.Split(p.url, " and ")
	if len(addrs) != 3 {
		t.Fatalf("it began with %q", p.line)
	}
	for _, addr := range addrs {
		if strings.HasSuffix(addr, ":0") {
			t.Errorf("%s is no address to go to", addr)
		}
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(addrs[2], "http://"), ":")
	handshake(t, "http://[::1]:"+port)
	handshake(t, addrs[0])
	handshake(t, addrs[1])
	p.signal(t, syscall.SIGTERM)
	p.wait(t)
}

// If one address can't be listened on, none is.
func TestOneOfSeveralAddressesIsTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	path := filepath.Join(t.TempDir(), "s")
	code, stdout, stderr := end(t, nil, "serve", "--addr", "unix:"+path, "--addr", ln.Addr().String())
	if code != exitError || stdout != "" || !strings.Contains(stderr, ln.Addr().String()+" is taken") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other socket is still there (%v)", err)
	}
}

// passed starts serve as systemd does: with sockets from descriptor 3 on, and the
// process's own id in LISTEN_PID.
func passed(t *testing.T, names, addr string, lns ...interface{ File() (*os.File, error) }) *process {
	t.Helper()
	p := &process{ended: make(chan struct{})}
	p.cmd = command(context.Background(), []string{fmt.Sprintf("LISTEN_FDS=%d", len(lns)), "LISTEN_FDNAMES=" + names})
	p.cmd.Args = []string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, p.cmd.Path, "serve", "--addr", addr}
	p.cmd.Path = "/bin/sh"
	for _, ln := range lns {
		f, err := ln.File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() }) // the process has its own
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, f)
	}
	p.begin(t)
	return p
}

func TestSocketActivation(t *testing.T) {
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close() }()
	web := "http://" + strings.Replace(tcp.Addr().String(), "127.0.0.1", "localhost", 1)
	for _, tt := range []struct{ addr, want string }{
		{"systemd", web + " and unix:" + path},
		{"systemd:local", "unix:" + path},
		{"systemd:web,systemd:local", web + " and unix:" + path},
	} {
		t.Run(tt.addr, func(t *testing.T) {
			p := passed(t, "web:local", tt.addr, tcp, unix)
			if p.url != tt.want {
				t.Errorf("it serves %q, want %q", p.url, tt.want)
			}
			for _, addr := range strings.Split(tt.want, " and ") {
				handshake(t, strings.Replace(addr, "localhost", "127.0.0.1", 1))
			}
			p.signal(t, syscall.SIGTERM)
			p.wait(t)
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("systemd's socket: %v", err)
			}
		})
	}
}

func TestNoSocketActivation(t *testing.T) {
	pid := fmt.Sprint(os.Getpid())
	for _, tt := range []struct{ name, fds, pid, want string }{
		{"nothing passed", "", "", "no sockets"},
		{"nothing in it", "0", pid, "no sockets"},
		{"garbage", "x", pid, "no sockets"},
		{"too many", "1001", pid, "no sockets"},
		{"for another process", "1", "1", "no sockets"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"LISTEN_FDS": tt.fds, "LISTEN_PID": tt.pid}
			lns, err := inherited("", os.Getpid(), func(name string) string { return env[name] })
			if len(lns) > 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v", lns, err)
			}
		})
	}
}

func TestProxyFlagsReachTheServer(t *testing.T) {
	c, err := parse(t, "--trusted-proxies=10.0.0.0/8,192.0.2.1,2001:db8::1,unix", "--forwarded",
		"--max-connections-per-address=7", "--handshakes-per-second=0.5")
	if err != nil {
		t.Fatal(err)
	}
	app := c.app(apps.Config{Logger: slog.New(slog.DiscardHandler), Out: io.Discard})
	o := c.options(app, nil, nil)
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::1/128")}
	if !reflect.DeepEqual(o.TrustedProxies, want) || !o.TrustUnixPeers || !o.UseForwarded {
		t.Errorf("got %v, %v, %v", o.TrustedProxies, o.TrustUnixPeers, o.UseForwarded)
	}
	if o.MaxConnectionsPerAddress != 7 || o.HandshakesPerSecond != 0.5 {
		t.Errorf("limits of %v and %v", o.MaxConnectionsPerAddress, o.HandshakesPerSecond)
	}
	if c, err = parse(t); err != nil {
		t.Fatal(err)
	}
	if o := c.options(app, nil, nil); len(o.TrustedProxies) > 0 || o.TrustUnixPeers || o.UseForwarded {
		t.Errorf("by default: %v, %v, %v", o.TrustedProxies, o.TrustUnixPeers, o.UseForwarded)
	}
}

func TestProxyProtocolFlag(t *testing.T) {
	for _, tt := range []struct {
		trusted string
		served  bool
	}{
		{"", true}, {"127.0.0.1", true}, {"10.0.0.0/8", false}, {"unix", false},
	} {
		t.Run(tt.trusted, func(t *testing.T) {
			p := start(t, []string{"SIO_TRUSTED_PROXIES=" + tt.trusted}, "--proxy-protocol", "--log-level", "debug")
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "PROXY TCP4 198.51.100.1 10.0.0.1 7 443\r\nGET /socket.io/ HTTP/1.1\r\nHost: a\r\n\r\n")
			if tt.served {
				p.says(t, "remote=198.51.100.1:7")
				return
			}
			if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
				t.Errorf("it answered %q", line)
			}
			p.says(t, "not a trusted proxy")
		})
	}
}
