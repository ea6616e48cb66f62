// Command conformance serves the test servers that the official protocol suites
// of Engine.IO and Socket.IO expect, and runs those suites against them.
//
//	conformance --suite v4 --addr localhost:3000
//
// serves one, until it is interrupted. The suites themselves are not part of
// this project: they are folders of the public repository socketio/socket.io,
// docs/engine.io-protocol/v4-test-suite and its like.
//
//	conformance --suites socket.io/docs --loops 1,2 --runs 10
//
// runs every suite that it finds below that folder and ends with an exit code
// other than 0 if any test failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() { os.Exit(command(os.Args[1:])) }

// command is main with an exit code.
func command(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, args, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return 1
	}
	return 0
}

// errUsage says that the flags make no sense together.
var errUsage = errors.New("give either --suite, to serve one, or --suites, to run all of a folder")

// run does what the arguments ask for, with its surroundings as parameters. It returns when ctx ends or
// the suites have been run.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	suite := flags.String("suite", "", "serve what this suite expects: "+strings.Join(suiteNames(), ", "))
	addr := flags.String("addr", "localhost:3000", "where to serve it")
	suites := flags.String("suites", "", "run the suites found below this folder")
	loops := flags.String("loops", "1", "event loops of the server, such as 1; several, such as 1,2, run the suites with each")
	only := flags.String("only", strings.Join(suiteNames(), ","), "which suites to run")
	guest := flags.Bool("guest", false, "serve as the guest of a net/http server")
	runs := flags.Int("runs", 1, "how often to run each suite")
	if err := flags.Parse(args); err != nil {
		return err
	}
	counts, err := loopCounts(*loops)
	if err != nil {
		return err
	}
	switch {
	case (*suite == "") == (*suites == ""), flags.NArg() > 0, *suite != "" && len(counts) != 1:
		return errUsage
	case *suite != "":
		server, err := start(ctx, *suite, *addr, counts[0], *guest)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "serving %s on http://%s\n", *suite, server.addr)
		<-ctx.Done()
		return server.stop()
	}
	r := runner{suites: strings.Split(*only, ","), loops: counts, runs: *runs, guest: *guest, out: stdout}
	return r.run(ctx, *suites)
}

// loopCounts reads a list of numbers of loops.
func loopCounts(list string) ([]int, error) {
	var counts []int
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("--loops %s: %q is not a number of loops", list, field)
		}
		counts = append(counts, n)
	}
	return counts, nil
}
