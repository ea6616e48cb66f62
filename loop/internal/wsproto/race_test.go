//go:build race

package wsproto

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = true
