//go:build race

package socketio

// raceEnabled switches allocation guards off: the race detector allocates.
const raceEnabled = true
