package socketio

import (
	"strconv"
	"unicode/utf8"
)

// AppendHeader appends what stands in front of a packet's payload. The
// namespace "/" is left out, as is the id unless hasID, and the number of
// attachments but for the binary types.
func AppendHeader(dst []byte, t PacketType, ns string, id uint64, hasID bool, attachments int) []byte {
	dst = append(dst, '0'+byte(t))
	if t.IsBinary() {
		dst = append(strconv.AppendInt(dst, int64(attachments), 10), '-')
	}
	if ns != "/" {
		dst = append(append(dst, ns...), ',')
	}
	if hasID {
		dst = strconv.AppendUint(dst, id, 10)
	}
	return dst
}

// AppendConnect appends the answer to a CONNECT; an empty pid is left out. Neither
// may need escaping.
func AppendConnect(dst []byte, ns, sid, pid string) []byte {
	dst = AppendHeader(dst, Connect, ns, 0, false, 0)
	dst = append(append(dst, `{"sid":"`...), sid...)
	if pid != "" {
		dst = append(append(dst, `","pid":"`...), pid...)
	}
	return append(dst, `"}`...)
}

// AppendDisconnect appends a DISCONNECT.
func AppendDisconnect(dst []byte, ns string) []byte {
	return AppendHeader(dst, Disconnect, ns, 0, false, 0)
}

// AppendConnectError appends a CONNECT_ERROR. data is raw JSON, nil to leave it
// out.
func AppendConnectError(dst []byte, ns, message string, data []byte) []byte {
	dst = AppendHeader(dst, ConnectError, ns, 0, false, 0)
	dst = AppendString(append(dst, `{"message":`...), message)
	if data != nil {
		dst = append(append(dst, `,"data":`...), data...)
	}
	return append(dst, '}')
}

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string, in the form that JavaScript's
// JSON.stringify gives it. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[from:i]...), "\ufffd"...)
				from = i + n
			}
			i += n
			continue
		}
		dst = appendEscape(append(dst, s[from:i]...), c)
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
