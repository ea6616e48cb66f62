// Package frameworks_test builds and runs the chats beside web frameworks.
package frameworks_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// start runs a program until the test ends.
func start(t *testing.T, program string) *testkit.Program {
	t.Helper()
	return testkit.StartProgram(t, 10*time.Second, "127.33.44.56", program)
}

// ask makes a request and returns its status and body.
func ask(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
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

func TestChats(t *testing.T) {
	programs := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", programs, "./...").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"chat-gin", "chat-echo", "chat-chi"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := start(t, filepath.Join(programs, name)).Addr
			alice, bob, carol := enter(t, addr), enter(t, addr), enter(t, addr)
			for i, c := range []*siotest.Conn{alice, bob, carol} {
				room := "lobby"
				if c == carol {
					room = "other"
				}
				// Handlers run in order: who hears the second event has joined.
				hello := fmt.Sprintf(`["message",%q,{"from":"me","text":"hello %d"}]`, room, i)
				c.Send(fmt.Sprintf(`42["join",%q]`, room), "42"+hello)
				c.Want(fmt.Sprintf(`42["message",{"from":"me","text":"hello %d"}]`, i))
			}
			alice.Want(`42["message",{"from":"me","text":"hello 1"}]`)

			status, answer := ask(t, "POST", "http://"+addr+"/rooms/lobby/messages", `{"from":"rest","text":"hi"}`)
			if status != http.StatusAccepted {
				t.Errorf("POST: %d %s", status, answer)
			}
			for _, c := range []*siotest.Conn{alice, bob} {
				c.Want(`42["message",{"from":"rest","text":"hi"}]`)
			}
			if status, answer := ask(t, "POST", "http://"+addr+"/rooms/lobby/messages", `{`); status != http.StatusBadRequest {
				t.Errorf("POST of bad JSON: %d %s", status, answer)
			}
			if status, answer := ask(t, "GET", "http://"+addr+"/", ""); status != 200 || !strings.Contains(answer, "/socket.io/socket.io.min.js") {
				t.Errorf("page: %d %s", status, answer)
			}
			if status, _ := ask(t, "GET", "http://"+addr+"/absent", ""); status != http.StatusNotFound {
				t.Errorf("another path: %d", status)
			}
			carol.Send(`42["message","other",{"from":"c","text":"last"}]`)
			carol.Want(`42["message",{"from":"c","text":"last"}]`) // and nothing of the lobby's before
		})
	}
}

// The chat with a login ends in order when it is told to, and with a failure if its
// address is taken.
func TestExitStatus(t *testing.T) {
	program := filepath.Join(t.TempDir(), "chat")
	if out, err := exec.Command("go", "build", "-o", program, "./chat-auth-gin").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ln, err := net.Listen("tcp", "127.33.44.56:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	out, err := exec.Command(program, ln.Addr().String()).CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "address already in use") {
		t.Errorf("with an address that is taken: %v, %s", err, out)
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := start(t, program)
		client, _ := siotest.TryDial(t, "http://"+p.Addr) // refused: it has no token
		if client != nil {
			t.Error("it lets everybody in")
		}
		if err := p.Cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		<-p.Ended
		if code := p.Cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("%v: exit status %d", signal, code)
		}
	}
}

// enter joins "/".
func enter(tb testing.TB, addr string) *siotest.Conn {
	tb.Helper()
	c := siotest.Open(tb, "http://"+addr)
	c.Join("/", "")
	return c
}
