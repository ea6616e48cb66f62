package socketio

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPlaceholdersAreWritten(t *testing.T) {
	for num, want := range map[int]string{
		0:    `{"_placeholder":true,"num":0}`,
		7:    `{"_placeholder":true,"num":7}`,
		1234: `{"_placeholder":true,"num":1234}`,
	} {
		got := AppendPlaceholder(nil, num)
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if n, ok := IsPlaceholder(got); !ok || n != num {
			t.Errorf("%s is %d, %v", got, n, ok)
		}
	}
}

func TestIsPlaceholderRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                    "",
		"an empty object":            `{}`,
		"null":                       "null",
		"a string that looks like":   `"{\"_placeholder\":true,\"num\":0}"`,
		"no number":                  `{"_placeholder":true,"num":}`,
		"no num":                     `{"_placeholder":true}`,
		"a negative num":             `{"_placeholder":true,"num":-1}`,
		"a fraction":                 `{"_placeholder":true,"num":0.5}`,
		"an exponent":                `{"_placeholder":true,"num":1e0}`,
		"a num too large for an int": `{"_placeholder":true,"num":9223372036854775808}`,
		"a num that is a string":     `{"_placeholder":true,"num":"0"}`,
		"a num that is null":         `{"_placeholder":true,"num":null}`,
		"another key behind":         `{"_placeholder":true,"num":0,"x":1}`,
		"the keys the other way":     `{"num":0,"_placeholder":true}`,
		"white space":                `{ "_placeholder":true,"num":0}`,
		"false":                      `{"_placeholder":false,"num":0}`,
		"a placeholder in an array":  `[{"_placeholder":true,"num":0}]`,
	} {
		if n, ok := IsPlaceholder([]byte(raw)); ok {
			t.Errorf("%s: %s is %d", name, raw, n)
		}
	}
}

func TestWalkPlaceholders(t *testing.T) {
	const p0, p1 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`
	for _, tc := range []struct{ name, raw, want string }{
		{"none", `["a",1]`, ""},
		{"the value itself", p0, "0" + p0},
		{"in an array", `["a",` + p0 + `]`, "0" + p0},
		{"in their order", `[` + p1 + `,` + p0 + `]`, "1" + p1 + " 0" + p0},
		{"one twice", `[` + p0 + `,` + p0 + `]`, "0" + p0 + " 0" + p0},
		{"not all attachments", `["a",` + p1 + `]`, "1" + p1},
		{"deep inside", `["a",{"b":[[` + p0 + `],{"c":` + p1 + `}]}]`, "0" + p0 + " 1" + p1},
		{"behind an object that is none", `[{"_placeholder":false,"x":[]},` + p0 + `]`, "0" + p0},
		{"in an object with scalars in front", `{"a":1,"b":"}]{[","c":` + p0 + `,"d":null}`, "0" + p0},
		{"behind escapes", `["\\\"",{"\"":` + p0 + `}]`, "0" + p0},
		{"the keys the other way", `[{"num":1,"_placeholder":true}]`, `1{"num":1,"_placeholder":true}`},
		{"with other keys", `[{"x":"y","_placeholder":true,"z":null,"num":0}]`, `0{"x":"y","_placeholder":true,"z":null,"num":0}`},
		{"with white space", "[ { \"_placeholder\" :\ttrue ,\r\n\"num\" : 1 } ]", "1{ \"_placeholder\" :\ttrue ,\r\n\"num\" : 1 }"},
		{"the last of two nums", `{"_placeholder":true,"num":5,"num":1}`, `1{"_placeholder":true,"num":5,"num":1}`},
		{"the last of two marks", `{"_placeholder":1,"_placeholder":true,"num":1}`, `1{"_placeholder":1,"_placeholder":true,"num":1}`},
		{"negative zero", `{"_placeholder":true,"num":-0}`, `0{"_placeholder":true,"num":-0}`},
		{"false is no mark", `{"_placeholder":false,"num":0}`, ""},
		{"taken back", `{"_placeholder":true,"num":0,"_placeholder":false}`, ""},
		{"one is no mark", `{"_placeholder":1,"num":0}`, ""},
		{"a string is no mark", `{"_placeholder":"true","num":0}`, ""},
		{"a key with escapes is no mark", `{"\u005fplaceholder":true,"num":0}`, ""},
		{"another case is no mark", `{"_Placeholder":true,"num":0}`, ""},
		{"the key as a value", `["_placeholder",{"a":"_placeholder"}]`, ""},
		{"the key in a string", `["{\"_placeholder\":true,\"num\":0}","_placeholder"]`, ""},
		{"an object with something nested is none", `{"_placeholder":true,"num":0,"x":{}}`, ""},
		{"one nested in an object with a mark", `{"_placeholder":true,"num":0,"x":` + p1 + `}`, "1" + p1},
		{"one nested in front of a mark", `{"x":[` + p1 + `],"_placeholder":true,"num":0}`, "1" + p1},
		{"one as the num of an object with a mark", `{"_placeholder":true,"num":` + p1 + `}`, "1" + p1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			err := WalkPlaceholders([]byte(tc.raw), 2, func(start, end, num int) error {
				got = append(got, fmt.Sprint(num)+tc.raw[start:end])
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %s, want %s", s, tc.want)
			}
		})
	}
}

// badPlaceholders are marked as placeholders but cannot be replaced if there are
// two attachments.
var badPlaceholders = []struct{ name, raw string }{
	{"no num", `{"_placeholder":true}`},
	{"a negative num", `{"_placeholder":true,"num":-1}`},
	{"a num one too large", `{"_placeholder":true,"num":2}`},
	{"a num too large for an int", `{"_placeholder":true,"num":18446744073709551616}`},
	{"a fraction", `{"_placeholder":true,"num":0.5}`},
	{"an exponent", `{"_placeholder":true,"num":1e0}`},
	{"a num that is a string", `{"_placeholder":true,"num":"0"}`},
	{"a num that is null", `{"_placeholder":true,"num":null}`},
	{"a num that is true", `{"_placeholder":true,"num":true}`},
	{"the last of two nums is bad", `{"_placeholder":true,"num":0,"num":2}`},
	{"a key of num with escapes", `{"_placeholder":true,"nu\u006d":0}`},
	{"a num in another case", `{"_placeholder":true,"Num":0}`},
}

func TestWalkPlaceholdersRefuses(t *testing.T) {
	for _, tc := range badPlaceholders {
		t.Run(tc.name, func(t *testing.T) {
			const good = `{"_placeholder":true,"num":0}`
			for _, raw := range []string{tc.raw, `["a",` + tc.raw + `]`, `[[` + good + `,{"a":` + tc.raw + `}],` + good + `]`} {
				calls := 0
				err := WalkPlaceholders([]byte(raw), 2, func(int, int, int) error {
					calls++
					return nil
				})
				if !errors.Is(err, ErrIllegalAttachments) {
					t.Errorf("%s: got %v", raw, err)
				}
				before, _, _ := strings.Cut(raw, tc.raw)
				if want := strings.Count(before, good); calls != want {
					t.Errorf("%s: %d calls, want %d", raw, calls, want)
				}
			}
		})
	}
	err := WalkPlaceholders([]byte(`{"_placeholder":true,"num":0}`), 0, func(int, int, int) error { return nil })
	if !errors.Is(err, ErrIllegalAttachments) {
		t.Errorf("without attachments: got %v", err)
	}
}

func TestWalkPlaceholdersEndsWithFirstError(t *testing.T) {
	errStop := errors.New("stop")
	calls := 0
	raw := `[{"a":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":0}]`
	err := WalkPlaceholders([]byte(raw), 1, func(int, int, int) error {
		calls++
		return errStop
	})
	if !errors.Is(err, errStop) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}
