// Package arch holds the directions in which the packages of this module may
// import each other. It looks at source files only, test files left out.
package arch

import (
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the import path of the root package.
const module = "github.com/sio-gnet/sio-gnet"

// rule says what the packages below a folder may import.
type rule struct {
	dir string // relative to the module's root; "." is the root package alone

	// ours are the folders of this module that may be imported, besides what is
	// below dir itself. nil: nothing of ours.
	ours []string

	// not are import paths of others that must not be imported, with all below.
	not []string
}

// reactor are the packages that only the reactor may know; frames is what it
// shares with the sessions.
var (
	reactor = []string{"github.com/panjf2000/gnet", "golang.org/x/sys", "syscall"}
	frames  = []string{"github.com/gobwas/ws"}
)

// inputOutput is what codecs and the broadcaster do without.
var inputOutput = slices.Concat(reactor, frames, []string{"net", "net/http", "os"})

// rules has every folder with Go code. Imports point one way:
// cmd → sio → engine → loop, and the codecs know nobody.
var rules = []rule{
	{dir: "codec/engineio", not: inputOutput},
	{dir: "codec/socketio", not: inputOutput},
	{dir: "codec/msgpack", ours: []string{"codec/socketio"}, not: inputOutput}, // and nothing has to import it
	{dir: "internal", not: inputOutput},
	{dir: "internal/testkit", not: slices.Concat(reactor, frames)},  // it starts programs
	{dir: "internal/testhost", not: slices.Concat(reactor, frames)}, // it is a net/http server
	{dir: "loop", ours: []string{"internal"}},
	{dir: "engine", ours: []string{"loop", "codec/engineio", "internal"}, not: reactor},
	{dir: "broadcast", ours: []string{"internal"}, not: append([]string{"encoding/json", "github.com/bytedance/sonic"}, inputOutput...)},
	{
		dir:  ".",
		ours: []string{"engine", "loop", "broadcast", "codec/socketio", "internal"},
		not:  slices.Concat(reactor, frames),
	},
	{
		dir:  "siotest", // it makes sockets and frames, and hears from the kernel what is in them
		ours: []string{".", "codec/socketio", "internal"},
		not:  []string{"github.com/panjf2000/gnet"},
	},
	{dir: "clientbundle", not: slices.Concat(reactor, frames)},
	// The command needs signals, hence syscall.
	{
		dir:  "cmd",
		ours: []string{".", "clientbundle"},
		not:  append([]string{"github.com/panjf2000/gnet", "golang.org/x/sys"}, frames...),
	},
	// The load generator is a client of its own: sockets and frames are its trade, and it
	// shares only the codecs with the server.
	{dir: "cmd/sio-gnet/internal/load", ours: []string{"codec"}},
	{dir: "cmd/sio-gnet/internal/load/wire", not: append([]string{"net", "net/http", "os"}, reactor...)},
	{dir: "cmd/sio-gnet/internal/load/client", ours: []string{"codec", "cmd/sio-gnet/internal/load/wire"}, not: append([]string{"net", "net/http", "os", "time"}, reactor...)},
	{dir: "cmd/sio-gnet/internal/load/stats", not: slices.Concat(reactor, frames)},
	{dir: "cmd/sio-gnet/internal/load/scenario", ours: []string{"cmd/sio-gnet/internal/load"}, not: slices.Concat(reactor, frames, []string{"net"})},
	{dir: "cmd/sio-gnet/internal/apps/apptest", ours: []string{".", "siotest", "internal/testkit", "cmd/sio-gnet/internal/apps"}, not: reactor},
	// A program needs signals, hence syscall.
	{dir: "examples", ours: []string{".", "clientbundle", "codec/msgpack"}, not: append([]string{"github.com/panjf2000/gnet", "golang.org/x/sys"}, frames...)},
	{dir: "examples/engine", ours: []string{"engine", "loop"}, not: slices.Concat(reactor, frames)},
	{dir: "test", ours: []string{".", "codec/msgpack"}},
	// It serves bare Engine.IO, too, as nothing else does.
	{dir: "test/conformance", ours: []string{".", "engine", "loop"}, not: slices.Concat([]string{"github.com/panjf2000/gnet", "golang.org/x/sys"}, frames)},
	{dir: "bench"},
	{dir: "bench/internal/testserver", ours: []string{"."}},
	{dir: "bench/limit"}, // what there is below a server, so nothing of ours
}

func TestImportDirections(t *testing.T) {
	root := moduleRoot(t)
	for dir, pkg := range packages(t, root) {
		t.Run(dir, func(t *testing.T) {
			r, ok := ruleFor(dir)
			if !ok {
				t.Fatalf("no rule for %s: add one to the table", dir)
			}
			for _, path := range pkg.Imports {
				if reason := r.refuses(path); reason != "" {
					t.Errorf("imports %s: %s", path, reason)
				}
			}
		})
	}
}

// refuses says why the rule does not allow an import, or "".
func (r rule) refuses(path string) string {
	for _, no := range r.not {
		if path == no || strings.HasPrefix(path, no+"/") && strings.Contains(no, ".") {
			return "not for " + r.dir
		}
	}
	target, ours := folder(path)
	if !ours || r.dir != "." && within(target, r.dir) {
		return ""
	}
	for _, allowed := range r.ours {
		if allowed == "." && target == "." || allowed != "." && within(target, allowed) {
			return ""
		}
	}
	return r.dir + " may not import " + target
}

// ruleFor finds the rule with the longest folder that holds dir.
func ruleFor(dir string) (found rule, ok bool) {
	for _, r := range rules {
		if (r.dir == dir || r.dir != "." && within(dir, r.dir)) && (!ok || len(r.dir) > len(found.dir)) {
			found, ok = r, true
		}
	}
	return found, ok
}

// folder turns an import path of this module into a folder.
func folder(path string) (dir string, ours bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// within says whether dir is folder or below it.
func within(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return root
}

// packages reads the imports of every package of the module, for the platform
// that the test runs on, by folder.
func packages(t *testing.T, root string) map[string]*build.Package {
	t.Helper()
	found := make(map[string]*build.Package)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		pkg, err := build.ImportDir(path, 0)
		if none := (*build.NoGoError)(nil); errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if len(pkg.GoFiles) > 0 {
			found[filepath.ToSlash(dir)] = pkg
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found["."] == nil {
		t.Fatal("the root package was not found")
	}
	return found
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		dir, path string
		allowed   bool
	}{
		{".", module + "/engine", true},
		{".", module + "/loop", true},
		{".", module + "/cmd/sio-gnet", false},
		{".", "github.com/panjf2000/gnet/v2", false},
		{".", "golang.org/x/sys/unix", false},
		{".", "net/http", true},
		{".", "github.com/gobwas/ws", false},
		{".", module + "/siotest", false},
		{"siotest", module, true},
		{"siotest", module + "/loop", false},
		{"engine", module + "/loop", true},
		{"engine", module, false},
		{"engine", "github.com/gobwas/ws", true},
		{"engine", "github.com/panjf2000/gnet/v2", false},
		{"engine", module + "/codec/socketio", false},
		{"loop", module + "/loop/internal/http1", true},
		{"loop", module + "/engine", false},
		{"loop", module + "/codec/engineio", false},
		{"loop", "github.com/panjf2000/gnet/v2", true},
		{"loop/internal/http1", module + "/loop", true},
		{"codec/socketio", module + "/codec/engineio", false},
		{"codec/socketio", "net/http", false},
		{"codec/socketio", "net/netip", true},
		{"codec/msgpack", module + "/codec/socketio", true},
		{"codec/socketio", module + "/codec/msgpack", false},
		{".", module + "/codec/msgpack", false},
		{"broadcast", module + "/loop", false},
		{"cmd/sio-gnet/internal/apps/chat", module, true},
		{"cmd/sio-gnet", module + "/engine", false},
		{"cmd/sio-gnet/internal/load/client", module + "/loop", false},
		{"cmd/sio-gnet/internal/load/client", "net", false},
		{"cmd/sio-gnet/internal/load/reactor", "github.com/panjf2000/gnet/v2", true},
		{"cmd/sio-gnet/internal/load/scenario", module, false},
		{"test/e2e", module + "/engine", false},
		{"test/conformance", module + "/engine", true},
		{"test/conformance", module + "/codec/engineio", false},
	} {
		t.Run(tt.dir+" imports "+tt.path, func(t *testing.T) {
			r, ok := ruleFor(tt.dir)
			if !ok {
				t.Fatal("no rule")
			}
			if reason := r.refuses(tt.path); (reason == "") != tt.allowed {
				t.Errorf("allowed = %v (%s), want %v", reason == "", reason, tt.allowed)
			}
		})
	}
}
