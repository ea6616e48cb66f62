// Package seam lets the package siotest reach what the server has for tests
// only, without that being a part of anybody's API.
package seam

import (
	"context"
	"time"
)

// Server is the part of a server that tests may hold and look into.
type Server interface {
	// Hold stops the server's clock, Release lets it go on from there, and Step
	// moves it on to the next timer, by limit at most; it returns by how much.
	Hold()
	Release()
	Step(ctx context.Context, limit time.Duration) (time.Duration, error)
	// Now returns the time by that clock.
	Now() time.Time
	// Look returns what the server is at, once it has done what it had to do.
	Look(ctx context.Context) (Activity, error)
}

// Activity is what a server is at.
type Activity struct {
	// Steps stays the same as long as nothing happens.
	Steps uint64
	// Flushing is how many connections have output that has not left, Handlers how
	// many goroutines run handlers of events, Hooks how many the program's hooks,
	// Serving how many its http.Handler.
	Flushing, Handlers, Hooks, Serving int
}

// What the root package sets when it is initialized.
var (
	// Of returns the seam of a *sio.Server.
	Of func(server any) Server
	// RawArgs makes sio.RawArgs of JSON values and attachments, which it keeps.
	RawArgs func(values, attachments [][]byte) any
)
