package socketio

import "errors"

// What can be wrong with what a client sent. Compare with [errors.Is]. The
// texts are those of the reference implementation, where it has one.
var (
	ErrUnknownType               = errors.New("socketio: unknown packet type")
	ErrInvalidPayload            = errors.New("socketio: invalid payload")
	ErrInvalidID                 = errors.New("socketio: invalid packet id")
	ErrIllegalAttachments        = errors.New("socketio: illegal attachments")
	ErrTooManyAttachments        = errors.New("socketio: too many attachments")
	ErrPlaintextDuringReassembly = errors.New("socketio: got plaintext data when reconstructing a packet")
	ErrUnexpectedBinary          = errors.New("socketio: got binary data when not reconstructing a packet")
	ErrNestingTooDeep            = errors.New("socketio: JSON is nested too deeply")
	ErrTooManyArgs               = errors.New("socketio: too many arguments")
	ErrTooLarge                  = errors.New("socketio: attachments are too large")
)
