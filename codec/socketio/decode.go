package socketio

import (
	"bytes"
	"math"
)

var root = []byte("/")

// Decode decodes the text of one packet, in one pass that also validates its
// JSON. The Args of the packet are appended to args[:0], so that a caller can
// use the same memory again and again; they and all else in the packet are
// views of b. On an error, the packet is not to be used.
func Decode(b []byte, args [][]byte, lim Limits) (p Packet, err error) {
	lim = lim.WithDefaults()
	if len(b) == 0 || b[0] < '0' || b[0] > '6' {
		return p, ErrUnknownType
	}
	p.Type = PacketType(b[0] - '0')
	b = b[1:]
	if p.Type.IsBinary() {
		if p.Attachments, b, err = attachmentCount(b, lim.Attachments); err != nil {
			return p, err
		}
	}
	p.Namespace, b = namespace(b)
	if p.ID, p.HasID, b, err = packetID(b); err != nil {
		return p, err
	}
	if len(b) > 0 {
		p.Data = b
	}
	s := scanner{b: b, depth: lim.Depth}
	switch p.Type {
	case Connect:
		err = s.payload(len(b) == 0, '{')
	case ConnectError:
		err = s.payload(false, '{', '"')
	case Disconnect:
		if len(b) > 0 {
			err = ErrInvalidPayload
		}
	default:
		p.Args, err = s.arguments(args[:0], lim.Args)
		if err == nil {
			err = p.checkArguments()
		}
	}
	return p, err
}

// attachmentCount reads the digits up to a dash.
func attachmentCount(b []byte, limit int) (n int, rest []byte, err error) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = min(10*n+int(b[i]-'0'), math.MaxInt32)
	}
	switch {
	case i == 0, n == 0, i == len(b), b[i] != '-':
		return 0, nil, ErrIllegalAttachments
	case n > limit:
		return 0, nil, ErrTooManyAttachments
	}
	return n, b[i+1:], nil
}

// namespace reads a namespace up to its comma or the end.
func namespace(b []byte) (ns, rest []byte) {
	if len(b) == 0 || b[0] != '/' {
		return root, b
	}
	ns, rest, _ = bytes.Cut(b, []byte(","))
	return ns, rest
}

func packetID(b []byte) (id uint64, has bool, rest []byte, err error) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		d := uint64(b[i] - '0')
		if id > (math.MaxUint64-d)/10 {
			return 0, false, nil, ErrInvalidID
		}
		id = 10*id + d
	}
	return id, i > 0, b[i:], nil
}

// payload scans a payload that begins with one of the given bytes, or none if
// there need not be one.
func (s *scanner) payload(none bool, first ...byte) error {
	if none {
		return nil
	}
	if len(s.b) == 0 || bytes.IndexByte(first, s.b[0]) < 0 {
		return ErrInvalidPayload
	}
	if err := s.value(); err != nil {
		return err
	}
	return s.end()
}

// arguments scans a payload that is an array, and notes its elements.
func (s *scanner) arguments(args [][]byte, limit int) ([][]byte, error) {
	if len(s.b) == 0 || s.b[0] != '[' {
		return args, ErrInvalidPayload
	}
	into := elements{list: args, max: limit}
	err := s.array(&into)
	if err == nil {
		err = s.end()
	}
	return into.list, err
}

func (s *scanner) end() error {
	if s.space(); s.i < len(s.b) {
		return ErrInvalidPayload
	}
	return nil
}

// checkArguments judges what only events or only acknowledgements must have.
func (p *Packet) checkArguments() error {
	if p.Type.IsAck() {
		if !p.HasID {
			return ErrInvalidID
		}
		return nil
	}
	if len(p.Args) == 0 {
		return ErrInvalidPayload
	}
	switch name := p.Args[0]; {
	case name[0] == '"':
		if name, err := EventName(name); err != nil || Reserved(string(name)) {
			return ErrInvalidPayload
		}
	case name[0] != '-' && (name[0] < '0' || name[0] > '9'):
		return ErrInvalidPayload
	}
	return nil
}

// EventName returns the name of an event from its packet's first argument: what
// a string says, or the digits of a number. It is a view of raw unless raw has
// escapes.
func EventName(raw []byte) ([]byte, error) {
	switch {
	case len(raw) == 0:
		return nil, ErrInvalidPayload
	case raw[0] != '"':
		return raw, nil
	case len(raw) < 2:
		return nil, ErrInvalidPayload
	case bytes.IndexByte(raw, '\\') < 0:
		return raw[1 : len(raw)-1], nil
	}
	return unquote(nil, raw), nil
}
