// Package docs type-checks every line of Go in the documentation, README.md and
// docs/*.md.
package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

func TestSnippets(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	c := newChecker(t)
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		name, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		c.add(name, string(text))
	}
	for _, problem := range c.check() {
		t.Error(problem)
	}
	t.Logf("%d snippets", c.count)
}

// A mistake is found, and said to be where it is in the page.
func TestMistakesAreFound(t *testing.T) {
	for name, tt := range map[string]struct{ page, want string }{
		"program":        {"x\n```go\npackage main\n\nfunc main() { nothing() }\n```\n", "page.md:5: undefined: nothing"},
		"unused import":  {"```go\npackage main\n\nimport \"fmt\"\n\nfunc main() {}\n```\n", `page.md:4: "fmt" imported and not used`},
		"declaration":    {"```go\nfunc f() int { return sio.Nothing }\n```\n", "page.md:2: undefined: sio.Nothing"},
		"statement":      {"<!-- go: s -->\n\n```go\ns.Emit()\n```\n", "page.md:4: not enough arguments in call to s.Emit"},
		"no scope":       {"```go\ns.Emit(\"a\")\n```\n", "page.md:2: undefined: s"},
		"unknown name":   {"<!-- go: nobody -->\n```go\nx := 1\n```\n", `page.md:3: nobody knows the type of "nobody"`},
		"type of scope":  {"<!-- go: x Nothing -->\n```go\n_ = x\n```\n", "page.md:3: undefined: Nothing"},
		"syntax":         {"<!-- go: s -->\n```go\ns.Emit(\n```\n", "page.md:4: expected operand"},
		"span":           {"<!-- go table: s -->\n\n| Node | Go |\n|---|---|\n| a | `s.Nothing()` |\n", "page.md:5: s.Nothing undefined"},
		"span of option": {"<!-- go table: options -->\n| Go |\n|---|\n| `Options.Nothing` |\n", "page.md:4: options.Nothing undefined"},
		"no column":      {"<!-- go table: s -->\n| Node |\n|---|\n", "page.md:2: the table has no column Go"},
		"no end":         {"```go\nx\n", "page.md:3: the block has no end"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChecker(t)
			c.add("page.md", tt.page)
			problems := c.check()
			if len(problems) == 0 || !strings.HasPrefix(problems[0], tt.want) {
				t.Errorf("found %q, want %q", problems, tt.want)
			}
		})
	}
}

func TestGoodSnippets(t *testing.T) {
	c := newChecker(t)
	c.add("page.md", "```go\npackage main\n\nfunc main() {}\n```\n"+
		"```go\ntype user struct{ name string }\n```\n"+
		"<!-- go: s, u user -->\n```go\nname := strings.ToUpper(u.name)\ns.Emit(\"a\", u.name)\n```\n"+
		"<!-- go table: s, io, options -->\n| Go | |\n|---|---|\n"+
		"| `s.ID()`, `s.Disconnect(true)`, `Options.Path`, `*sio.PanicError`, `sio.ReasonParseError` | `anything()` |\n| `s.SetData(1); _ = s.Data()` | |\n")
	if problems := c.check(); len(problems) > 0 || c.count != 9 {
		t.Errorf("%d snippets: %q", c.count, problems)
	}
}

// checker type-checks the snippets of pages. Declarations of one page are seen
// by its other snippets; programs stand alone.
type checker struct {
	tb       testing.TB
	fset     *token.FileSet
	packages []*pkg
	problems []string
	count    int
}

type pkg struct {
	files []*ast.File
	loose map[*ast.File]bool
}

func newChecker(tb testing.TB) *checker {
	tb.Helper()
	return &checker{tb: tb, fset: token.NewFileSet()}
}

func (c *checker) add(name, text string) {
	found, err := snippets(name, text)
	if err != nil {
		c.problems = append(c.problems, err.Error())
	}
	page := &pkg{loose: make(map[*ast.File]bool)}
	for _, s := range found {
		c.count++
		f, err := s.parse(c.fset)
		switch {
		case err != nil:
			c.problems = append(c.problems, err.Error())
		case f.program:
			c.packages = append(c.packages, &pkg{files: []*ast.File{f.File}})
		default:
			page.files = append(page.files, f.File)
			page.loose[f.File] = f.loose
		}
	}
	c.packages = append(c.packages, page)
}

// check returns what is wrong, with the places.
func (c *checker) check() []string {
	exports := c.exports()
	imp := importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%q is not to be had", path)
		}
		return os.Open(exports[path])
	})
	for _, p := range c.packages {
		conf := types.Config{Importer: imp, Error: func(err error) {
			var e types.Error
			if !errors.As(err, &e) || p.forgives(e) {
				return
			}
			c.problems = append(c.problems, fmt.Sprintf("%s: %s", c.fset.Position(e.Pos), e.Msg))
		}}
		_, _ = conf.Check("p", c.fset, p.files, nil) // its error went to conf.Error
	}
	return c.problems
}

// forgives reports whether an error is none in statements that are an extract.
func (p *pkg) forgives(e types.Error) bool {
	if !strings.HasPrefix(e.Msg, "declared and not used") {
		return false
	}
	for f, loose := range p.loose {
		if loose && f.FileStart <= e.Pos && e.Pos <= f.FileEnd {
			return true
		}
	}
	return false
}

// exports builds what the snippets import, and returns where the compiler left
// what it exports.
func (c *checker) exports() map[string]string {
	c.tb.Helper()
	paths := make(map[string]bool)
	for _, p := range c.packages {
		for _, f := range p.files {
			for _, spec := range f.Imports {
				if path, err := strconv.Unquote(spec.Path.Value); err == nil {
					paths[path] = true
				}
			}
		}
	}
	if len(paths) == 0 {
		return nil
	}
	args := []string{"list", "-export", "-deps", "-e", "-json=ImportPath,Export"}
	for path := range paths {
		args = append(args, path)
	}
	out, err := exec.CommandContext(c.tb.Context(), "go", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		c.tb.Fatal(err)
	}
	exports := make(map[string]string)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return exports
		} else if err != nil {
			c.tb.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
}
