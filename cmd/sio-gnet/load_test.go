package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// short are the flags of a run that is over soon.
var short = []string{"--duration", "200ms", "--warmup", "0s", "--clients", "5"}

// endLoad runs "load" until it ends.
func endLoad(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return end(t, nil, append([]string{"load"}, args...)...)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	jsonFile, htmlFile := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.html")
	p := start(t, nil, "--app", "bench")
	code, stdout, stderr := endLoad(t, append(short, p.url, "--json", jsonFile, "--html", htmlFile, "--fail", "lost>0", "--fail", "p99>1h", "-q")...)
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "5 of 5 joined") || !strings.Contains(stdout, "each exactly once and in order") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	b, err := os.ReadFile(jsonFile)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Settings struct{ URL, Transport string }
		Parts    []struct {
			Scenario string
			Received int
		}
		Latency map[string]struct{ Count int } `json:"latency_ms"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Settings.URL != p.url || r.Settings.Transport != "websocket" || len(r.Parts) != 1 || r.Parts[0].Scenario != "echo" ||
		r.Parts[0].Received == 0 || r.Latency["echo"].Count != r.Parts[0].Received {
		t.Errorf("the result is %s", b)
	}
	if b, err = os.ReadFile(htmlFile); err != nil || !bytes.HasPrefix(b, []byte("<!doctype html>")) {
		t.Errorf("the page is %.20q, %v", b, err)
	}
	code, stdout, stderr = end(t, nil, "load", "compare", jsonFile, jsonFile)
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "echo p99") {
		t.Errorf("compare: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// A result on standard output is the only thing there.
func TestLoadToStandardOutput(t *testing.T) {
	p := start(t, nil, "--app", "bench")
	code, stdout, stderr := endLoad(t, append(short, p.url, "--scenario", "idle", "--json", "-", "-q")...)
	if code != exitOK || stderr != "" || !json.Valid([]byte(stdout)) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestLoadThresholds(t *testing.T) {
	p := start(t, nil, "--app", "bench")
	code, stdout, stderr := endLoad(t, append(short, p.url, "--fail", "p50>1us", "--fail", "lost>0", "--fail", "clients<6", "-q")...)
	if code != exitThreshold || !strings.Contains(stdout, "failed: clients<6 (it is 5)") ||
		!strings.HasPrefix(stderr, "sio-gnet: failed: p50>1us (it is ") || !strings.HasSuffix(stderr, "; clients<6 (it is 5)\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, _, stderr = endLoad(t, append(short, p.url, "--fail", "bcast.p50>1us", "-q")...)
	if code != exitUsage || !strings.Contains(stderr, "unknown metric bcast.p50: the latencies are echo, connect, lag") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// A signal ends the run with a report of what was.
func TestLoadIsInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	server := start(t, nil, "--app", "bench")
	p := &process{ended: make(chan struct{})}
	p.cmd = command(context.Background(), nil, "load", server.url, "--scenario", "bcast", "--duration", "1h", "--warmup", "0s", "--clients", "5", "--json", path)
	var stdout bytes.Buffer
	p.cmd.Stdout, p.cmd.Stderr = &stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.run(t)
	p.says(t, "measuring") // it says so after some seconds
	p.signal(t, syscall.SIGINT)
	<-p.ended
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.code != exitInterrupted || !bytes.Contains(b, []byte(`"partial": true`)) || !strings.Contains(stdout.String(), "INTERRUPTED") ||
		!strings.Contains(p.stderr.String(), "interrupted; the report is of a part of the run\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", p.code, stdout.String(), p.stderr.String())
	}
}

func TestLoadErrors(t *testing.T) {
	const url = "http://127.0.0.1:1"
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, []byte("clients: 3\nparts:\n  - scenario: echo\n    sise: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no URL", nil, exitUsage, `expected "<url>"`},
		{"no server", []string{url}, exitError, "no server answers at http://127.0.0.1:1: connection refused"},
		{"no server, and files", []string{url, "--json", filepath.Join(dir, "r")}, exitError, "connection refused"},
		{"another scheme", []string{"ftp://a"}, exitUsage, "must begin with http://"},
		{"a path", []string{url + "/chat"}, exitUsage, "--namespace and --path"},
		{"unknown scenario", []string{url, "--scenario", "ecko"}, exitUsage, "--scenario must be one of"},
		{"unknown transport", []string{url, "--transport", "pigeon"}, exitUsage, "--transport must be one of"},
		{"unknown metric", []string{url, "--fail", "p95>3ms"}, exitUsage, `--fail: "p95>3ms": unknown metric p95`},
		{"no condition", []string{url, "--fail", "slow"}, exitUsage, `--fail: "slow" is no condition such as p99>50ms`},
		{"unknown key", []string{url, "--file", file}, exitUsage, file + `:4:5: unknown key "sise"`},
		{"no file", []string{url, "--file", filepath.Join(dir, "none")}, exitUsage, "no such file"},
		{"no clients", []string{url, "--clients", "0"}, exitUsage, "--clients must be from 1"},
		{"rate and window", []string{url, "--rate", "5", "--window", "5"}, exitUsage, "--rate and window exclude each other"},
		{"no loops", []string{url, "--loops", "0"}, exitUsage, "--loops must be from 1 to 256, not 0"},
		{"no time", []string{url, "--duration", "0s"}, exitUsage, "--duration must be from 1ms"},
		{"no one connecting", []string{url, "--connecting", "0"}, exitUsage, "--connecting must be from 1"},
		{"a bad rate of connecting", []string{url, "--connect-rate=-1"}, exitUsage, "--connect-rate must be from 0"},
		{"bad addresses", []string{url, "--source-ips", "here"}, exitUsage, `--source-ips: "here" is neither`},
		{"bad auth", []string{url, "--auth", "[1]"}, exitUsage, "--auth must be an object of JSON"},
		{"auth with EIO 3", []string{url, "--auth", "{}", "--eio", "3"}, exitUsage, "--auth is not known to EIO 3"},
		{"a bad header", []string{url, "--header", "x"}, exitUsage, "--header must be of the form"},
		{"a bad namespace", []string{url, "--namespace", "x"}, exitUsage, "--namespace must begin with /"},
		{"a bad path", []string{url, "--path", "x"}, exitUsage, "--path must be a path"},
		{"compressed polling", []string{url, "--transport", "polling", "--deflate", "on"}, exitUsage, "--deflate is for WebSockets"},
		{"a process that is not there", []string{url, "--pid=-1"}, exitUsage, "--pid must be a process"},
		{"a file that can't be written", []string{url, "--html", dir}, exitError, dir},
		{"nothing to compare", []string{"compare", file, file}, exitUsage, "no result of sio-gnet load"},
		{"one to compare", []string{"compare", file}, exitUsage, `expected "<b>"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := endLoad(t, tt.args...)
			if code != tt.code || stdout != "" || !strings.HasPrefix(stderr, "sio-gnet: ") || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if code == exitUsage && !strings.HasSuffix(stderr, "(see sio-gnet load --help)\n") {
				t.Errorf("stderr %q", stderr)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "r")); !os.IsNotExist(err) {
		t.Errorf("a run that never began left a file: %v", err)
	}
}

func TestLoadHelp(t *testing.T) {
	code, stdout, stderr := endLoad(t, "--help")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	for _, want := range []string{"--scenario", "--fail=CONDITION", "--source-ips", "compare", "<url>"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not mention %s:\n%s", want, stdout)
		}
	}
}
