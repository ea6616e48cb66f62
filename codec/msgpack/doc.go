// Package msgpack puts Socket.IO packets into MessagePack, as the npm package
// socket.io-msgpack-parser does: server and clients that agree on it understand each
// other. To use it, set Options.Parser of the root package to [Parser].
//
// Values are written and read by the rules of encoding/json, struct tags and
// json.Marshaler and encoding.TextMarshaler included, so that the same types work with and
// without it. What differs is what MessagePack can and JSON can't:
//
//   - A []byte is binary data, wherever it stands. An ArrayBuffer of a client is read as
//     one, too.
//   - A [time.Time] is a Date, to the millisecond. A string in the form of RFC 3339 and the
//     timestamp of the MessagePack specification are read as one, too.
//   - NaN and infinity pass.
//   - An any takes what JSON gives, and []byte, time.Time and [Extension]. A number is a
//     float64 unless that would lose digits: then it is an int64 or a uint64.
//   - JavaScript's undefined is read as nil.
//
// Clients of Socket.IO 3 and 4 have the package in version 3. Version 2, for clients of
// Socket.IO 2, writes some packets as text and has types of its own for binary data; these
// are refused, as by the reference server.
//
// What MessagePack is: https://github.com/msgpack/msgpack/blob/master/spec.md
package msgpack
