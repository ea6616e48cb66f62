package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#{1,6} +(.*)$`)
	// What GitHub leaves out of the anchor of a heading.
	unanchored = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// brokenLinks returns the links of a page that lead to no file or heading of the
// repository. Addresses of other sites are not looked at.
func brokenLinks(name, text string, read func(name string) (string, error)) (broken []string) {
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			page := text
			if target != "" {
				var err error
				if page, err = read(filepath.Join(filepath.Dir(name), target)); err != nil {
					broken = append(broken, fmt.Sprintf("%s:%d: %v", name, i+1, err))
					continue
				}
			}
			if anchor != "" && !anchors(page)[anchor] {
				broken = append(broken, fmt.Sprintf("%s:%d: %s has no such heading", name, i+1, m[1]))
			}
		}
	}
	return broken
}

func anchors(page string) map[string]bool {
	found := make(map[string]bool)
	for line := range strings.Lines(page) {
		if m := heading.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			found[strings.ReplaceAll(unanchored.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
		}
	}
	return found
}

func TestLinks(t *testing.T) {
	read := func(name string) (string, error) {
		path := filepath.Join(root, name)
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return "", err
		}
		text, err := os.ReadFile(path)
		return string(text), err
	}
	pages := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, path)
		switch {
		case err != nil || relErr != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		pages++
		text, err := read(name)
		for _, problem := range brokenLinks(name, text, read) {
			t.Error(problem)
		}
		return err
	})
	if err != nil || pages < 10 {
		t.Errorf("%d pages: %v", pages, err)
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	read := func(name string) (string, error) {
		if name != "docs/other.md" {
			return "", fs.ErrNotExist
		}
		return "# One, two: `three`\n", nil
	}
	page := "# Here\n[a](#here) [b](other.md) [c](other.md#one-two-three) [d](https://example.com/x)\n`[e](nowhere)`\n```\n[f](nowhere)\n```\n" +
		"[g](nowhere.md)\n[h](#there) ![i](other.md#four)\n"
	got := strings.Join(brokenLinks("docs/page.md", page, read), "\n")
	want := "docs/page.md:7: file does not exist\ndocs/page.md:8: #there has no such heading\ndocs/page.md:8: other.md#four has no such heading"
	if got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
}
