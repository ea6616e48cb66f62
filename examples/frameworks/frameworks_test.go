// Package frameworks_test builds and runs the chats beside web frameworks.
package frameworks_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/internal/testclient"
)

// start runs a program until the test ends, and returns its address.
func start(t *testing.T, program string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.33.44.56:0") // an address that other tests do not use
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	ln.Close()
	var said bytes.Buffer
	cmd := exec.Command(program, addr)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends in any case
		<-ended
		if t.Failed() {
			t.Logf("it said: %s", &said)
		}
	})
	testclient.Eventually(t, program+" to listen", func() bool {
		select {
		case <-ended:
			t.Fatal("it ended")
		default:
		}
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return addr
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
			addr := start(t, filepath.Join(programs, name))
			alice, _ := testclient.Connect(t, addr, "/")
			bob, _ := testclient.Connect(t, addr, "/")
			carol, _ := testclient.Connect(t, addr, "/")
			for i, c := range []*testclient.Client{alice, bob, carol} {
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
			for _, c := range []*testclient.Client{alice, bob} {
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
