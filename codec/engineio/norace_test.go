//go:build !race

package engineio

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = false
