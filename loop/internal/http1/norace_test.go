//go:build !race

package http1

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = false
