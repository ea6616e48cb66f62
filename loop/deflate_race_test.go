//go:build race

package loop

const deflateRace = true
