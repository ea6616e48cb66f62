package sio_test

import (
	"math"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// Options that make no sense are refused, with the name of the field.
func TestOptionsThatMakeNoSense(t *testing.T) {
	for want, o := range map[string]sio.Options{
		"NoPolling and NoWebSocket": {NoPolling: true, NoWebSocket: true},
		"Path":                      {Path: "/io?x"},
		"MaxPayload is above":       {MaxPayload: math.MaxInt},
		"MaxPayload is negative":    {MaxPayload: -1},
		"PingInterval":              {PingInterval: -time.Second},
		"Loops":                     {Loops: -1},
		"ClientVersion":             {ClientVersion: "1"},
	} {
		if io, err := sio.New(&o); err == nil || !strings.Contains(err.Error(), "sio: Options: "+want) {
			t.Errorf("%s: %v", want, err)
			if io != nil {
				_ = io.Close() // it should not be there
			}
		}
	}
}
