// Package socketio turns bytes into Socket.IO packets and back, for revision 5
// of the protocol. It does no I/O, knows no namespaces or clients, and does not
// use reflection: the arguments of an event stay raw JSON.
//
// Decoders return views of their input: they are valid as long as that is, and
// nothing is allocated for a packet. Encoders append to what they are given.
//
// Protocol: https://socket.io/docs/v4/socket-io-protocol/
package socketio
