package wsproto

import "github.com/gobwas/ws"

// State judges the frames of one connection in their order (RFC 6455, section
// 5). The zero value is that of a new connection without extensions. It does not
// belong to two goroutines at once.
type State struct {
	// Extended says that an extension was agreed on that gives RSV1 of a
	// message's first frame a meaning, as permessage-deflate does (RFC 7692,
	// section 6). The caller reads the bit from the header.
	Extended bool

	fragmented bool // a message has begun and not ended
}

var (
	errTooBig = &Error{ws.StatusMessageTooBig, "message too big"}
	errRsv    = &Error{ws.StatusProtocolError, "reserved bit without a meaning"}
)

// CheckHeader judges the header of the next frame, before its payload is read.
// maxMessage is the largest message in bytes, all its fragments together; soFar
// is what is there of the current message, and only counts for a continuation.
//
// The error is an [*Error]: 1009 for a message that is going to be longer than
// maxMessage, else 1002. The state only moves on if there is none.
func (s *State) CheckHeader(h ws.Header, maxMessage, soFar int64) error {
	state := ws.StateServerSide
	if s.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	if s.Extended {
		state = state.Set(ws.StateExtended)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &Error{ws.StatusProtocolError, err.Error()}
	}
	if h.Rsv2() || h.Rsv3() || h.Rsv1() && (h.OpCode.IsControl() || h.OpCode == ws.OpContinuation) {
		return errRsv
	}
	if h.OpCode.IsControl() {
		return nil
	}
	if h.OpCode != ws.OpContinuation {
		soFar = 0
	}
	// Subtracting can't overflow, as adding could: nothing here is negative.
	if h.Length < 0 || h.Length > maxMessage-soFar {
		return errTooBig
	}
	s.fragmented = !h.Fin
	return nil
}

// Fragmented reports whether a message has begun and not ended.
func (s *State) Fragmented() bool { return s.fragmented }
