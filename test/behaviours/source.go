package main

import (
	"errors"
	"fmt"
	"strings"
)

// section is a part of the page.
type section struct {
	title string
	lines []line
}

// line is one behaviour.
type line struct {
	number  number
	text    string
	differs string // why this server does something else; mostly empty
}

// errSource says that the source is not well formed.
var errSource = errors.New("bad line")

// parseSource reads the descriptions:
//
//	## Title of a section
//	E43 what happens
//	  differs: why we do something else
//
// Empty lines and others that begin with "#" are left out.
func parseSource(source string) ([]section, error) {
	var (
		sections []section
		seen     = make(map[number]bool)
	)
	for i, text := range strings.Split(source, "\n") {
		fail := func(why string) ([]section, error) {
			return nil, fmt.Errorf("%w %d: %s", errSource, i+1, why)
		}
		if title, ok := strings.CutPrefix(text, "## "); ok {
			sections = append(sections, section{title: title})
			continue
		}
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if len(sections) == 0 {
			return fail("before the first section")
		}
		lines := &sections[len(sections)-1].lines
		if why, ok := strings.CutPrefix(text, "  differs: "); ok {
			if len(*lines) == 0 || (*lines)[len(*lines)-1].differs != "" {
				return fail("differs from what?")
			}
			(*lines)[len(*lines)-1].differs = why
			continue
		}
		head, rest, _ := strings.Cut(text, " ")
		n, ok := parseNumber(head)
		switch {
		case !ok:
			return fail("it begins with no number")
		case rest == "":
			return fail("no description")
		case seen[n]:
			return fail(n.String() + " was there before")
		}
		seen[n] = true
		*lines = append(*lines, line{number: n, text: rest})
	}
	return sections, nil
}
