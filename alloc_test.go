package sio_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/gobwas/ws"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// wire is a client for counting: it writes bytes that are made beforehand and
// reads answers of a known length, and so allocates nothing itself.
type wire struct {
	conn     net.Conn
	out, in  []byte
	answered []byte // what one batch is answered with
}

// newWire makes a client that sends batches of n times the same packet.
func newWire(tb testing.TB, addr, packet, answer string, n int) *wire {
	tb.Helper()
	c := siotest.Open(tb, "http://"+addr)
	c.Join("/", "")
	w := &wire{conn: c.NetConn()}
	request, err := ws.CompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(packet))))
	if err != nil {
		tb.Fatal(err)
	}
	response, err := ws.CompileFrame(ws.NewTextFrame([]byte(answer)))
	if err != nil {
		tb.Fatal(err)
	}
	w.out, w.answered = bytes.Repeat(request, n), bytes.Repeat(response, n)
	w.in = make([]byte, len(w.answered))
	return w
}

func (w *wire) send(tb testing.TB) {
	tb.Helper()
	if _, err := w.conn.Write(w.out); err != nil {
		tb.Fatal(err)
	}
}

func (w *wire) receive(tb testing.TB) {
	tb.Helper()
	if _, err := io.ReadFull(w.conn, w.in); err != nil {
		tb.Fatal(err)
	}
}

// check fails if the last batch was answered with something else.
func (w *wire) check(tb testing.TB) {
	tb.Helper()
	if !bytes.Equal(w.in, w.answered) {
		tb.Fatalf("answer %q, want %q", w.in, w.answered)
	}
}

// echoServer has raw handlers that run inline.
func echoServer(tb testing.TB) *fixture {
	tb.Helper()
	f := serve(tb, oneLoop)
	f.on(tb, "echo", func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
		if ack.Wanted() {
			return ack.SendRaw(args)
		}
		return s.EmitRaw("echo", args)
	}, sio.Inline)
	f.on(tb, "bcast", func(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error {
		return s.Namespace().EmitRaw("bcast", args)
	}, sio.Inline)
	return f
}

const (
	payload    = `"0123456789012345678901234567890123456789012345678901234567890123"`
	echoEvent  = `42["echo",` + payload + `]`
	echoAck    = `421["echo",` + payload + `]`
	ackAnswer  = `431[` + payload + `]`
	bcastEvent = `42["bcast",` + payload + `]`
)

// settleBuffers has the pools of buffers learn the sizes of these tests' messages: they
// keep what most messages of late would have fitted in, and other tests' are smaller.
func settleBuffers(tb testing.TB) {
	tb.Helper()
	f := echoServer(tb)
	const batch = 100
	w := newWire(tb, f.addr, echoEvent, echoEvent, batch)
	for range 90_000 / batch {
		w.send(tb)
		w.receive(tb)
	}
}

// From the read of a message to the write of its answer, through reactor,
// codecs, session, handler and back, nothing is allocated.
func TestEchoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	settleBuffers(t)
	f := echoServer(t)
	const batch = 100
	for _, tc := range []struct{ name, packet, answer string }{
		{"event", echoEvent, echoEvent},
		{"acknowledgement", echoAck, ackAnswer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWire(t, f.addr, tc.packet, tc.answer, batch)
			round := func() { w.send(t); w.receive(t) }
			round()
			w.check(t)
			// The pools may be emptied by the collector now and then, hence not quite 0.
			if n := testing.AllocsPerRun(200, round); n > batch/20 {
				t.Errorf("%v allocations for %d messages", n, batch)
			}
		})
	}
}

// What a broadcast allocates does not depend on how many receive it.
func TestBroadcastAllocatesNothingPerReceiver(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	measure := func(receivers int) float64 {
		f := echoServer(t)
		all := make([]*wire, receivers)
		for i := range all {
			all[i] = newWire(t, f.addr, bcastEvent, bcastEvent, 1)
		}
		round := func() {
			all[0].send(t)
			for _, w := range all {
				w.receive(t)
			}
		}
		round()
		for _, w := range all {
			w.check(t)
		}
		return testing.AllocsPerRun(200, round)
	}
	few, many := measure(10), measure(200)
	if many > few+1 {
		t.Errorf("%v allocations for 10 receivers, %v for 200", few, many)
	}
}
