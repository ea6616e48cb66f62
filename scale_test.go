package sio_test

import (
	"fmt"
	"runtime"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// The number of goroutines does not depend on the number of clients: they are
// there while there is work, and gone after it.
func TestGoroutinesDoNotGrowWithClients(t *testing.T) {
	f := serve(t)
	f.OnConnection(func(s *sio.Socket) {
		s.On("e", func(n int, ack sio.Ack) error { return ack.Send(n) })
	})
	before := runtime.NumGoroutine()
	clients := make([]*siotest.Conn, 400)
	for i := range clients {
		clients[i], _ = f.connect(t)
		clients[i].Send(`421["e",1]`)
	}
	for _, c := range clients {
		c.Want("431[1]")
	}
	eventually(t, fmt.Sprintf("%d goroutines again", before), func() bool { return runtime.NumGoroutine() <= before })
}
