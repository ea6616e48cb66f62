package wsproto

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"
)

// frame is a masked header; one letter a property keeps the tables readable.
func frame(op ws.OpCode, fin bool, length int64) ws.Header {
	return ws.Header{OpCode: op, Fin: fin, Masked: true, Length: length}
}

func withRsv(h ws.Header, r1, r2, r3 bool) ws.Header {
	h.Rsv = ws.Rsv(r1, r2, r3)
	return h
}

func unmasked(h ws.Header) ws.Header {
	h.Masked = false
	return h
}

func TestState(t *testing.T) {
	const (
		more  = false
		last  = true
		limit = 1000
	)
	text := frame(ws.OpText, last, 5)
	start := frame(ws.OpText, more, 5)
	end := frame(ws.OpContinuation, last, 5)
	ping := frame(ws.OpPing, last, 5)
	tests := []struct {
		name     string
		extended bool
		frames   []ws.Header
		code     ws.StatusCode // of the last frame
	}{
		{name: "messages", frames: []ws.Header{text, frame(ws.OpBinary, last, 0), text}},
		{name: "fragments", frames: []ws.Header{start, frame(ws.OpContinuation, more, 5), end, text}},
		{name: "control frames between fragments", frames: []ws.Header{start, ping, frame(ws.OpPong, last, 125), end, ping, text}},
		{name: "empty fragments", frames: []ws.Header{frame(ws.OpText, more, 0), frame(ws.OpContinuation, more, 0), frame(ws.OpContinuation, last, 0)}},
		{name: "close", frames: []ws.Header{frame(ws.OpClose, last, 2)}},

		{name: "continuation of nothing", frames: []ws.Header{end}, code: 1002},
		{name: "continuation behind a whole message", frames: []ws.Header{text, end}, code: 1002},
		{name: "continuation behind the last one", frames: []ws.Header{start, end, end}, code: 1002},
		{name: "message within a message", frames: []ws.Header{start, text}, code: 1002},
		{name: "message behind a ping within a message", frames: []ws.Header{start, ping, text}, code: 1002},
		{name: "not masked", frames: []ws.Header{unmasked(text)}, code: 1002},
		{name: "control frame not masked", frames: []ws.Header{unmasked(ping)}, code: 1002},
		{name: "fragmented control frame", frames: []ws.Header{frame(ws.OpPing, more, 5)}, code: 1002},
		{name: "long control frame", frames: []ws.Header{frame(ws.OpPing, last, 126)}, code: 1002},

		{name: "RSV1 without extension", frames: []ws.Header{withRsv(text, true, false, false)}, code: 1002},
		{name: "RSV2 without extension", frames: []ws.Header{withRsv(text, false, true, false)}, code: 1002},
		{name: "RSV3 without extension", frames: []ws.Header{withRsv(text, false, false, true)}, code: 1002},
		{name: "RSV1 with extension", extended: true, frames: []ws.Header{withRsv(text, true, false, false), text}},
		{name: "RSV1 on the first fragment", extended: true, frames: []ws.Header{withRsv(start, true, false, false), ping, end}},
		{name: "RSV1 on a continuation", extended: true, frames: []ws.Header{start, withRsv(end, true, false, false)}, code: 1002},
		{name: "RSV1 on a control frame", extended: true, frames: []ws.Header{withRsv(ping, true, false, false)}, code: 1002},
		{name: "RSV2 with extension", extended: true, frames: []ws.Header{withRsv(text, false, true, false)}, code: 1002},
		{name: "RSV3 with extension", extended: true, frames: []ws.Header{withRsv(text, true, false, true)}, code: 1002},

		{name: "message at the limit", frames: []ws.Header{frame(ws.OpBinary, last, limit)}},
		{name: "message over the limit", frames: []ws.Header{frame(ws.OpBinary, last, limit+1)}, code: 1009},
		{name: "message far over the limit", frames: []ws.Header{frame(ws.OpBinary, last, math.MaxInt64)}, code: 1009},
		{name: "fragments at the limit", frames: []ws.Header{start, ping, frame(ws.OpContinuation, last, limit-5)}},
		{name: "fragments over the limit", frames: []ws.Header{start, ping, frame(ws.OpContinuation, last, limit-4)}, code: 1009},
		{name: "fragments over 63 bits", frames: []ws.Header{start, frame(ws.OpContinuation, last, math.MaxInt64)}, code: 1009},
		{name: "limit is for each message", frames: []ws.Header{frame(ws.OpText, last, limit), frame(ws.OpText, last, limit), start, end}},
		{name: "protocol before size", frames: []ws.Header{unmasked(frame(ws.OpText, last, limit+1))}, code: 1002},
	}
	for op := range ws.OpCode(16) {
		if op.IsReserved() {
			tests = append(tests, struct {
				name     string
				extended bool
				frames   []ws.Header
				code     ws.StatusCode
			}{name: fmt.Sprintf("reserved opcode %x", op), frames: []ws.Header{frame(op, last, 5)}, code: 1002})
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := State{Extended: tt.extended}
			var soFar int64
			for i, h := range tt.frames {
				var want ws.StatusCode
				if i == len(tt.frames)-1 {
					want = tt.code
				}
				before := s
				err := s.CheckHeader(h, limit, soFar)
				if !hasCode(err, want) {
					t.Fatalf("frame %d: got %v, want code %d", i, err, want)
				}
				if err != nil && s != before {
					t.Errorf("the state moved on with an error")
				}
				if h.OpCode.IsControl() {
					continue
				}
				if soFar += h.Length; !s.Fragmented() {
					soFar = 0
				}
			}
		})
	}
}

// One State is kept for each idle connection.
func TestStateIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > 16 {
		t.Errorf("%d bytes", n)
	}
	if n := unsafe.Sizeof(UTF8{}); n > 16 {
		t.Errorf("UTF8: %d bytes", n)
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", errTooBig)
	for target, want := range map[*Error]bool{
		{Code: 1009}:                            true,
		{Code: 1009, Reason: "message too big"}: true,
		{Code: 1009, Reason: "other"}:           false,
		{Code: 1002}:                            false,
	} {
		if got := errors.Is(err, target); got != want {
			t.Errorf("errors.Is(err, %v) = %v, want %v", target, got, want)
		}
	}
	if got, want := errTooBig.Error(), "wsproto: 1009 message too big"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
