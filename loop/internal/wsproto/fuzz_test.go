package wsproto

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gobwas/ws"
)

func FuzzParseHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		h, n, err := ParseHeader(input)
		want, wantErr := ws.ReadHeader(bytes.NewReader(input))
		switch {
		case err != nil:
			if n != 0 || !hasCode(err, ws.StatusProtocolError) {
				t.Fatalf("%x: got %d, %v", input, n, err)
			}
			// Package ws waits for the mask before it looks at the length, and takes
			// one that is not in its shortest form.
			waits := errors.Is(wantErr, io.ErrUnexpectedEOF)
			padded := errors.Is(err, errLengthPadding)
			if !waits && errors.Is(wantErr, ws.ErrHeaderLengthMSB) == padded {
				t.Fatalf("%x: got %v, package ws %v", input, err, wantErr)
			}
		case n == 0:
			if !errors.Is(wantErr, io.EOF) && !errors.Is(wantErr, io.ErrUnexpectedEOF) {
				t.Fatalf("%x: incomplete, package ws %+v, %v", input, want, wantErr)
			}
		default:
			if wantErr != nil || h != want {
				t.Fatalf("%x: got %+v, package ws %+v, %v", input, h, want, wantErr)
			}
			checkHeader(t, input[:n], h)
			if again := encode(t, h); !bytes.Equal(again, input[:n]) {
				t.Fatalf("%x is written as %x", input[:n], again)
			}
		}
	})
}

// FuzzState judges a stream of frame headers, none of which has its payload
// behind it, and compares with a plain reading of the rules.
func FuzzState(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte, maxMessage int64, extended bool) {
		s := State{Extended: extended}
		open := false
		var soFar int64
		for {
			h, n, err := ParseHeader(input)
			if n == 0 || err != nil {
				return
			}
			input = input[n:]
			err = s.CheckHeader(h, maxMessage, soFar)
			if err != nil {
				if !hasCode(err, ws.StatusProtocolError) && !hasCode(err, ws.StatusMessageTooBig) {
					t.Fatalf("error %v", err)
				}
				return
			}
			switch control := h.OpCode.IsControl(); {
			case !h.Masked, h.OpCode.IsReserved(), h.Rsv&3 != 0,
				h.Rsv != 0 && !extended,
				h.Rsv != 0 && (control || h.OpCode == ws.OpContinuation),
				control && (!h.Fin || h.Length > 125),
				!control && open != (h.OpCode == ws.OpContinuation):
				t.Fatalf("accepted %+v, message open: %v", h, open)
			case control:
				continue
			}
			if soFar += h.Length; soFar < 0 || soFar > maxMessage {
				t.Fatalf("accepted %d bytes, %d allowed", soFar, maxMessage)
			}
			if open = !h.Fin; !open {
				soFar = 0
			}
			if s.Fragmented() != open {
				t.Fatalf("fragmented: %v, want %v", s.Fragmented(), open)
			}
		}
	})
}

func FuzzUTF8(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) <= 256 {
			checkUTF8(t, text)
		}
	})
}

func FuzzClose(f *testing.F) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		code, reason, err := ParseClose(payload)
		if err != nil {
			if !hasCode(err, ws.StatusProtocolError) && !hasCode(err, ws.StatusInvalidFramePayloadData) {
				t.Fatalf("error %v", err)
			}
			return
		}
		b := AppendClose(nil, code, string(reason))
		if want := payload[:min(len(payload), ws.MaxControlFramePayloadSize)]; len(payload) <= len(want) && !bytes.Equal(b[2:], want) {
			t.Fatalf("%x is written as %x", payload, b[2:])
		}
	})
}
