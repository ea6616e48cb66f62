package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// errUnknown says that a test names a number that is not described.
var errUnknown = errors.New("a test names a behaviour that is not described")

// check fails on numbers that nobody describes, of the letters that are.
func check(sections []section, found mentions) error {
	described := make(map[number]bool)
	letters := make(map[string]bool)
	for _, s := range sections {
		for _, l := range s.lines {
			described[l.number], letters[l.number.letter] = true, true
		}
	}
	var errs []error
	for n, where := range found {
		if letters[n.letter] && !described[n] {
			errs = append(errs, fmt.Errorf("%w: %v in %s %s", errUnknown, n, where[0].file, where[0].test))
		}
	}
	return errors.Join(errs...)
}

// render makes the page.
func render(sections []section, found mentions) []byte {
	var lines, tested, differ int
	for _, s := range sections {
		for _, l := range s.lines {
			lines++
			if len(found[l.number]) > 0 {
				tested++
			}
			if l.differs != "" {
				differ++
			}
		}
	}
	var b bytes.Buffer
	b.WriteString("# Behaviours\n\n<!-- Written by `make behaviours` from behaviours.txt and the tests: don't edit. -->\n\n")
	b.WriteString("What the protocols' reference server does, by number, and which tests show that this one does so, too.\n")
	b.WriteString("E are lines of Engine.IO, S of Socket.IO, and W weaknesses of the reference that are better not copied.\n\n")
	fmt.Fprintf(&b, "%d lines, %d with a test, %d without, %d where we differ.\n", lines, tested, lines-tested, differ)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n| | Behaviour | Shown by | Where we differ |\n|---|---|---|---|\n", s.title)
		for _, l := range s.lines {
			fmt.Fprintf(&b, "| %v | %s | %s | %s |\n", l.number, cell(l.text), renderTests(found[l.number]), cell(l.differs))
		}
	}
	return b.Bytes()
}

// renderTests lists tests by file.
func renderTests(where []mention) string {
	if len(where) == 0 {
		return "*no test yet*"
	}
	byFile := make(map[string][]string)
	for _, w := range where {
		if !slices.Contains(byFile[w.file], w.test) {
			byFile[w.file] = append(byFile[w.file], w.test)
		}
	}
	var files []string
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		tests := byFile[file]
		slices.Sort(tests)
		tests = slices.DeleteFunc(tests, func(test string) bool { return test == "" })
		link := fmt.Sprintf("[%s](../%s)", file, file)
		if len(tests) > 0 {
			link += ": " + plain(strings.Join(tests, ", "))
		}
		files = append(files, link)
	}
	return strings.Join(files, "<br>")
}

// cell keeps a text from ending its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// plain keeps a name from becoming markup.
func plain(name string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(cell(name))
}
