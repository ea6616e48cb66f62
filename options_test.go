package sio

import (
	"math"
	"testing"
)

// A limit that is meant to be none counts as a large one, and what follows from it
// is none the smaller.
func TestMaxPayloadWithoutLimit(t *testing.T) {
	o := Options{MaxPayload: math.MaxInt}.withDefaults()
	if o.MaxPayload < 1<<30 || o.MaxBacklog <= o.MaxPayload {
		t.Errorf("MaxPayload %d, MaxBacklog %d", o.MaxPayload, o.MaxBacklog)
	}
}
