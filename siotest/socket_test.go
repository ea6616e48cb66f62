package siotest_test

import (
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// A connection handler that is late, as the socket is sent away at that very
// moment, learns why all the same.
func TestReasonOfAnEndInBetween(t *testing.T) {
	io := newServer(t)
	var ends lines
	ends.notes(io)
	srv := siotest.Start(t, io)
	var want []string
	for range 300 {
		c := srv.Connect(t)
		io.Of("/").Socket(c.ID()).Disconnect(true)
		want = append(want, string(sio.ReasonServerDisconnect))
	}
	srv.Wait()
	ends.want(t, want...)
}
