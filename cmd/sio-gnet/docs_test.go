package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// blocks returns the fenced blocks of a page that are in a language.
func blocks(page, language string) (found []string) {
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		found = append(found, block)
	}
	return found
}

// Every command of the page about load tests does what the page says: it ends well. They
// run for a shorter time, with fewer clients, and may be slow.
func TestCommandsOfTheLoadPage(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "load.md"))
	if err != nil {
		t.Fatal(err)
	}
	server := start(t, nil, "--app", "bench", "--deflate")
	dir := t.TempDir()
	for _, block := range blocks(string(b), "yaml") {
		if err := os.WriteFile(filepath.Join(dir, "mix.yaml"), []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, block := range blocks(string(b), "sh") {
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, "sio-gnet load ") {
				continue
			}
			count++
			t.Run(line, func(t *testing.T) {
				script := strings.NewReplacer("sio-gnet load", `"$0" load`, ">50ms", ">1h", "http://localhost:3000", server.url,
					`"$(pgrep -f 'serve --app bench')"`, fmt.Sprint(server.cmd.Process.Pid),
					"--clients 1000 ", "--clients 100 ", "--clients 5000 ", "--clients 100 ").Replace(line)
				if !strings.Contains(line, " compare ") {
					script += " --duration 300ms --warmup 50ms"
				}
				ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
				defer cancel()
				cmd := command(ctx, nil)
				cmd.Args = []string{"sh", "-c", script, cmd.Path}
				cmd.Path = "/bin/sh"
				cmd.Dir = dir
				cmd.WaitDelay = time.Second
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
	if count < 10 {
		t.Errorf("%d commands were found", count)
	}
}
