package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// server is one of those that are measured.
type server struct {
	name    string
	what    string // for the tables
	command []string
	needs   string // a file that is there if it is installed
	env     []string
	limit   bool // no server, but what bounds them
}

// all are the servers, with paths below the folder where they are installed.
func all(binary, dir string) []server {
	in := func(path ...string) string { return filepath.Join(append([]string{dir}, path...)...) }
	serve := []string{binary, "serve", "--app", "bench", "--addr", "127.0.0.1:0", "--loops", "1", "--log-level", "error"}
	return []server{
		{name: "sio-gnet", what: "this server, inline handlers", command: serve, needs: binary},
		{name: "sio-gnet on goroutines", what: "this server, handlers on goroutines, as programs have them by default", command: append(slices.Clone(serve), "--blocking-handlers"), needs: binary},
		{name: "node", what: "socket.io 4.8.4 on ws, Node", command: []string{"node", in("node", "server.mjs")}, needs: in("node", "node_modules", "socket.io"), env: []string{"NODE_ENV=production"}},
		{name: "bun", what: "socket.io 4.8.4 on @socket.io/bun-engine 0.1.2, Bun 1.4.5", command: []string{in("bun", "node_modules", ".bin", "bun"), in("bun", "server.mjs")}, needs: in("bun", "node_modules", ".bin", "bun")},
		{name: "rust", what: "socketioxide 0.18.9 on axum, tokio with one thread", command: []string{in("rust", "bench")}, needs: in("rust", "bench")},
		{name: "zishang520", what: "zishang520/socket.io 3.0.6, Go, GOMAXPROCS=1", command: []string{in("zishang520", "bench")}, needs: in("zishang520", "bench"), env: []string{"GOMAXPROCS=1"}},
		{name: "python", what: "python-socketio 5.18.1, uvicorn on uvloop", command: []string{in("python", "venv", "bin", "python"), in("python", "server.py")}, needs: in("python", "venv", "bin", "python")},
		{name: "netty", what: "netty-socketio 2.0.14, epoll", command: []string{"java", "-cp", in("netty", "jars", "*") + ":" + in("netty", "classes"), "bench.Bench"}, needs: in("netty", "classes", "bench", "Bench.class")},
		{name: "bare gnet", what: "no server: gnet, one write an answer", command: []string{in("limit", "gnet")}, needs: in("limit", "gnet"), limit: true},
		{name: "bare epoll", what: "no server: the system calls alone", command: []string{in("limit", "epoll")}, needs: in("limit", "epoll"), limit: true},
		{name: "bare epoll merging", what: "no server: one write for all that a round of events has", command: []string{in("limit", "epoll"), "-merge"}, needs: in("limit", "epoll"), limit: true},
	}
}

// available returns the servers that are installed and asked for, and the names of
// those that are not installed.
func available(binary, dir, only string) (found []server, missing []string) {
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, s := range all(binary, dir) {
		if len(wanted) > 0 && !slices.Contains(wanted, s.name) {
			continue
		}
		if _, err := os.Stat(s.needs); err != nil {
			missing = append(missing, s.name)
			continue
		}
		found = append(found, s)
	}
	return found, missing
}

func describe(servers []server) map[string]string {
	about := make(map[string]string)
	for _, s := range servers {
		about[s.name] = s.what
	}
	return about
}
