package engine

import "sync/atomic"

// Stats are counts since a server was made, and of what is open now.
type Stats struct {
	// Open is how many sessions are open, Opened how many ever were.
	Open, Opened int64
	// Refused are refused requests by code; codes of the program's own count as
	// [CodeBadRequest].
	Refused map[ErrorCode]int64
	// Limited are handshakes that were refused for what their address has or did.
	Limited int64
	// Closed are ended sessions by reason.
	Closed map[CloseReason]int64
	// Upgraded counts sessions that went over to a WebSocket.
	Upgraded int64
}

type counters struct {
	open, opened, upgraded, limited atomic.Int64

	refused [len(codeMessages)]atomic.Int64
	closed  [len(closeReasons)]atomic.Int64
}

var closeReasons = [...]CloseReason{TransportClose, TransportError, ParseError, PingTimeout, ForcedClose}

func (n *counters) refuse(code ErrorCode) {
	if code < 0 || int(code) >= len(n.refused) {
		code = CodeBadRequest
	}
	n.refused[code].Add(1)
}

func (n *counters) close(reason CloseReason) {
	for i, r := range closeReasons {
		if r == reason {
			n.closed[i].Add(1)
		}
	}
	n.open.Add(-1)
}

// Stats returns the server's counts. Any goroutine may call it.
func (s *Server) Stats() Stats {
	n := &s.stats
	st := Stats{
		Open: n.open.Load(), Opened: n.opened.Load(), Upgraded: n.upgraded.Load(), Limited: n.limited.Load(),
		Refused: make(map[ErrorCode]int64), Closed: make(map[CloseReason]int64),
	}
	for code := range n.refused {
		st.Refused[ErrorCode(code)] = n.refused[code].Load()
	}
	for i, reason := range closeReasons {
		st.Closed[reason] = n.closed[i].Load()
	}
	return st
}
