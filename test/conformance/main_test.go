package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What the reactor's library starts when it is imported stays for good.
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// get returns the status and body of an answer.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestServers(t *testing.T) {
	for _, tt := range []struct {
		suite, handshake string
		guest            bool
	}{
		{suite: "v3", handshake: "/engine.io/?EIO=3&transport=polling"},
		{suite: "v4", handshake: "/engine.io/?EIO=4&transport=polling"},
		{suite: "v5", handshake: "/socket.io/?EIO=4&transport=polling"},
		{suite: "v4", handshake: "/engine.io/?EIO=4&transport=polling", guest: true},
		{suite: "v5", handshake: "/socket.io/?EIO=4&transport=polling", guest: true},
	} {
		t.Run(fmt.Sprintf("%s, guest %v", tt.suite, tt.guest), func(t *testing.T) {
			s, err := start(t.Context(), tt.suite, "127.0.0.1:0", 2, tt.guest)
			if err != nil {
				t.Fatal(err)
			}
			status, body := get(t, "http://"+s.addr+tt.handshake)
			const want = `"upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
			if status != 200 || !strings.HasSuffix(body, want) {
				t.Errorf("handshake: %d %s, want 200 …%s", status, body, want)
			}
			if status, _ := get(t, "http://"+s.addr+"/elsewhere"); status != 404 {
				t.Errorf("another path: %d, want 404", status)
			}
			if err := s.stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
}

func TestServeUntilInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"--suite", "v4", "--addr", "127.0.0.1:0"}, in, io.Discard) }()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "serving v4 on http://127.0.0.1:") {
		t.Errorf("printed %q, %v", line[:n], err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after the interruption: %v", err)
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct{ name, args, want string }{
		{"nothing", "", errUsage.Error()},
		{"both", "--suite v4 --suites .", errUsage.Error()},
		{"rest", "--suite v4 more", errUsage.Error()},
		{"one server, two numbers of loops", "--suite v4 --loops 1,2", errUsage.Error()},
		{"no loops", "--suite v4 --loops 0", "not a number of loops"},
		{"unknown suite", "--suite v9", "there are v3, v4, v5"},
		{"no suites", "--suites testdata", "no suite is below testdata"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(t.Context(), strings.Fields(tt.args), io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// write makes a file and the folders above it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFindAndCopy(t *testing.T) {
	folder := t.TempDir()
	v4 := filepath.Join(folder, "docs", "engine.io-protocol", "v4-test-suite")
	v5 := filepath.Join(folder, "socket.io-protocol", "v5-test-suite")
	for _, dir := range []string{v4, v5} {
		write(t, filepath.Join(dir, "package.json"), "{}")
		write(t, filepath.Join(dir, "node_modules", "ws", "index.js"), "")
		write(t, filepath.Join(dir, "lib", "a.js"), "a")
	}
	found := findSuites(folder, suiteNames())
	if len(found) != 2 || found["v4"] != v4 || found["v5"] != v5 {
		t.Errorf("found %v", found)
	}

	to := filepath.Join(t.TempDir(), "copy")
	if err := copySuite(v4, to); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(to, "lib", "a.js")); err != nil || string(data) != "a" {
		t.Errorf("lib/a.js: %q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(to, "node_modules")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("node_modules was copied: %v", err)
	}
}

func TestTable(t *testing.T) {
	read := func(suite string, loops, run int, report string) result {
		r := result{suite: suite, loops: loops, run: run}
		if err := json.Unmarshal([]byte(report), &r.report); err != nil {
			t.Fatal(err)
		}
		return r
	}
	good := `{"stats":{"tests":3,"passes":3,"pending":1,"failures":0,"duration":1500}}`
	bad := `{"stats":{"passes":2,"failures":1,"duration":2500},"failures":[{"fullTitle":"close by WebSocket","err":{"message":"no\n"}}]}`
	none := `{"stats":{"passes":0,"failures":0,"duration":1}}`

	var out bytes.Buffer
	all := []result{read("v4", 1, 1, good), read("v4", 1, 2, bad), read("v4", 2, 1, good), read("v5", 1, 1, none)}
	for i := range all {
		all[i].printFailures(&out)
	}
	err := printTable(&out, all)
	if failed := (*failedError)(nil); !errors.As(err, &failed) || failed.runs != 2 || failed.of != 4 {
		t.Errorf("error %v, want 2 of 4", err)
	}
	const want = `v4, loops 1, run 2: close by WebSocket: no
suite  loops  runs  passed  failed  left out  time
v4     1      2     5       1       1         4s
v4     2      1     3       0       1         1.5s
v5     1      1     0       0       0         0s
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if err := printTable(io.Discard, all[2:3]); err != nil {
		t.Errorf("all passed: %v", err)
	}
}
