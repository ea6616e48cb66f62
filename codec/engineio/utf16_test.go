package engineio

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// prefixByRunes is a plain reading of what utf16Prefix says, for valid UTF-8.
func prefixByRunes(s string, n int) int {
	for i, r := range s {
		if n == 0 {
			return i
		}
		if n -= utf16.RuneLen(r); n < 0 {
			return -1
		}
	}
	if n > 0 {
		return -1
	}
	return len(s)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// checkUTF16 compares with the standard library.
func checkUTF16(t *testing.T, s string) {
	t.Helper()
	units := len(utf16.Encode([]rune(s)))
	if got, valid := utf16Len([]byte(s)); got != units || valid != utf8.ValidString(s) {
		t.Errorf("%q has %d units, valid %v; got %d, %v", s, units, utf8.ValidString(s), got, valid)
	}
	if !utf8.ValidString(s) {
		for n := range len(s) + 2 { // any end will do, but inside
			if end, _ := utf16Prefix([]byte(s), n); end > len(s) || end < -1 {
				t.Errorf("%q: %d units end at %d", s, n, end)
			}
		}
		return
	}
	for n := range units + 2 {
		want := prefixByRunes(s, n)
		end, ascii := utf16Prefix([]byte(s), n)
		if end != want || end >= 0 && ascii != isASCII(s[:end]) {
			t.Errorf("%q: %d units end at %d, ASCII %v; want %d", s, n, end, ascii, want)
		}
	}
}

func TestUTF16(t *testing.T) {
	for _, s := range []string{
		"", "a", "é", "€", "😀", "a€", "€a", "\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff", "\ufeff", "\x00",
		"\xff", "\x80", "a\x80b", "\xed\xa0\xbd", "\xf0\x9f", "\xf5\x80\x80\x80", "12345678\x80", "12345678\xf0", "\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe",
	} {
		checkUTF16(t, s)
	}
	// Each kind of character at each place of a word and of a run of words.
	for _, r := range []string{"é", "€", "😀", "😀é", "€€€€", "😀😀😀"} {
		for before := range 41 {
			for _, after := range []int{0, 1, 7, 8, 9, 33} {
				checkUTF16(t, strings.Repeat("a", before)+r+strings.Repeat("b", after))
			}
		}
	}
}

func FuzzUTF16(f *testing.F) {
	for _, s := range []string{"", "hello", "grüße 日本 😀 und mehr", "\xff", "1234567😀12345678😀", "\xed\xa0\xbd\xed\xb8\x80", "ééééééééé€€€€€€€€😀😀😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkUTF16(t, s[:min(len(s), 200)]) // each of its ends is tried, which takes long for long text
	})
}
