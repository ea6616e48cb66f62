package sio_test

import (
	"context"
	"encoding/json"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// What is not used costs nothing: the usual ways of a message allocate as little with
// all kinds of features in use by others, or none per message, as without.
func TestUnusedFeaturesCostNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	settleBuffers(t)
	type setup struct {
		name string
		do   func(*testing.T, *fixture, *sio.Socket)
	}
	for _, with := range []setup{
		{"nothing", func(*testing.T, *fixture, *sio.Socket) {}},
		{"middlewares of the namespace", func(_ *testing.T, f *fixture, _ *sio.Socket) { f.Use(func(*sio.Socket) error { return nil }) }},
		{"parents", func(_ *testing.T, f *fixture, _ *sio.Socket) {
			f.OfPattern(numbered)
			f.OfFunc(func(context.Context, string, json.RawMessage) bool { return false })
		}},
		{"another socket's taps", func(t *testing.T, f *fixture, _ *sio.Socket) {
			t.Helper()
			_, other := f.connect(t)
			other.OnAny(func(*sio.Socket, *sio.Incoming) {})
			other.Use(func(*sio.Socket, *sio.Incoming) error { return nil })
		}},
		{"taps that were removed", func(_ *testing.T, _ *fixture, s *sio.Socket) {
			s.OnAny(func(*sio.Socket, *sio.Incoming) {})()
			s.OnAnyOutgoing(func(*sio.Socket, string, sio.RawArgs) {})()
		}},
		{"another namespace's observers", func(t *testing.T, f *fixture, _ *sio.Socket) {
			t.Helper()
			ns := f.Of("/other")
			c, _ := f.connect(t)
			ns.Socket(c.Join("/other", "")).OnAnyOutgoing(func(*sio.Socket, string, sio.RawArgs) {})
		}},
		{"the socket's data, context and ends", func(_ *testing.T, _ *fixture, s *sio.Socket) {
			s.SetData(1)
			s.Context()
			s.OnDisconnect(func(*sio.Socket, sio.Reason) {})
			s.OnDisconnecting(func(*sio.Socket, sio.Reason) {})
		}},
		{"servers' events", func(t *testing.T, f *fixture, _ *sio.Socket) {
			t.Helper()
			if err := f.OnServerSide("e", func() {}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(with.name, func(t *testing.T) {
			for _, way := range []struct {
				name, packet, answer string
				most                 float64 // allocations per message
			}{
				{"event", echoEvent, echoEvent, 0},
				{"acknowledgement", echoAck, ackAnswer, 0},
				{"broadcast", roomEvent, roomEvent, 1}, // the value that To returns
				{"rooms", `421["room"]`, `431[]`, 0},
				{"typed", `421["typed","x"]`, `431[]`, 4}, // the text, and its way to the decoder
			} {
				t.Run(way.name, func(t *testing.T) {
					const batch = 100
					f := echoServer(t)
					f.on(t, "toroom", func(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error {
						return s.Namespace().To("measured").EmitRaw("toroom", args)
					}, sio.Inline)
					f.on(t, "room", func(s *sio.Socket, _ sio.RawArgs, ack sio.Ack) error {
						s.Join("measured")
						s.Leave("never")
						return ack.Send()
					}, sio.Inline)
					if err := sio.NewEvent[string]("typed").On(f, func(_ *sio.Socket, _ string, ack sio.Ack) error {
						return ack.Send()
					}, sio.Inline); err != nil {
						t.Fatal(err)
					}
					w := newWire(t, f.addr, way.packet, way.answer, batch)
					s := f.Sockets()[0]
					s.Join("measured")
					with.do(t, f, s)
					round := func() { w.send(t); w.receive(t) }
					round()
					w.check(t)
					if n := testing.AllocsPerRun(100, round); n > batch*way.most+batch/20 {
						t.Errorf("%v allocations for %d messages", n, batch)
					}
				})
			}
		})
	}
}

const roomEvent = `42["toroom",` + payload + `]`
