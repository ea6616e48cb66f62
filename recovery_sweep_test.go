package sio_test

import (
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// S11.7: a sweep drops what is too old, though nobody emits or comes back; and a
// client that comes within the time is recovered, by the server's clock.
func TestRecoverySweep(t *testing.T) {
	io, err := sio.New(&sio.Options{ConnectionStateRecovery: &sio.Recovery{MaxDisconnectionDuration: 2 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	srv := siotest.Start(t, io)
	lose := func() *siotest.Client {
		c := srv.Connect(t)
		if err := io.Emit("e"); err != nil {
			t.Fatal(err)
		}
		c.Expect("e")
		c.Cut()
		srv.Wait()
		return c
	}
	c := lose()
	srv.Advance(2*time.Minute - time.Second)
	if c.Reconnect(); !c.Recovered() {
		t.Error("not recovered within the time")
	}
	c.Disconnect()
	srv.Wait()

	lose()
	if io.Kept() == 0 {
		t.Error("nothing is kept for a lost client")
	}
	srv.Advance(4 * time.Minute) // the time, and a sweep's interval behind it
	if n := io.Kept(); n != 0 {
		t.Errorf("%d events and sessions are kept for good", n)
	}
}
