package main

import (
	"regexp"
	"strconv"
	"strings"
)

// number is a behaviour's number: E43 is {"E", 0, 43}, S3.11 is {"S", 3, 11}.
type number struct {
	letter      string
	group, item int
}

func (n number) String() string {
	if n.group > 0 {
		return n.letter + strconv.Itoa(n.group) + "." + strconv.Itoa(n.item)
	}
	return n.letter + strconv.Itoa(n.item)
}

// E and W are counted through, S has groups; a bare S3 is no number.
const numberPattern = `(?:[EW][1-9][0-9]{0,2}|S[1-9][0-9]?\.[1-9][0-9]?)`

var (
	numbers = regexp.MustCompile(`\b` + numberPattern + `\b(?:(?: to |-|–)` + numberPattern + `\b)?`)
	whole   = regexp.MustCompile(`^` + numberPattern + `$`)
)

// parseNumber reads one number.
func parseNumber(s string) (number, bool) {
	if !whole.MatchString(s) {
		return number{}, false
	}
	n := number{letter: s[:1]}
	group, item, found := strings.Cut(s[1:], ".")
	if !found {
		group, item = "0", group
	}
	n.group, _ = strconv.Atoi(group) // the pattern has digits only
	n.item, _ = strconv.Atoi(item)
	return n, true
}

// findNumbers returns the numbers that a text names, ranges such as "E15 to E18"
// with all between.
func findNumbers(text string) []number {
	var found []number
	for _, match := range numbers.FindAllString(text, -1) {
		ends := regexp.MustCompile(numberPattern).FindAllString(match, 2)
		first, _ := parseNumber(ends[0])
		last, _ := parseNumber(ends[len(ends)-1])
		if first.letter != last.letter || first.group != last.group || last.item < first.item {
			found = append(found, first, last)
			continue
		}
		for n := first; n.item <= last.item; n.item++ {
			found = append(found, n)
		}
	}
	return found
}
