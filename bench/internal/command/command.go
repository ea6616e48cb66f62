// Package command is what the commands of the benchmarks have in common: signals,
// flags and exit codes.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// ErrUsage is returned for flags that make no sense, after it was said why.
var ErrUsage = errors.New("wrong usage")

// Run runs a command with the arguments, until it ends or ctx does, and returns
// its exit code: 0, also if it was asked for help, 2 for wrong usage and 1 for any
// other error, which is printed to stderr.
func Run(ctx context.Context, name string, args []string, stdout, stderr io.Writer,
	run func(ctx context.Context, args []string, stdout, stderr io.Writer) error,
) int {
	err := run(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, ErrUsage):
		return 2
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return 1
}

// Main runs a command as the process: with its arguments, until SIGINT or SIGTERM,
// and exits.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, name, os.Args[1:], os.Stdout, os.Stderr, run)
	stop()
	os.Exit(code)
}

// NewFlags returns an empty set of flags that tells what is wrong to stderr.
func NewFlags(name string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	return flags
}

// Parse parses arguments of which none may follow the flags. The error is
// [flag.ErrHelp] or [ErrUsage].
func Parse(flags *flag.FlagSet, args []string) error {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return flag.ErrHelp
	case err != nil:
		return ErrUsage // the flag set has told
	case flags.NArg() > 0:
		return Misused(flags, "there are no arguments besides the flags: %q", flags.Arg(0))
	}
	return nil
}

// Misused tells what is wrong with the flags and returns [ErrUsage].
func Misused(flags *flag.FlagSet, format string, args ...any) error {
	fmt.Fprintf(flags.Output(), "%s: %s\n", flags.Name(), fmt.Sprintf(format, args...))
	return ErrUsage
}

// Report writes a result as one JSON object, or as text for people.
func Report(w io.Writer, asJSON bool, result any, text func(w io.Writer) error) error {
	if asJSON {
		return json.NewEncoder(w).Encode(result) //nolint:wrapcheck // it says all there is
	}
	return text(w)
}
