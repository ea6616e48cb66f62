package wsproto

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// maxReason is the longest reason of a close frame in bytes.
const maxReason = ws.MaxControlFramePayloadSize - 2

// Close codes that package ws does not name; they were registered after RFC 6455
// (section 11.7).
const (
	statusLastRegistered ws.StatusCode = 1014 // Bad Gateway
	statusLastPrivate    ws.StatusCode = 4999
)

var (
	errCloseLength = &Error{ws.StatusProtocolError, "close frame with half a code"}
	errCloseCode   = &Error{ws.StatusProtocolError, "invalid close code"}
	errCloseReason = &Error{ws.StatusInvalidFramePayloadData, "invalid UTF-8 in close reason"}
)

// ParseClose parses the unmasked payload of a close frame (RFC 6455, section
// 5.5.1). Without one the code is 1005. reason is a view of payload.
//
// The error is an [*Error]: 1002 for half a code or one that must not be sent,
// 1007 for a reason that is not valid UTF-8.
func ParseClose(payload []byte) (code ws.StatusCode, reason []byte, err error) {
	switch len(payload) {
	case 0:
		return ws.StatusNoStatusRcvd, nil, nil
	case 1:
		return 0, nil, errCloseLength
	}
	code, reason = ws.StatusCode(binary.BigEndian.Uint16(payload)), payload[2:]
	if !validCode(code) {
		return 0, nil, errCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, errCloseReason
	}
	return code, reason, nil
}

// validCode reports whether a close frame may hold the code (RFC 6455, section
// 7.4). Unlike ws.CheckCloseFrameData it knows the codes 1012 to 1014, and
// refuses those above 4999.
func validCode(code ws.StatusCode) bool {
	switch {
	case code == ws.StatusNoMeaningYet || code.IsProtocolReserved():
		return false
	case code.IsProtocolSpec():
		return code <= statusLastRegistered
	}
	return !code.IsNotUsed() && code <= statusLastPrivate
}

// AppendClose appends a whole close frame, unmasked. For the codes that stand
// for none (0, 1005, 1006, 1015) its payload is empty, and reason is dropped. A
// reason that does not fit is cut between characters; what is not UTF-8 in it is
// replaced.
func AppendClose(dst []byte, code ws.StatusCode, reason string) []byte {
	if code.Empty() || code.IsProtocolReserved() {
		return AppendHeader(dst, ws.OpClose, true, false, 0)
	}
	reason = cutReason(reason)
	dst = AppendHeader(dst, ws.OpClose, true, false, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

func cutReason(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(s) <= maxReason {
		return s
	}
	n := maxReason
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
