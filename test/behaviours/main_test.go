package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPageIsUpToDate holds docs/behaviours.md to the tests.
func TestPageIsUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	want, err := makePage(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, outputFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/behaviours.md is out of date: run `make behaviours`")
	}
}

func TestFindNumbers(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "[]"},
		{"shows E43, and W8 (S3.11).", "[E43 W8 S3.11]"},
		{"E15 to E18", "[E15 E16 E17 E18]"},
		{"S5.2-S5.4 E9–E10", "[S5.2 S5.3 S5.4 E9 E10]"},
		{"E3 to W1, E5 to E2", "[E3 W1 E5 E2]"},
		{"S5.2 to S6.1", "[S5.2 S6.1]"},
		{"E0 E1000 S3 XE1 E1x e1 S0.1 E01", "[]"},
	} {
		if got := fmt.Sprint(findNumbers(tt.text)); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestParseSource(t *testing.T) {
	sections, err := parseSource("# comment\n#\n\n## One\nE1 first\n  differs: why\nE2 second\n\n## Two\nS3.11 third\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sections {
		for _, l := range s.lines {
			got = append(got, fmt.Sprint(s.title, " ", l.number, " ", l.text, " ", l.differs))
		}
	}
	if got := strings.Join(got, "|"); got != "One E1 first why|One E2 second |Two S3.11 third " {
		t.Error(got)
	}
	for _, tt := range []struct{ name, source string }{
		{"no section", "E1 first"},
		{"no number", "## One\nfirst"},
		{"no description", "## One\nE1"},
		{"twice", "## One\nE1 a\nE1 b"},
		{"differs from nothing", "## One\n  differs: why"},
		{"differs twice", "## One\nE1 a\n  differs: x\n  differs: y"},
		{"indented", "## One\n E1 a"},
	} {
		if _, err := parseSource(tt.source); !errors.Is(err, errSource) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// tree makes a folder with files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const goTests = `package p

// E1 beside all tests

// TestA shows E2.
func TestA(t *testing.T) {
	run("E3, E4: case")
	run("the E5 of a text")
	// and E6
}

func helper() {} // E7
func BenchmarkB(b *testing.B) {} // E8 is behind it
`

const nodeChecks = `// E1
import x;
export default function (checks) {
  // E2 to E3
  checks.add("first", async () => {
    // E4
    const url = "http://E5";
  });

  checks.add(` + "`second ${n}`" + `, async () => {}); // E6
  // E7
}
`

const pythonChecks = `# E1
async def first():
    # E2
    pass

# E3
def second(): pass
`

const javaChecks = `// E8
class F {
  // E2
  private static void first() {
    // E4
  }

  private static void second() {} // E3
}
`

func TestCollect(t *testing.T) {
	root := tree(t, map[string]string{
		"p/a_test.go":                          goTests,
		"p/a.go":                               "package p // E9\n",
		"p/testdata/b_test.go":                 "package p // E9\n",
		"test/behaviours/main_test.go":         "package main // E9\n",
		"test/clients/node/checks/c.mjs":       nodeChecks,
		"test/clients/node/node_modules/d.mjs": "// E9\n",
		"other/e.mjs":                          "// E9\n",
		"test/clients/python/f.py":             pythonChecks,
		"test/clients/java/F.java":             javaChecks,
	})
	found, err := collect(root)
	if err != nil {
		t.Fatal(err)
	}
	const (
		goFile = "p/a_test.go"
		node   = "test/clients/node/checks/c.mjs"
		python = "test/clients/python/f.py"
		java   = "test/clients/java/F.java"
	)
	for n, want := range map[string]string{
		"E1": fmt.Sprint([]mention{{goFile, ""}, {node, "first"}, {python, "first"}}),
		"E2": fmt.Sprint([]mention{{goFile, "TestA"}, {java, "first"}, {node, "first"}, {python, "first"}}),
		"E3": fmt.Sprint([]mention{{goFile, "TestA"}, {java, "second"}, {node, "first"}, {python, "second"}}),
		"E4": fmt.Sprint([]mention{{goFile, "TestA"}, {java, "first"}, {node, "first"}}),
		"E5": "[]",
		"E6": fmt.Sprint([]mention{{goFile, "TestA"}, {node, "second ${n}"}}),
		"E7": fmt.Sprint([]mention{{goFile, ""}, {node, ""}}),
		"E8": fmt.Sprint([]mention{{goFile, ""}, {java, "first"}}),
		"E9": "[]",
	} {
		number, _ := parseNumber(n)
		if got := fmt.Sprint(found[number]); got != want {
			t.Errorf("%s: %v, want %v", n, got, want)
		}
	}
}

func TestMakePage(t *testing.T) {
	files := map[string]string{
		"docs/behaviours.txt": "## Part\nE1 a|b\n  differs: c\nE2 more\n",
		"p/a_test.go":         "package p\n\n// E1, S9.9\nfunc TestB() {}\n\nfunc TestA() {} \n",
		"p/b_test.go":         "package p\n\n// E1\nfunc TestC() {}\n\n// E1\nfunc TestA_b() {}\n",
	}
	root := tree(t, files)
	if err := generate(root); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, outputFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n2 lines, 1 with a test, 1 without, 1 where we differ.\n",
		"\n## Part\n",
		"\n| E1 | a\\|b | [p/a_test.go](../p/a_test.go): TestB<br>[p/b_test.go](../p/b_test.go): TestA\\_b, TestC | c |\n",
		"\n| E2 | more | *no test yet* |  |\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}

	files["p/c_test.go"] = "package p\n\n// E3\n"
	if _, err := makePage(tree(t, files)); !errors.Is(err, errUnknown) {
		t.Errorf("an unknown number: %v", err)
	}
}
