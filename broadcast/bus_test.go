package broadcast_test

import (
	"testing"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/broadcast/adaptertest"
)

func TestBus(t *testing.T) {
	adaptertest.Run(t, func(*testing.T) func() broadcast.Connect {
		bus := broadcast.NewBus()
		return func() broadcast.Connect { return bus.Join }
	})
}
