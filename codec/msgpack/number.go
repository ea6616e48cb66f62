package msgpack

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// number is any number that MessagePack has.
type number struct {
	kind numberKind
	i    int64 // if it is negative
	u    uint64
	f    float64
}

type numberKind uint8

const (
	negative numberKind = iota + 1
	positive
	float
)

// readNumber reads the number that raw begins with.
func readNumber(raw []byte) (n number, ok bool) {
	switch msgp.NextType(raw) {
	case msgp.IntType, msgp.UintType:
		if u, _, err := msgp.ReadUint64Bytes(raw); err == nil {
			return number{kind: positive, u: u}, true
		}
		i, _, err := msgp.ReadInt64Bytes(raw)
		return number{kind: negative, i: i}, err == nil
	case msgp.Float32Type, msgp.Float64Type:
		f, _, err := msgp.ReadFloat64Bytes(raw)
		return number{kind: float, f: f}, err == nil
	}
	return n, false
}

// int64 returns the number if it is one exactly.
func (n number) int64() (int64, bool) {
	switch n.kind {
	case negative:
		return n.i, true
	case positive:
		return int64(n.u), n.u <= math.MaxInt64
	}
	// 2^63 is a float64, what is just below is not.
	return int64(n.f), n.f == math.Trunc(n.f) && n.f >= -(1<<63) && n.f < 1<<63
}

// uint64 returns the number if it is one exactly.
func (n number) uint64() (uint64, bool) {
	switch n.kind {
	case negative:
		return 0, false
	case positive:
		return n.u, true
	}
	return uint64(n.f), n.f == math.Trunc(n.f) && n.f >= 0 && n.f < 1<<64
}

func (n number) float64() float64 {
	switch n.kind {
	case negative:
		return float64(n.i)
	case positive:
		return float64(n.u)
	}
	return n.f
}

// any returns the number as a float64, or as an integer that no float64 is.
func (n number) any() any {
	const exact = 1 << 53
	switch {
	case n.kind == negative && n.i < -exact && !exactInt(n.i):
		return n.i
	case n.kind == positive && n.u > exact && !exactUint(n.u):
		if n.u <= math.MaxInt64 {
			return int64(n.u)
		}
		return n.u
	}
	return n.float64()
}

// What is at the end of the range rounds to a float64 beyond it.
func exactInt(i int64) bool   { return int64(float64(i)) == i }
func exactUint(u uint64) bool { f := float64(u); return f < 1<<64 && uint64(f) == u }

// appendText appends the number as JSON has it; what it has not is null.
func (n number) appendText(dst []byte) []byte {
	switch n.kind {
	case negative:
		return strconv.AppendInt(dst, n.i, 10)
	case positive:
		return strconv.AppendUint(dst, n.u, 10)
	}
	if math.IsNaN(n.f) || math.IsInf(n.f, 0) {
		return append(dst, "null"...)
	}
	return appendFloat(dst, n.f)
}

// appendFloat appends a number in JavaScript's form.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	// JavaScript has no zero in front of an exponent's only digit.
	if n := len(dst); format == 'e' && n-from >= 4 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// appendInt appends an integer in the shortest form, as clients do.
func appendInt(dst []byte, i int64) []byte {
	if i >= 0 {
		return msgp.AppendUint64(dst, uint64(i))
	}
	return msgp.AppendInt64(dst, i)
}

// appendNumber appends a float64, as an integer if it is one: to JavaScript there is no
// difference, and it is shorter.
func appendNumber(dst []byte, f float64) []byte {
	if n := (number{kind: float, f: f}); f == math.Trunc(f) {
		if i, ok := n.int64(); ok {
			return appendInt(dst, i)
		}
		if u, ok := n.uint64(); ok {
			return msgp.AppendUint64(dst, u)
		}
	}
	return msgp.AppendFloat64(dst, f)
}

// appendJSONNumber appends a number that is written out.
func appendJSONNumber(dst []byte, text json.Number) ([]byte, error) {
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return appendInt(dst, i), nil
	}
	if u, err := strconv.ParseUint(string(text), 10, 64); err == nil {
		return msgp.AppendUint64(dst, u), nil
	}
	switch f, err := strconv.ParseFloat(string(text), 64); {
	case text == "":
		return appendInt(dst, 0), nil // as encoding/json has it
	case err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		return dst, fmt.Errorf("%w: number %q", ErrUnsupported, text)
	default:
		return appendNumber(dst, f), nil
	}
}
