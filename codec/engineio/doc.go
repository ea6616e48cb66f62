// Package engineio turns bytes into Engine.IO packets and back, for revisions 4
// and 3 of the protocol. It does no I/O and knows no sessions. Nothing is
// allocated for a packet: decoders return views of their input, encoders append
// to what they are given.
//
// What differs between the revisions has a name that ends in V3; JSONP serves
// both. The forms of a packet by revision and transport:
//
//	                   revision 4                        revision 3
//	WebSocket, text    AppendPacket, DecodeText          AppendPacketV3, DecodeTextV3
//	WebSocket, binary  the data itself, DecodeBinary     AppendBinaryPacketV3, DecodeBinaryV3
//	polling, text      AppendPacket between Separators,  AppendPayloadV3, NewPayloadReaderV3
//	                   NewPayloadReader
//	polling, binary    -                                 AppendBinaryPayloadV3, NewBinaryPayloadReaderV3
//
// Protocol: https://socket.io/docs/v4/engine-io-protocol/ (revision 4),
// https://github.com/socketio/engine.io-protocol/tree/v3 (revision 3)
package engineio
