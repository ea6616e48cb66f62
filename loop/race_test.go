//go:build race

package loop

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = true
