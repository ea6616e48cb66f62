// Command sio-gnet serves Socket.IO applications: a chat, the smallest example,
// and one for load tools to talk to.
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
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "sio-gnet: %v (see sio-gnet serve --help)\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "sio-gnet: %v\n", err)
	return exitError
}
