package socketio

import "strconv"

// PacketType is the type of a packet; its decimal digit is what goes over the
// wire.
type PacketType uint8

// The packet types.
const (
	Connect PacketType = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent // an Event with attachments
	BinaryAck   // an Ack with attachments
)

// String returns the type's name in the protocol.
func (t PacketType) String() string {
	names := [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}
	if int(t) < len(names) {
		return names[t]
	}
	return "packet type " + strconv.Itoa(int(t))
}

// IsEvent reports whether packets of the type carry an event.
func (t PacketType) IsEvent() bool { return t == Event || t == BinaryEvent }

// IsAck reports whether packets of the type carry an acknowledgement.
func (t PacketType) IsAck() bool { return t == Ack || t == BinaryAck }

// IsBinary reports whether packets of the type have attachments.
func (t PacketType) IsBinary() bool { return t == BinaryEvent || t == BinaryAck }

// Packet is a decoded packet. All byte slices are views of the input.
type Packet struct {
	Type PacketType
	// Namespace is "/" if the packet names none.
	Namespace []byte
	// ID is the acknowledgement's id, if HasID.
	ID    uint64
	HasID bool
	// Attachments is how many binary messages follow the packet.
	Attachments int
	// Data is the raw JSON payload, nil if there is none.
	Data []byte
	// Args are the elements of the payload of events and acknowledgements; an
	// event's name is the first.
	Args [][]byte
}

// Limits bound what a packet may make its receiver do. A zero field means its
// default.
type Limits struct {
	Attachments int // of one packet; default 10
	Depth       int // nesting of JSON; default 128
	Args        int // elements of the payload's array; default 65,536
}

// WithDefaults returns l with the defaults in place of zero fields.
func (l Limits) WithDefaults() Limits {
	if l.Attachments <= 0 {
		l.Attachments = 10
	}
	if l.Depth <= 0 {
		l.Depth = 128
	}
	if l.Args <= 0 {
		l.Args = 1 << 16
	}
	return l
}

// Reserved reports whether the protocol keeps an event name for itself.
func Reserved(event string) bool {
	switch event {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
