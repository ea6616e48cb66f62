package engineio

import (
	"strings"
	"testing"
)

// E39: the index is the digits of j.
func TestJSONPIndex(t *testing.T) {
	for _, tc := range []struct {
		name, j string
		limit   int
		want    string
	}{
		{"a digit", "0", 9, "0"},
		{"zeros in front stay", "007", 9, "007"},
		{"E39 letters between digits", "12ab3", 9, "123"},
		{"E39 empty", "", 9, ""},
		{"no digit", "abc", 9, ""},
		{"a sign and a fraction", "-1.5", 9, "15"},
		{"a script", "0];alert(1);//[", 9, "01"},
		{"digits that are not ASCII", "１2٣", 9, "2"},
		{"the bytes around the digits", "/0:9;", 9, "09"},
		{"as many digits as allowed", "123", 3, "123"},
		{"more digits than allowed", "12ab345", 3, "123"},
		{"no digit is allowed", "1", 0, ""},
		{"less than none is allowed", "1", -1, ""},
		{"thousands of digits", strings.Repeat("7", 5000), 4, "7777"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := AppendJSONPIndex([]byte("x"), []byte(tc.j), tc.limit); string(got) != "x"+tc.want {
				t.Errorf("got %q, want %q", got[1:], tc.want)
			}
		})
	}
}

// E59 for what no caller should pass: nothing gets out of its place.
func TestJSONPStaysClosed(t *testing.T) {
	got := AppendJSONP(nil, []byte("1](alert(1));//"), []byte(`");alert(1);//`))
	if want := `___eio[11]("\");alert(1);//");`; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tc := range []struct{ payload, want string }{
		{"a\xffb", "a\ufffdb"},
		{"\xe2", "\ufffd"},
		{"\xe2\x80", "\ufffd\ufffd"},
		{"\xe2\"", "\ufffd\\\""},
		{"\xe2\x80\xe2\x80\xa8", "\ufffd\ufffd\\u2028"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
	} {
		if got := AppendJSONP(nil, nil, []byte(tc.payload)); string(got) != `___eio[]("`+tc.want+`");` {
			t.Errorf("%q: got %q", tc.payload, got)
		}
	}
}

// What has to be escaped is found at each place of a word.
func TestJSONPEscapesEverywhere(t *testing.T) {
	for _, tc := range []struct{ char, want string }{
		{`"`, `\"`},
		{`\`, `\\`},
		{"\x00", `\u0000`},
		{"\x1f", `\u001f`},
		{"\n", `\n`},
		{"\u2028", `\u2028`},
		{"\u2029", `\u2029`},
		{"!", "!"},
		{" ", " "},
		{"€", "€"},
		{"\u00a2\u00dc", "\u00a2\u00dc"}, // bytes with the low bits of a quote and a backslash
	} {
		for before := range 18 {
			for after := range 10 {
				a, b := strings.Repeat("a", before), strings.Repeat("\u007f", after)
				got := AppendJSONP(nil, nil, []byte(a+tc.char+b+tc.char))
				if want := `___eio[]("` + a + tc.want + b + tc.want + `");`; string(got) != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			}
		}
	}
}

// E60 with E91: lengths count what is left after unescaping.
func TestJSONPBodyThenLengths(t *testing.T) {
	payload, ok := DecodeJSONPBody([]byte(`d=5%3A4a%5Cnb%E2%82%AC5%3A4c%5C%5Cnd`))
	if !ok {
		t.Fatal("no payload")
	}
	packets, err := readAll(NewPayloadReaderV3(payload, 2))
	if got := notation(packets...); err != nil || got != "message a\nb€ | message c\\nd" {
		t.Errorf("got %q, %v", got, err)
	}
}
