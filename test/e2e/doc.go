// Package e2e tests the server with the clients that people really use:
// socket.io-client in Node and in Chromium, python-socketio with threads and
// with asyncio. It owns the server fixture, the child processes and the
// translation of their reports into subtests; what a client checks is written
// in that client's language under test/clients.
//
// The package never talks the protocol itself. `go test -short` leaves it out;
// a missing tool is a failure that names the command which installs it.
package e2e
