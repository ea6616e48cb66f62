// Package examples_test builds and runs the examples.
package examples_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// patience bounds every wait, so that a failing test ends.
const patience = 10 * time.Second

// programs is where the examples are built.
var programs string

// build compiles all examples, once.
var build = sync.OnceValue(func() error {
	if out, err := exec.Command("go", "build", "-o", programs, "./...").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	var err error
	if programs, err = os.MkdirTemp("", "examples"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(programs); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// start runs an example until the test ends, and returns its address. Further
// arguments may follow that.
func start(t *testing.T, name string, args ...string) (addr string) {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	p := testkit.StartProgram(t, patience, "127.33.44.55", filepath.Join(programs, name), args...)
	t.Cleanup(func() { // before the program is killed
		select {
		case <-p.Ended:
			t.Errorf("it ended by itself: %s", p.Said())
		default:
		}
	})
	return p.Addr
}

// dialAt opens a connection that joins nothing yet.
func dialAt(tb testing.TB, addr string) *siotest.Conn {
	tb.Helper()
	return siotest.Open(tb, "http://"+addr)
}

// enterAt joins "/" and returns the client with the socket's id.
func enterAt(tb testing.TB, addr string) (c *siotest.Conn, id string) {
	tb.Helper()
	c = dialAt(tb, addr)
	id = c.Join("/", "")
	return c, id
}

// Every folder here is a program that takes its address as an argument, but for
// those that hold configurations only.
func TestExamplesServe(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range entries {
		if _, err := os.Stat(filepath.Join(entry.Name(), "main.go")); !entry.IsDir() || err != nil {
			continue
		}
		found++
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(entry.Name(), "README.md")); err != nil {
				t.Error(err)
			}
			if !bytes.Contains(list, []byte("]("+entry.Name()+"/")) {
				t.Error("README.md does not list it")
			}
			addr := start(t, entry.Name())
			if notSocketIO[entry.Name()] {
				return
			}
			if c := siotest.Open(t, "http://"+addr); c.SID() == "" {
				t.Error("the handshake has no session id")
			}
		})
	}
	if found == 0 {
		t.Error("there are no examples")
	}
}

// notSocketIO are the examples that serve something else.
var notSocketIO = map[string]bool{"engine": true}

func TestHello(t *testing.T) {
	c := siotest.Open(t, "http://"+start(t, "hello"))
	c.Join("/", "")
	c.Want(`42["hello","world"]`)
	c.Send(`421["hey","you"]`)
	c.Want(`431["hey, you"]`)
}

func TestGuest(t *testing.T) {
	c, _ := enterAt(t, start(t, "guest"))
	c.Send(`421["hey","you"]`)
	c.Want(`431["hey, you"]`)

	host, dir := testhost.Certify(t), t.TempDir()
	certificate, key := filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for file, content := range map[string][]byte{certificate: host.PEM, key: host.Key} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url := "https://" + start(t, "guest", certificate, key)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: host.ClientConfig(), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for _, tt := range [][2]string{{"/socket.io/?EIO=4&transport=polling", `0{"sid":`}, {"/online", "1\n"}} {
		if proto, body := get(t, client, url+tt[0]); proto != "HTTP/2.0" || !strings.HasPrefix(body, tt[1]) {
			t.Errorf("%s: %s %q, want %q", tt[0], proto, body, tt[1])
		}
	}
}

func get(t *testing.T, client *http.Client, url string) (proto, body string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Proto, string(b)
}
