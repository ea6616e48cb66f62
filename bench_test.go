package sio_test

import (
	"fmt"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// BenchmarkEcho is the whole way of a message and its answer over loopback, 16
// in flight, client included.
func BenchmarkEcho(b *testing.B) {
	const batch = 16
	for _, bc := range []struct{ name, packet, answer string }{
		{"event", echoEvent, echoEvent},
		{"ack", echoAck, ackAnswer},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f := echoServer(b)
			w := newWire(b, f.addr, bc.packet, bc.answer, batch)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%batch == 0 {
					w.send(b)
					w.receive(b)
				}
			}
		})
	}
}

// BenchmarkHandlers compares the forms of a handler; the client and the network
// are the same for all.
func BenchmarkHandlers(b *testing.B) {
	const batch = 16
	for _, bc := range []struct {
		name    string
		handler any
		opts    []sio.HandlerOption
	}{
		{"raw inline", echo, []sio.HandlerOption{sio.Inline}},
		{"raw", echo, nil},
		{"typed inline", func(text string, ack sio.Ack) error { return ack.Send(text) }, []sio.HandlerOption{sio.Inline}},
		{"typed", func(text string, ack sio.Ack) error { return ack.Send(text) }, nil},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f := serve(b, oneLoop)
			f.on(b, "echo", bc.handler, bc.opts...)
			w := newWire(b, f.addr, echoAck, ackAnswer, batch)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%batch == 0 {
					w.send(b)
					w.receive(b)
				}
			}
		})
	}
}

// BenchmarkBroadcast delivers to every client and waits until all have it.
func BenchmarkBroadcast(b *testing.B) {
	for _, receivers := range []int{10, 200} {
		b.Run(fmt.Sprint(receivers), func(b *testing.B) {
			f := echoServer(b)
			all := make([]*wire, receivers)
			for i := range all {
				all[i] = newWire(b, f.addr, bcastEvent, bcastEvent, 1)
			}
			b.ReportAllocs()
			for b.Loop() {
				all[0].send(b)
				for _, w := range all {
					w.receive(b)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*receivers), "ns/delivery")
		})
	}
}

// BenchmarkConnect opens a session by WebSocket, joins "/" and leaves.
func BenchmarkConnect(b *testing.B) {
	f := serve(b, oneLoop)
	for b.Loop() {
		c, _ := f.enter(b)
		c.Close()
	}
}

// BenchmarkMakeRawArgs encodes arguments, with and without binary data among
// them.
func BenchmarkMakeRawArgs(b *testing.B) {
	for _, bc := range []struct {
		name string
		args []any
	}{
		{"text", []any{"0123456789012345678901234567890123456789"}},
		{"struct", []any{point{1, "name"}}},
		{"bytes", []any{make([]byte, 64)}},
		{"bytes in a struct", []any{picture{"name", make([]byte, 64), nil}}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sio.MakeRawArgs(bc.args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
