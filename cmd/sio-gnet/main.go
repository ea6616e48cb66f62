// Command sio-gnet serves Socket.IO applications (a chat, the smallest example, and one
// for load tools to talk to), and puts load on Socket.IO servers.
package main

import (
	"errors"
	"fmt"
	"os"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // something failed while running
	exitUsage = 2 // a flag or variable is wrong
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings as parameters.
func run(args []string, stdout, stderr *os.File) int {
	err := dispatch(args, stdout, stderr)
	var (
		usage *usageError
		coded *codeError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "sio-gnet: %v (see sio-gnet %s --help)\n", err, commandOf(args))
		return exitUsage
	case errors.As(err, &coded):
		fmt.Fprintf(stderr, "sio-gnet: %v\n", err)
		return coded.code
	}
	fmt.Fprintf(stderr, "sio-gnet: %v\n", err)
	return exitError
}

// commandOf names the command that args are for, as far as that is clear.
func commandOf(args []string) string {
	if len(args) > 0 && args[0] == "load" {
		return "load"
	}
	return "serve"
}
