package http1

import (
	"net/url"
	"strings"
	"testing"
)

func TestQueryValue(t *testing.T) {
	tests := []struct {
		name, query, key, want string
		ok                     bool
	}{
		{"empty query", "", "a", "", false},
		{"empty query, empty key", "", "", "", false},
		{"only one", "a=b", "a", "b", true},
		{"in the middle", "x=1&a=b&y=2", "a", "b", true},
		{"absent", "x=1&y=2", "a", "", false},
		{"last one wins", "a=1&a=2&b=3", "a", "2", true},
		{"last one wins though empty", "a=1&a=", "a", "", true},
		{"empty value", "a=&b=1", "a", "", true},
		{"no equals sign", "b=1&a", "a", "", true},
		{"equals sign in the value", "a=b=c", "a", "b=c", true},
		{"key is a prefix", "ab=1", "a", "", false},
		{"key is longer", "a=1", "ab", "", false},
		{"case counts", "A=1", "a", "", false},
		{"empty pairs", "&&a=1&&", "a", "1", true},
		{"empty key", "=1", "", "1", true},
		{"encoded value", "a=%41b%2f%2Fc", "a", "Ab//c", true},
		{"encoded ampersand and equals sign", "a=x%26b%3Dy", "a", "x&b=y", true},
		{"plus is a space", "a=b+c%2b", "a", "b c+", true},
		{"encoded key", "%73id=1", "sid", "1", true},
		{"key with a space", "a+b=1", "a b", "1", true},
		{"percent at the end", "a=%", "a", "%", true},
		{"percent and one digit", "a=%4", "a", "%4", true},
		{"percent and no digits", "a=%zz%41", "a", "%zzA", true},
		{"semicolon does not separate", "a=1;b=2", "a", "1;b=2", true},
		{"question mark", "a=?", "a", "?", true},
		{"bytes of no text", "a=%ff%00", "a", "\xff\x00", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := QueryValue([]byte(tt.query), tt.key)
			if string(got) != tt.want || ok != tt.ok {
				t.Fatalf("got %q, %v; want %q, %v", got, ok, tt.want, tt.ok)
			}
			if ok && got == nil {
				t.Error("value of a key that is there is nil")
			}
		})
	}
}

func FuzzQueryValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, query, key string) {
		got, ok := QueryValue([]byte(query), key)
		values, err := url.ParseQuery(query)
		if err != nil || strings.Contains(query, ";") {
			return // net/url refuses what is taken literally here
		}
		want := values[key]
		if ok != (len(want) > 0) || ok && string(got) != want[len(want)-1] {
			t.Fatalf("got %q, %v; net/url %q", got, ok, want)
		}
	})
}
