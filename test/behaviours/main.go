// Command behaviours writes docs/behaviours.md: each behaviour of the protocols'
// reference server by its number, with the tests that show it and where this
// server differs.
//
// What a line says and why we differ stands in docs/behaviours.txt. Which tests
// show it is collected from the tests themselves: they name numbers such as E43
// or W8, also "E15 to E18", in their comments, and Go tests at the beginning of a
// case's name, too.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := generate(root); err != nil {
		fmt.Fprintln(os.Stderr, "behaviours:", err)
		os.Exit(1)
	}
}

// Where the files are, below the module's root.
var (
	sourceFile = filepath.Join("docs", "behaviours.txt")
	outputFile = filepath.Join("docs", "behaviours.md")
)

func generate(root string) error {
	page, err := makePage(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, outputFile), page, 0o644) //nolint:gosec // documentation, in the user's own folder
}

// makePage returns what the page should hold.
func makePage(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, sourceFile)) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	sections, err := parseSource(string(source))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sourceFile, err)
	}
	mentions, err := collect(root)
	if err != nil {
		return nil, err
	}
	if err := check(sections, mentions); err != nil {
		return nil, err
	}
	return render(sections, mentions), nil
}
