package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// snippet is Go in a page: a block fenced by ```go, or a code span in a table.
type snippet struct {
	file  string
	line  int // of its first line
	text  string
	scope []string // what a comment in front says is there, as names or "name Type"
	span  bool
}

var (
	blockScope = regexp.MustCompile(`^<!-- go: (.*) -->$`)
	tableScope = regexp.MustCompile(`^<!-- go table: (.*) -->$`)
	codeSpan   = regexp.MustCompile("`([^`]+)`")
)

// snippets finds the Go in a page. A comment in front of a block, such as
//
//	<!-- go: io, s, user User -->
//
// says which variables there are; see wellKnown for their types. In a table with the
// comment "go table:" in front of it, every code span of the column "Go" is Go.
func snippets(file, page string) (found []snippet, err error) {
	var (
		block       *snippet
		lines       []string
		scope       []string
		table       []string
		inTable     bool
		column      = -1
		where       = func(i int) error { return fmt.Errorf("%s:%d", file, i+1) }
		cellsOfLine = func(s string) []string {
			s = strings.ReplaceAll(s, `\|`, "\x00")
			cells := strings.Split(strings.Trim(s, "|"), "|")
			for i := range cells {
				cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
			}
			return cells
		}
	)
	for i, line := range strings.Split(page, "\n") {
		switch {
		case block != nil && line == "```":
			block.text = strings.Join(lines, "\n")
			found = append(found, *block)
			block, lines, scope = nil, nil, nil
		case block != nil:
			lines = append(lines, line)
		case line == "```go":
			block = &snippet{file: file, line: i + 2, scope: scope}
		case blockScope.MatchString(line):
			scope = splitScope(blockScope.FindStringSubmatch(line)[1])
		case tableScope.MatchString(line):
			table, inTable, column = splitScope(tableScope.FindStringSubmatch(line)[1]), false, -1
		case table != nil && strings.HasPrefix(line, "|"):
			cells := cellsOfLine(line)
			if !inTable {
				inTable = true
				if column = slices.Index(cells, "Go"); column < 0 {
					return nil, fmt.Errorf("%w: the table has no column Go", where(i))
				}
				continue
			}
			if column >= len(cells) {
				return nil, fmt.Errorf("%w: the row has %d columns", where(i), len(cells))
			}
			for _, span := range codeSpan.FindAllStringSubmatch(cells[column], -1) {
				found = append(found, snippet{file: file, line: i + 1, text: span[1], scope: table, span: true})
			}
		case inTable:
			table, inTable = nil, false
		}
	}
	if block != nil {
		return nil, fmt.Errorf("%w: the block has no end", where(block.line))
	}
	return found, nil
}

// splitScope splits at the commas that are not within brackets.
func splitScope(s string) (parts []string) {
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			parts, from = append(parts, strings.TrimSpace(s[from:i])), i+1
		}
	}
	return append(parts, strings.TrimSpace(s[from:]))
}

// wellKnown are the variables that a comment may name without their types.
var wellKnown = map[string]string{
	"io": "*sio.Server", "ns": "*sio.Namespace", "parent": "*sio.ParentNamespace", "s": "*sio.Socket",
	"b": "sio.Broadcast", "e": "*sio.Incoming", "ack": "sio.Ack", "reply": "sio.Reply", "remote": "*sio.RemoteSocket",
	"ctx": "context.Context", "options": "sio.Options", "engineOptions": "engine.Options", "handshake": "*sio.Handshake",
	"hooks": "engine.Hooks", "session": "*engine.Session", "cors": "sio.CORS", "deflate": "sio.Deflate",
	"args": "sio.RawArgs", "router": "*gin.Engine", "mux": "*http.ServeMux", "v": "any", "fn": "func(*sio.Socket)",
}

// imports are the packages that snippets use without saying so.
var imports = map[string]string{
	"sio": "github.com/sio-gnet/sio-gnet", "engine": "github.com/sio-gnet/sio-gnet/engine",
	"broadcast": "github.com/sio-gnet/sio-gnet/broadcast", "clientbundle": "github.com/sio-gnet/sio-gnet/clientbundle",
	"msgpack": "github.com/sio-gnet/sio-gnet/codec/msgpack", "siotest": "github.com/sio-gnet/sio-gnet/siotest",
	"jwt": "github.com/golang-jwt/jwt/v5", "gin": "github.com/gin-gonic/gin", "rate": "golang.org/x/time/rate",
	"sessions": "github.com/gin-contrib/sessions", "cookie": "github.com/gin-contrib/sessions/cookie",
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "json": "encoding/json", "log": "log",
	"net": "net", "netip": "net/netip", "os": "os", "regexp": "regexp", "slog": "log/slog", "sync": "sync",
	"testing": "testing", "time": "time", "url": "net/url", "strings": "strings", "slices": "slices", "signal": "os/signal",
	"syscall": "syscall", "atomic": "sync/atomic", "expvar": "expvar", "maps": "maps", "cmp": "cmp",
	"embed": "embed", "fs": "io/fs",
}

// file is a snippet as a file of Go.
type file struct {
	*ast.File
	program bool
	loose   bool // statements: what they declare need not be used
}

var optionsField = regexp.MustCompile(`\bOptions\.([A-Z])`)

// parse makes a file of a snippet: a program, declarations, statements or an
// expression. Its lines keep the numbers that they have in the page.
func (s snippet) parse(fset *token.FileSet) (file, error) {
	read := func(before, after string) (*ast.File, error) {
		src := fmt.Sprintf("%s\n//line %s:%d\n%s%s", before, s.file, s.line, s.text, after)
		return parser.ParseFile(fset, "", src, parser.ParseComments)
	}
	if strings.HasPrefix(s.text, "package ") {
		f, err := read("", "")
		return file{f, true, false}, err
	}
	if s.span {
		s.text = optionsField.ReplaceAllString(s.text, "options.$1")
		return s.parseSpan(read)
	}
	if f, err := read("package p", ""); err == nil {
		f, err = read("package p\n"+importsOf(f), "")
		return file{f, false, false}, err
	}
	return s.parseStatements(read)
}

func (s snippet) parseStatements(read func(before, after string) (*ast.File, error)) (file, error) {
	head, err := s.function()
	if err != nil {
		return file{}, err
	}
	f, err := read("package p\n"+head, "\n}")
	if err == nil {
		f, err = read("package p\n"+importsOf(f)+"\n"+head, "\n}")
	}
	return file{f, false, true}, err
}

// typeName is how a type looks, as opposed to a value of a package.
var (
	typeName  = regexp.MustCompile(`^\*?(sio|engine|broadcast|http|slog)\.[A-Z]\w*$`)
	valueName = regexp.MustCompile(`\.(Err|Reason|Code|Room(Created|Joined|Left|Deleted)|New|Inline|Default)\w*$`)
)

// parseSpan takes an expression, a type or a statement.
func (s snippet) parseSpan(read func(before, after string) (*ast.File, error)) (file, error) {
	e, err := parser.ParseExpr(s.text)
	if _, call := e.(*ast.CallExpr); call || err != nil {
		return s.parseStatements(read)
	}
	head, err := s.function()
	if err != nil {
		return file{}, err
	}
	before, after := head+" _ = ", "\n}"
	if typeName.MatchString(s.text) && !valueName.MatchString(s.text) {
		before, after = head+" _ = new(", ")\n}"
	}
	f, err := read("package p\n"+before, after)
	if err == nil {
		f, err = read("package p\n"+importsOf(f)+"\n"+before, after)
	}
	return file{f, false, true}, err
}

// function is the head of a function whose parameters are the snippet's scope.
func (s snippet) function() (string, error) {
	var params []string
	for _, name := range s.scope {
		if strings.Contains(name, " ") {
			params = append(params, name)
			continue
		}
		typ, ok := wellKnown[name]
		if !ok {
			return "", fmt.Errorf("%s:%d: nobody knows the type of %q", s.file, s.line, name)
		}
		params = append(params, name+" "+typ)
	}
	return fmt.Sprintf("//line %s:%d\nfunc _(%s) {", s.file, s.line, strings.Join(params, ", ")), nil
}

// importsOf imports what is used and declared nowhere in the file.
func importsOf(f *ast.File) string {
	var paths []string
	for _, id := range f.Unresolved {
		path, ok := imports[id.Name]
		if line := fmt.Sprintf("import %q", path); ok && !slices.Contains(paths, line) {
			paths = append(paths, line)
		}
	}
	for _, spec := range f.Imports { // it says so itself
		paths = slices.DeleteFunc(paths, func(line string) bool { return line == "import "+spec.Path.Value })
	}
	return strings.Join(paths, "; ")
}
