package command

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	failed := errors.New("it failed")
	for _, tt := range []struct {
		name string
		args []string
		err  error // of the command, once its flags are good
		code int
		want string // on standard error
	}{
		{name: "good", args: []string{"-n", "2"}},
		{name: "failed", args: []string{"-n", "2"}, err: failed, code: 1, want: "test: it failed\n"},
		{name: "help", args: []string{"-h"}, want: "Usage of test"},
		{name: "unknown flag", args: []string{"-m"}, code: 2, want: "-m"},
		{name: "argument", args: []string{"-n", "2", "more"}, code: 2, want: `"more"`},
		{name: "no sense", args: []string{"-n", "0"}, code: 2, want: "test: -n must be above zero\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Run(t.Context(), "test", tt.args, &stdout, &stderr, func(_ context.Context, args []string, out, errs io.Writer) error {
				flags := NewFlags("test", errs)
				n := flags.Int("n", 1, "a number")
				if err := Parse(flags, args); err != nil {
					return err
				}
				if *n < 1 {
					return Misused(flags, "-n must be above zero")
				}
				if tt.err != nil {
					return tt.err
				}
				return Report(out, true, map[string]int{"n": *n}, nil)
			})
			if code != tt.code || !strings.Contains(stderr.String(), tt.want) || (tt.want == "") != (stderr.Len() == 0) {
				t.Errorf("exit code %d, standard error %q; want %d, %q", code, &stderr, tt.code, tt.want)
			}
			if good := tt.want == ""; good != (stdout.String() == "{\"n\":2}\n") {
				t.Errorf("standard output %q", &stdout)
			}
		})
	}
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	err := Report(&b, false, 1, func(w io.Writer) error {
		_, err := io.WriteString(w, "one\n")
		return err
	})
	if err != nil || b.String() != "one\n" {
		t.Errorf("got %q, %v", &b, err)
	}
}

// Those who parse flags themselves can tell the errors apart.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want error
	}{{nil, nil}, {[]string{"-help"}, flag.ErrHelp}, {[]string{"-x"}, ErrUsage}, {[]string{"x"}, ErrUsage}} {
		if err := Parse(NewFlags("test", io.Discard), tt.args); !errors.Is(err, tt.want) {
			t.Errorf("%q: got %v, want %v", tt.args, err, tt.want)
		}
	}
}
