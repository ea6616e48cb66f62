package socketio

import "bytes"

// Assembler puts a binary packet and its attachments, which come in messages of
// their own, together. A client connection has one at most, for all of its
// namespaces. The zero value is ready; it holds nothing between packets.
type Assembler struct {
	text        []byte
	attachments [][]byte
	due         int
	size, limit int
}

// Start begins with the packet p that was decoded from text, which is copied.
// Together with its attachments it may have up to limit bytes.
func (a *Assembler) Start(text []byte, p Packet, limit int) error {
	if len(text) > limit {
		return ErrTooLarge
	}
	*a = Assembler{text: bytes.Clone(text), due: p.Attachments, size: len(text), limit: limit}
	return nil
}

// Pending reports whether attachments are due.
func (a *Assembler) Pending() bool { return a.due > 0 }

// Add takes a copy of an attachment. done says that it was the last.
func (a *Assembler) Add(b []byte) (done bool, err error) {
	if a.due == 0 {
		return false, ErrUnexpectedBinary
	}
	if a.size += len(b); a.size > a.limit {
		return false, ErrTooLarge
	}
	attachment := append(make([]byte, 0, len(b)), b...) // never nil, even when empty
	a.attachments = append(a.attachments, attachment)
	a.due--
	return a.due == 0, nil
}

// Take hands over the packet's text and its attachments, and leaves a empty.
// The error says that a placeholder has no attachment, or that something looks like
// one; see [CountPlaceholders].
func (a *Assembler) Take(lim Limits) (p Packet, attachments [][]byte, err error) {
	text := a.text
	attachments = a.attachments
	*a = Assembler{}
	if p, err = Decode(text, nil, lim); err != nil {
		return p, nil, err
	}
	_, err = CountPlaceholders(p.Data, len(attachments))
	return p, attachments, err
}
