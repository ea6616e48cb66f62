//go:build race

package msgpack

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = true
