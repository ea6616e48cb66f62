package socketio

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCountPlaceholders(t *testing.T) {
	const p0, p1 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`
	for _, tc := range []struct {
		name, raw string
		want      int
	}{
		{"none", `["a",1,{"b":[]}]`, 0},
		{"the value itself", p0, 1},
		{"some, one twice", `[` + p1 + `,{"a":[` + p1 + `]},` + p0 + `]`, 3},
		{"the keys the other way, among others", `[{"num":1,"x":"y","_placeholder":true}]`, 1},
		{"with white space", "[ { \"_placeholder\" :\ttrue ,\r\n\"num\" : 1 } ]", 1},
		{"false is no mark", `{"_placeholder":false,"num":9}`, 0},
		{"taken back", `{"_placeholder":true,"num":9,"_placeholder":false}`, 0},
		{"a string is no mark", `{"_placeholder":"true"}`, 0},
		{"in a string", `["_placeholder","{\"_placeholder\":true}"]`, 0},
		{"escapes of other keys", `{"\u005fplace":true,"a\"\u0041":[` + p0 + `]}`, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n, err := CountPlaceholders([]byte(tc.raw), 2); n != tc.want || err != nil {
				t.Errorf("%d, %v, want %d", n, err, tc.want)
			}
		})
	}
}

// Lookalikes are what JavaScript takes for a placeholder though no client writes it.
var lookalikes = []struct{ name, raw string }{
	{"a key with escapes", `{"\u005fplaceholder":true,"num":0}`},
	{"a key with more escapes", `{"_pl\u0061ceholder":true,"num":99}`},
	{"a num with escapes", `{"_placeholder":true,"n\u0075m":0}`},
	{"something nested", `{"_placeholder":true,"num":0,"x":{}}`},
	{"something nested in front", `{"x":[],"_placeholder":true,"num":99}`},
	{"a nested num", `{"_placeholder":true,"num":[0]}`},
}

func TestCountPlaceholdersRefuses(t *testing.T) {
	cases := lookalikes
	for _, bad := range badPlaceholders {
		cases = append(cases[:len(cases):len(cases)], bad)
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			for _, raw := range []string{tc.raw, `["a",` + tc.raw + `]`, `{"k":[` + tc.raw + `]}`} {
				if _, err := CountPlaceholders([]byte(raw), 2); !errors.Is(err, ErrIllegalAttachments) {
					t.Errorf("%s: %v", raw, err)
				}
			}
		})
	}
}

// A packet with a lookalike is refused as a whole: whoever passes it on would have
// other clients end their connections.
func TestLookalikesFromClients(t *testing.T) {
	for _, tc := range lookalikes {
		t.Run(tc.name, func(t *testing.T) {
			raw := fmt.Sprintf(`51-["e",{"_placeholder":true,"num":0},%s]`, tc.raw)
			p, err := Decode([]byte(raw), nil, Limits{Attachments: 10, Depth: 128})
			if err != nil {
				t.Fatal(err)
			}
			a := new(Assembler)
			if err := a.Start([]byte(raw), p, 1<<20); err != nil {
				t.Fatal(err)
			}
			if done, err := a.Add([]byte("x")); !done || err != nil {
				t.Fatal(done, err)
			}
			if _, _, err := a.Take(Limits{Attachments: 10, Depth: 128}); !errors.Is(err, ErrIllegalAttachments) {
				t.Errorf("got %v", err)
			}
			plain := strings.Replace(raw, "51-", "2", 1)
			if _, err := Decode([]byte(plain), nil, Limits{Depth: 128}); err != nil {
				t.Errorf("without attachments: %v", err)
			}
		})
	}
}
