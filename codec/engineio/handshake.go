package engineio

import (
	"strconv"
	"time"
)

// Handshake is what the server tells in the open packet.
type Handshake struct {
	SID string // must need no escaping in JSON
	// Upgrades are the transports that the client may upgrade to.
	Upgrades []string
	// PingInterval and PingTimeout are told in whole milliseconds.
	PingInterval, PingTimeout time.Duration
	// MaxPayload is the largest request body taken, in bytes.
	MaxPayload int
}

// AppendHandshake appends the JSON of an open packet, in the reference's order
// of keys.
func AppendHandshake(dst []byte, h Handshake) []byte {
	dst = append(append(dst, `{"sid":"`...), h.SID...)
	dst = append(dst, `","upgrades":[`...)
	for i, u := range h.Upgrades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), u...), '"')
	}
	dst = strconv.AppendInt(append(dst, `],"pingInterval":`...), h.PingInterval.Milliseconds(), 10)
	dst = strconv.AppendInt(append(dst, `,"pingTimeout":`...), h.PingTimeout.Milliseconds(), 10)
	dst = strconv.AppendInt(append(dst, `,"maxPayload":`...), int64(h.MaxPayload), 10)
	return append(dst, '}')
}
