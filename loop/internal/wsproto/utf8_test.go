package wsproto

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// canStartText reports whether p is valid or a byte sequence that some more
// bytes make valid, the slow way.
func canStartText(p []byte) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			return len(p) < utf8.UTFMax && completable(p)
		}
		p = p[n:]
	}
	return true
}

// completable tries all continuations of p; the extreme ones are enough.
func completable(p []byte) bool {
	for missing := 1; missing < utf8.UTFMax; missing++ {
		for bits := range 1 << missing {
			text := []byte(string(p))
			for i := range missing {
				c := byte(0x80)
				if bits>>i&1 != 0 {
					c = 0xbf
				}
				text = append(text, c)
			}
			if r, n := utf8.DecodeRune(text); n == len(text) && (r != utf8.RuneError || n == 3) {
				return true
			}
		}
	}
	return false
}

// checkUTF8 compares the validator with package utf8 for text cut at each pair
// of places, or at one if it is long.
func checkUTF8(t testing.TB, text []byte) {
	t.Helper()
	wantStart, wantWhole := canStartText(text), utf8.Valid(text)
	check := func(cuts ...int) {
		var u UTF8
		at, ok := 0, true
		for _, cut := range append(cuts, len(text)) {
			ok = u.Write(text[at:cut])
			if early := canStartText(text[:cut]); ok != early {
				t.Fatalf("%q cut at %v: Write up to %d = %v, want %v", text, cuts, cut, ok, early)
			}
			at = cut
		}
		if ok != wantStart || u.Complete() != wantWhole {
			t.Fatalf("%q cut at %v: got %v, %v; want %v, %v", text, cuts, ok, u.Complete(), wantStart, wantWhole)
		}
		u.Reset()
		if !u.Complete() || !u.Write([]byte("ä")) || !u.Complete() {
			t.Fatal("not ready after Reset")
		}
	}
	single := make([]int, len(text)+1)
	for i := range single {
		single[i] = i
		check(i)
		if len(text) <= 24 {
			for j := i; j <= len(text); j++ {
				check(i, j)
			}
		}
	}
	check(single...)
}

func TestUTF8(t *testing.T) {
	tests := []struct{ name, text string }{
		{"empty", ""},
		{"ASCII", "hello, world: sixteen and more bytes"},
		{"two bytes", "grüße"},
		{"three bytes", "日本語"},
		{"four bytes", "a😀b😀"},
		{"bounds of each length", "\x00\x7f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff"},
		{"around the surrogates", "\ud7ff\ue000"},
		{"replacement character", "\ufffd"},
		{"ASCII then invalid", "12345678\xff"},
		{"cut short", "12345678\xf0\x9f\x98"},
		{"only continuation", "\x80"},
		{"continuation too many", "ä\x80"},
		{"overlong in two bytes", "\xc0\x80"},
		{"overlong c1", "\xc1\xbf"},
		{"overlong in three bytes", "\xe0\x9f\xbf"},
		{"overlong in four bytes", "\xf0\x8f\xbf\xbf"},
		{"first surrogate", "\xed\xa0\x80"},
		{"last surrogate", "\xed\xbf\xbf"},
		{"above the last code point", "\xf4\x90\x80\x80"},
		{"five bytes", "\xf8\x88\x80\x80\x80"},
		{"fe and ff", "\xfe\xff"},
		{"second byte missing", "\xe6a"},
		{"third byte missing", "\xe6\x97a"},
		{"fourth byte missing", "\xf0\x9f\x98a"},
		{"new character too early", "\xf0\x9f\xe6\x97\xa5"},
		{"long", strings.Repeat("日本語 text ", 10)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkUTF8(t, []byte(tt.text)) })
	}
}

// All sequences of two bytes behind each kind of leading byte.
func TestUTF8Pairs(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			text := []byte{byte(a), byte(b)}
			var u UTF8
			if got, want := u.Write(text), canStartText(text); got != want {
				t.Fatalf("%x: Write = %v, want %v", text, got, want)
			}
			u.Reset()
			if got, want := u.Write(text[:1]) && u.Write(text[1:]), canStartText(text); got != want {
				t.Fatalf("%x in two pieces: Write = %v, want %v", text, got, want)
			}
		}
	}
}

func TestUTF8StaysInvalid(t *testing.T) {
	var u UTF8
	u.Write([]byte("\xff"))
	if u.Write([]byte("a")) || u.Write(nil) || u.Complete() {
		t.Error("valid again")
	}
}
