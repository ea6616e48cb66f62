package msgpack

import (
	"encoding/binary"
	"time"
)

// Extension is an extension that has no other meaning here: neither undefined, nor a
// Date, an ArrayBuffer or a timestamp.
type Extension struct {
	Type int8
	Data []byte
}

// JavaScript's undefined, Date and ArrayBuffer are extensions of the same type, which
// differ in the form they are written in.
const (
	typeJavaScript int8 = 0
	typeTimestamp  int8 = -1 // of the specification
)

// meaning is what an extension stands for.
type meaning uint8

const (
	otherExt meaning = iota
	undefined
	date
	buffer
)

// meaningOf says what the extension that b begins with is.
func meaningOf(lead byte, typ int8, data []byte) meaning {
	switch {
	case typ == typeJavaScript && lead == fixExt1:
		return undefined
	case typ == typeJavaScript && lead == fixExt8:
		return date
	case typ == typeJavaScript && lead <= ext8+2:
		return buffer
	case typ == typeTimestamp && (len(data) == 4 || len(data) == 8 || len(data) == 12):
		return date
	}
	return otherExt
}

// appendDate appends a Date: milliseconds since 1970.
func appendDate(dst []byte, t time.Time) []byte {
	dst = append(dst, fixExt8, byte(typeJavaScript))
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixMilli()))
}

// readDate reads a Date, or a timestamp.
func readDate(typ int8, data []byte) time.Time {
	switch {
	case typ == typeJavaScript:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(data))).UTC()
	case len(data) == 4:
		return time.Unix(int64(binary.BigEndian.Uint32(data)), 0).UTC()
	case len(data) == 8:
		both := binary.BigEndian.Uint64(data)
		return time.Unix(int64(both&(1<<34-1)), int64(both>>34)).UTC()
	}
	return time.Unix(int64(binary.BigEndian.Uint64(data[4:])), int64(binary.BigEndian.Uint32(data))).UTC()
}

// dateFormat is that of a Date's toJSON, for the years that have four digits.
const dateFormat = "2006-01-02T15:04:05.000Z"
