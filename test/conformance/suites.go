package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// suiteDeadline bounds one run of a suite, which takes about 10 s. Each of its
// tests has a shorter deadline of its own.
const suiteDeadline = 2 * time.Minute

// preload is the module that leads the suites to our server.
//
//go:embed preload.mjs
var preload []byte

// runner runs suites, each as often as asked with each number of loops.
type runner struct {
	suites []string
	loops  []int
	runs   int
	guest  bool
	out    io.Writer
}

// run runs the suites that it finds below a folder and prints the results. It
// fails if any test did.
func (r *runner) run(ctx context.Context, folder string) error {
	found := findSuites(folder, r.suites)
	if len(found) == 0 {
		return fmt.Errorf("no suite is below %s, such as engine.io-protocol/v4-test-suite", folder)
	}
	work, err := os.MkdirTemp("", "conformance-*")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(work); err != nil {
			fmt.Fprintf(r.out, "removing the copies: %v\n", err)
		}
	}()
	module := filepath.Join(work, "preload.mjs")
	if err := os.WriteFile(module, preload, 0o600); err != nil {
		return err
	}
	var all []result
	for _, suite := range r.suites {
		if found[suite] == "" {
			continue
		}
		copied := filepath.Join(work, suite)
		if err := install(ctx, found[suite], copied); err != nil {
			return fmt.Errorf("installing suite %s: %w", suite, err)
		}
		for _, loops := range r.loops {
			for i := range r.runs {
				res, err := runSuite(ctx, suite, copied, module, loops, r.guest)
				if err != nil {
					return fmt.Errorf("suite %s: %w", suite, err)
				}
				res.suite, res.loops, res.run = suite, loops, i+1
				res.printFailures(r.out)
				all = append(all, res)
			}
		}
	}
	return printTable(r.out, all)
}

// findSuites returns the folder of each of the suites that is below a folder.
func findSuites(folder string, names []string) map[string]string {
	found := make(map[string]string)
	for _, name := range names {
		protocol := "engine.io-protocol"
		if name == "v5" {
			protocol = "socket.io-protocol"
		}
		for _, above := range []string{".", "docs"} { // the repository itself will do, too
			dir := filepath.Join(folder, above, protocol, name+"-test-suite")
			if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
				found[name] = dir
			}
		}
	}
	return found
}

// install copies a suite and installs the packages of its lock file.
func install(ctx context.Context, from, to string) error {
	if err := copySuite(from, to); err != nil {
		return err
	}
	_, err := execute(ctx, to, nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	return err
}

// copySuite copies a suite's files, without what was installed there before.
func copySuite(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case d.Name() == "node_modules":
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path) //nolint:gosec // the folder is the user's own choice
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o600) //nolint:gosec // as above; target is in a new folder
	})
}

// runSuite runs a suite once, against a server of its own.
func runSuite(ctx context.Context, name, dir, module string, loops int, guest bool) (result, error) {
	server, err := start(ctx, name, "127.0.0.1:0", loops, guest)
	if err != nil {
		return result{}, err
	}
	_, port, err := net.SplitHostPort(server.addr)
	if err != nil {
		return result{}, errors.Join(err, server.stop())
	}
	out, failed := execute(ctx, dir, []string{
		"NODE_OPTIONS=--import=file://" + filepath.ToSlash(module),
		"CONFORMANCE_PORT=" + port,
		"CONFORMANCE_SUITE=" + name,
	}, "node", filepath.Join("node_modules", "mocha", "bin", "mocha"), "test-suite.js", "--reporter", "json")
	if err := server.stop(); err != nil {
		return result{}, fmt.Errorf("ending the server: %w", err)
	}
	var r result
	if err := json.Unmarshal(out, &r.report); err != nil {
		return result{}, errors.Join(fmt.Errorf("mocha printed no report: %w", err), failed)
	}
	if failed != nil && r.Stats.Failures == 0 {
		return result{}, failed
	}
	return r, nil
}

// execute runs a program in a folder, with further variables, and returns what it
// prints. The error holds what it complains of.
func execute(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, suiteDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // npm and node are all that is run
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	// A group of its own, so that what it starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %w\n%s", name, err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}
