package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// mention is a place where a test names a behaviour.
type mention struct {
	file string // relative to the module's root, with slashes
	test string // a function or a check; empty if it is beside all of them
}

// mentions are all places by number, each once and in order.
type mentions map[number][]mention

func (m mentions) add(text string, where mention) {
	for _, n := range findNumbers(text) {
		known := false
		for _, other := range m[n] {
			known = known || other == where
		}
		if !known {
			m[n] = append(m[n], where)
		}
	}
}

// collect looks through all tests below a folder.
func collect(root string) (mentions, error) {
	found := make(mentions)
	//nolint:gosec // the folder is the user's own choice
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		file, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		client := strings.HasPrefix(file, "test/clients/")
		own := strings.HasPrefix(file, "test/behaviours/") // its tests are full of numbers that show nothing
		switch {
		case strings.HasSuffix(name, "_test.go") && !own:
			return found.collectGo(path, file)
		case client && strings.HasSuffix(name, ".mjs"):
			return found.collectScript(path, file, "//", checkName)
		case client && strings.HasSuffix(name, ".py"):
			return found.collectScript(path, file, "#", functionName)
		case client && strings.HasSuffix(name, ".java"):
			return found.collectScript(path, file, "//", methodName)
		}
		return nil
	})
	return found, err
}

// collectGo takes comments, and strings that begin with a number.
func (m mentions) collectGo(path, file string) error {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	where := func(at token.Pos) mention {
		for _, decl := range tree.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || at > fn.End() || !isTest(fn.Name.Name) {
				continue
			}
			if at >= fn.Pos() || fn.Doc != nil && at >= fn.Doc.Pos() {
				return mention{file, fn.Name.Name}
			}
		}
		return mention{file: file}
	}
	for _, group := range tree.Comments {
		for _, c := range group.List {
			m.add(c.Text, where(c.Pos()))
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				m.add(caseName.FindString(text), where(lit.Pos()))
			}
		}
		return true
	})
	return nil
}

// caseName is the beginning of a case's name: numbers, then words.
var caseName = regexp.MustCompile(`^(?:` + numberPattern + `(?: to |, | and |,| )?)+(?:[: ]|$)`)

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") || strings.HasPrefix(name, "Example") || strings.HasPrefix(name, "Benchmark")
}

var (
	checkName    = regexp.MustCompile("^\\s*checks\\.add\\([\"`](.*)[\"`], ")
	functionName = regexp.MustCompile(`^\s*(?:async )?def (\w+)\(`)
	methodName   = regexp.MustCompile(`^\s*private static void (\w+)\(`)
)

// collectScript takes comments: one that is further in than the test above it
// belongs to that, any other to the next test.
func (m mentions) collectScript(path, file, comment string, name *regexp.Regexp) error {
	data, err := os.ReadFile(path) //nolint:gosec // a file of this module
	if err != nil {
		return err
	}
	var (
		current mention
		depth   = -1 // of the current test
		waiting []string
	)
	for text := range strings.Lines(string(data)) {
		indent := len(text) - len(strings.TrimLeft(text, " "))
		if match := name.FindStringSubmatch(text); match != nil {
			current, depth = mention{file, match[1]}, indent
			for _, w := range waiting {
				m.add(w, current)
			}
			waiting = nil
		}
		// With the space that keeps URLs out.
		before, remark, found := strings.Cut(" "+text, " "+comment)
		switch {
		case !found:
		case depth >= 0 && indent > depth || strings.TrimSpace(before) != "":
			m.add(remark, current)
		default:
			waiting = append(waiting, remark)
		}
	}
	for _, w := range waiting {
		m.add(w, mention{file: file})
	}
	return nil
}
