// Package engineio turns bytes into Engine.IO packets and back, for revision 4
// of the protocol. It does no I/O and knows no sessions. Nothing is allocated
// for a packet: decoders return views of their input, encoders append to what
// they are given.
//
// Protocol: https://socket.io/docs/v4/engine-io-protocol/
package engineio
