package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxyExamples are the configurations that these tests run.
const proxyExamples = "../../examples/proxies"

// edit replaces a text of a configuration, everywhere it stands.
type edit struct{ text, by string }

// proxy is nginx or HAProxy with one of the examples, changed in places.
type proxy struct {
	addr    string // that it listens on
	command func(config string) *exec.Cmd
	file    string // the example
	config  string // the file that it runs with
	edits   []edit

	running *exec.Cmd
	ended   chan struct{}
	said    *bytes.Buffer // of the process that runs
}

// Addresses of the loopback interface that no other test uses, lest one of them
// takes a port that was found free there.
const (
	frontHost = "127.66.77.88"
	otherHost = "127.66.77.89" // of what the configuration has besides
)

// freeAddress finds a free port of a host.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), "tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// newNginx is nginx with the example and its two servers replaced.
func newNginx(t *testing.T, a, b string) *proxy {
	t.Helper()
	nginx, dir := proxyTool(t, "nginx"), t.TempDir()
	p := &proxy{addr: freeAddress(t, frontHost), file: "nginx.conf", config: filepath.Join(dir, "nginx.conf")}
	p.edits = []edit{
		{"listen 80;", "listen " + p.addr + ";"},
		{"127.0.0.1:3001;", a + ";"},
		{"127.0.0.1:3002;", b + ";"},
		// What it would keep in the system's folders.
		{"http {\n", "http {\n" +
			"upstream sio_round_robin { server " + a + "; server " + b + "; }\n" +
			"access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"},
	}
	p.command = func(config string) *exec.Cmd {
		return exec.Command(nginx, "-e", "stderr", "-p", dir, "-c", config,
			"-g", "daemon off; master_process off; pid "+filepath.Join(dir, "pid")+";")
	}
	return p
}

// newHAProxy is HAProxy with the example and its servers replaced: the two for
// HTTP, and the two for the PROXY protocol.
//
// It is reached through its frontend of that name, "web" or "tcp".
func newHAProxy(t *testing.T, frontend, a, b, proxiedA, proxiedB string) *proxy {
	t.Helper()
	haproxy := proxyTool(t, "haproxy")
	front, other := freeAddress(t, frontHost), freeAddress(t, otherHost)
	web, tcp := front, other
	if frontend == "tcp" {
		web, tcp = other, front
	}
	p := &proxy{addr: front, file: "haproxy.cfg", config: filepath.Join(t.TempDir(), "haproxy.cfg")}
	p.edits = []edit{
		{"maxconn 16384", "maxconn 1000"}, // else it wants more descriptors than there may be
		{"bind :80\n", "bind " + web + "\n"},
		{"bind :8080\n", "bind " + tcp + "\n"},
		{"server a 127.0.0.1:3001 ", "server a " + a + " "},
		{"server b 127.0.0.1:3002 ", "server b " + b + " "},
		{"server a 127.0.0.1:4001 ", "server a " + proxiedA + " "},
		{"server b 127.0.0.1:4002 ", "server b " + proxiedB + " "},
		{"frontend tcp\n", "backend sio_round_robin\n  balance roundrobin\n  server a " + a + "\n  server b " + b + "\nfrontend tcp\n"},
	}
	p.command = func(config string) *exec.Cmd { return exec.Command(haproxy, "-db", "-f", config) }
	return p
}

// start runs the proxy with further changes, until it is stopped or the test ends.
// It waits until the proxy listens.
func (p *proxy) start(t *testing.T, edits ...edit) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(proxyExamples, p.file))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for _, e := range append(p.edits[:len(p.edits):len(p.edits)], edits...) {
		if !strings.Contains(config, e.text) {
			t.Fatalf("%s has no %q to replace", p.file, e.text)
		}
		config = strings.ReplaceAll(config, e.text, e.by)
	}
	if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.said = new(bytes.Buffer)
	p.running, p.ended = p.command(p.config), make(chan struct{})
	p.running.Stdout, p.running.Stderr = p.said, p.said
	p.running.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.running.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, ended, said := p.running, p.ended, p.said
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	t.Cleanup(func() {
		p.kill(cmd, ended)
		if t.Failed() {
			t.Logf("%s said: %s", p.file, said)
		}
	})
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.After(patience); ; {
		var d net.Dialer
		if conn, err := d.DialContext(t.Context(), "tcp", p.addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-look.C:
		case <-ended:
			t.Fatalf("%s ended", p.file)
		case <-deadline:
			t.Fatalf("%s does not listen", p.file)
		}
	}
}

// stop ends the proxy, and with it all connections.
func (p *proxy) stop() { p.kill(p.running, p.ended) }

func (p *proxy) kill(cmd *exec.Cmd, ended chan struct{}) {
	select {
	case <-ended:
	default:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may just have ended
		<-ended
	}
}
