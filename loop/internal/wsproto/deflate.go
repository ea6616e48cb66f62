package wsproto

import "strconv"

// Sizes of the LZ77 window that permessage-deflate knows, as powers of 2 (RFC
// 7692, section 7.1.2).
const (
	MinWindowBits = 8
	MaxWindowBits = 15
)

// DeflateLimits are what this server lets a client negotiate.
type DeflateLimits struct {
	// ServerTakeover and ClientTakeover say whether the window of one message may
	// be used for the next one of that direction.
	ServerTakeover, ClientTakeover bool
	// ServerBits and ClientBits are the largest windows, from [MinWindowBits] to
	// [MaxWindowBits].
	ServerBits, ClientBits int
}

// Deflate is what was agreed on for the messages of one connection.
type Deflate struct {
	// ServerTakeover and ClientTakeover say whether the window of one message is
	// used for the next one of that direction.
	ServerTakeover, ClientTakeover bool
	// ServerBits and ClientBits bound the windows. A client that does not know
	// how to bound its own has the largest.
	ServerBits, ClientBits int

	tellServerBits bool
}

const (
	deflateName       = "permessage-deflate"
	serverNoTakeover  = "server_no_context_takeover"
	clientNoTakeover  = "client_no_context_takeover"
	serverWindowBits  = "server_max_window_bits"
	clientWindowBits  = "client_max_window_bits"
	windowBitsMissing = 0
)

// NegotiateDeflate picks the first offer of permessage-deflate that this server
// can take from the value of a client's Sec-WebSocket-Extensions header, and
// reports whether there is one. Offers with a parameter that is unknown, there
// twice, or has a value that it must not have are passed over (RFC 7692, section
// 7.1), as are other extensions.
//
// The error is an [*Error]: the header breaks its grammar, and the handshake is
// to be failed.
func NegotiateDeflate(header []byte, limits DeflateLimits) (d Deflate, ok bool, err error) {
	list := extensionList{header}
	for {
		name, err := list.next()
		if err != nil {
			return Deflate{}, false, err
		}
		if name == nil {
			return d, ok, nil
		}
		offer := deflateOffer{bad: ok || string(name) != deflateName}
		for {
			name, value, err := list.param()
			if err != nil {
				return Deflate{}, false, err
			}
			if name == nil {
				break
			}
			offer.add(name, value)
		}
		if !offer.bad {
			d, ok = offer.accept(limits), true
		}
	}
}

// deflateOffer is one element of the header.
type deflateOffer struct {
	bad              bool // not to be taken
	serverNoTakeover bool
	clientNoTakeover bool
	serverBits       int  // 0: not there
	clientBits       int  // 0: not there; the largest if it has no value
	clientBounds     bool // client_max_window_bits is there
}

// add takes a parameter.
func (o *deflateOffer) add(name, value []byte) {
	valid := false
	switch string(name) {
	case serverNoTakeover:
		valid = !o.serverNoTakeover && value == nil
		o.serverNoTakeover = true
	case clientNoTakeover:
		valid = !o.clientNoTakeover && value == nil
		o.clientNoTakeover = true
	case serverWindowBits:
		valid = o.serverBits == windowBitsMissing
		o.serverBits = windowBits(value)
		valid = valid && o.serverBits != windowBitsMissing
	case clientWindowBits:
		valid = !o.clientBounds
		o.clientBounds = true
		if o.clientBits = MaxWindowBits; value != nil {
			o.clientBits = windowBits(value)
		}
		valid = valid && o.clientBits != windowBitsMissing
	}
	o.bad = o.bad || !valid
}

// windowBits parses 8 to 15 without leading zeros; anything else is
// windowBitsMissing.
func windowBits(value []byte) int {
	switch {
	case len(value) == 1 && (value[0] == '8' || value[0] == '9'):
		return int(value[0] - '0')
	case len(value) == 2 && value[0] == '1' && '0' <= value[1] && value[1] <= '5':
		return 10 + int(value[1]-'0')
	}
	return windowBitsMissing
}

// accept makes the most of an offer that is valid: every one can be taken.
func (o *deflateOffer) accept(limits DeflateLimits) Deflate {
	d := Deflate{
		ServerTakeover: limits.ServerTakeover && !o.serverNoTakeover,
		ClientTakeover: limits.ClientTakeover && !o.clientNoTakeover,
		ServerBits:     limits.ServerBits,
		ClientBits:     MaxWindowBits,
	}
	if o.serverBits != windowBitsMissing {
		d.ServerBits = min(d.ServerBits, o.serverBits)
		d.tellServerBits = true
	}
	switch {
	case o.clientBounds:
		d.ClientBits = min(limits.ClientBits, o.clientBits)
	case limits.ClientBits < MaxWindowBits:
		// This client can't be told to use less than the largest window, but any
		// can be told to forget it.
		d.ClientTakeover = false
	}
	return d
}

// AppendAnswer appends the value of the Sec-WebSocket-Extensions header that
// accepts the offer.
func (d Deflate) AppendAnswer(dst []byte) []byte {
	dst = append(dst, deflateName...)
	if !d.ServerTakeover {
		dst = append(dst, "; "+serverNoTakeover...)
	}
	if !d.ClientTakeover {
		dst = append(dst, "; "+clientNoTakeover...)
	}
	if d.tellServerBits || d.ServerBits < MaxWindowBits {
		dst = strconv.AppendInt(append(dst, "; "+serverWindowBits+"="...), int64(d.ServerBits), 10)
	}
	if d.ClientBits < MaxWindowBits {
		dst = strconv.AppendInt(append(dst, "; "+clientWindowBits+"="...), int64(d.ClientBits), 10)
	}
	return dst
}
