package msgpack

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// decodeInto decodes raw, which was checked, into what dst points to. What is common
// needs no reflection.
func decodeInto(raw []byte, dst any) error {
	switch dst := dst.(type) {
	case *string:
		if s, _, err := msgp.ReadStringZC(raw); err == nil {
			*dst = text(s)
			return nil
		}
	case *any:
		if *dst == nil {
			var err error
			*dst, _, err = readAny(raw)
			return err
		}
	}
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("%w: decoding wants a pointer, not %T", ErrMismatch, dst)
	}
	return decode(raw, v.Elem())
}

// text copies a string. As in JavaScript, what is no UTF-8 is replaced.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\ufffd") }

// mismatch is the error for a value that does not fit t.
func mismatch(raw []byte, t reflect.Type) error {
	return fmt.Errorf("%w: %v into %v", ErrMismatch, msgp.NextType(raw), t)
}

// readAny reads the first value of b into what it is in Go.
func readAny(b []byte) (v any, rest []byte, err error) {
	switch kind := msgp.NextType(b); kind {
	case msgp.NilType:
		return nil, b[1:], nil
	case msgp.BoolType:
		v, rest, err := msgp.ReadBoolBytes(b)
		return v, rest, err //nolint:wrapcheck // it was checked
	case msgp.StrType:
		s, rest, err := msgp.ReadStringZC(b)
		return text(s), rest, err //nolint:wrapcheck // it was checked
	case msgp.BinType:
		data, rest, err := msgp.ReadBytesZC(b)
		return append([]byte{}, data...), rest, err //nolint:wrapcheck // it was checked
	case msgp.ArrayType:
		n, b, err := msgp.ReadArrayHeaderBytes(b)
		list := make([]any, n)
		for i := range list {
			if list[i], b, err = readAny(b); err != nil {
				return nil, b, err
			}
		}
		return list, b, err //nolint:wrapcheck // it was checked
	case msgp.MapType:
		n, b, err := msgp.ReadMapHeaderBytes(b)
		m := make(map[string]any, n)
		for range n {
			var key []byte
			if key, b, err = readKey(b); err != nil {
				return nil, b, err
			}
			if m[text(key)], b, err = readAny(b); err != nil {
				return nil, b, err
			}
		}
		return m, b, err //nolint:wrapcheck // it was checked
	}
	if n, ok := readNumber(b); ok {
		rest, err = skipScalar(b)
		return n.any(), rest, err
	}
	return readAnyExt(b)
}

func readAnyExt(b []byte) (v any, rest []byte, err error) {
	typ, data, rest, err := readExt(b)
	if err != nil {
		return nil, nil, err
	}
	switch meaningOf(b[0], typ, data) {
	case undefined:
		return nil, rest, nil
	case date:
		return readDate(typ, data), rest, nil
	case buffer:
		return append([]byte{}, data...), rest, nil
	}
	return Extension{typ, bytes.Clone(data)}, rest, nil
}

// isNothing says whether raw is nil or undefined.
func isNothing(raw []byte) bool { return msgp.IsNil(raw) || isUndefined(raw) }

// decode decodes one value into v.
func decode(raw []byte, v reflect.Value) error {
	t := v.Type()
	switch {
	case t == timeType:
		return decodeTime(raw, v)
	case t == numberType:
		return decodeJSONNumber(raw, v)
	case t == extensionType:
		return decodeExtension(raw, v)
	case isNothing(raw):
		if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
			v.SetZero()
			return nil
		}
	}
	if t.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(t.Elem()))
		}
		return decode(raw, v.Elem())
	}
	if done, err := decodeUnmarshaler(raw, v); done {
		return err
	}
	if isNothing(raw) {
		if t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
			v.SetZero()
		}
		return nil // all others stay what they are, as encoding/json has it
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return mismatch(raw, t)
		}
		value, _, err := readAny(raw)
		if err == nil && value != nil {
			v.Set(reflect.ValueOf(value))
		}
		return err
	case reflect.Bool:
		b, _, err := msgp.ReadBoolBytes(raw)
		if err != nil {
			return mismatch(raw, t)
		}
		v.SetBool(b)
	case reflect.String:
		s, _, err := msgp.ReadStringZC(raw)
		if err != nil {
			return mismatch(raw, t)
		}
		v.SetString(text(s))
	case reflect.Slice:
		return decodeSlice(raw, v)
	case reflect.Array:
		return decodeArray(raw, v)
	case reflect.Map:
		return decodeMap(raw, v)
	case reflect.Struct:
		return decodeStruct(raw, v)
	default:
		return decodeNumber(raw, v)
	}
	return nil
}

// decodeUnmarshaler decodes into a value that reads itself; done says whether it does.
func decodeUnmarshaler(raw []byte, v reflect.Value) (done bool, err error) {
	v = v.Addr()
	t := v.Type()
	if t.Implements(jsonUnmarshaler) {
		text, _, err := appendJSON(nil, raw)
		if err == nil {
			err = v.Interface().(json.Unmarshaler).UnmarshalJSON(text)
		}
		if err != nil {
			return true, fmt.Errorf("%w: %w", ErrMismatch, err)
		}
		return true, nil
	}
	if !t.Implements(textUnmarshaler) || isNothing(raw) {
		return false, nil
	}
	s, _, err := msgp.ReadStringZC(raw)
	if err != nil {
		return true, mismatch(raw, t)
	}
	if err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text(s))); err != nil {
		return true, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	return true, nil
}

func decodeTime(raw []byte, v reflect.Value) error {
	if isNothing(raw) {
		return nil
	}
	if s, _, err := msgp.ReadStringZC(raw); err == nil {
		t, err := time.Parse(time.RFC3339Nano, string(s))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMismatch, err)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	if isExt(raw[0]) {
		typ, data, _, err := readExt(raw)
		if err == nil && meaningOf(raw[0], typ, data) == date {
			v.Set(reflect.ValueOf(readDate(typ, data)))
			return nil
		}
	}
	return mismatch(raw, v.Type())
}

func decodeExtension(raw []byte, v reflect.Value) error {
	if isNothing(raw) {
		return nil
	}
	if !isExt(raw[0]) {
		return mismatch(raw, v.Type())
	}
	typ, data, _, err := readExt(raw)
	v.Set(reflect.ValueOf(Extension{typ, bytes.Clone(data)}))
	return err
}

func decodeJSONNumber(raw []byte, v reflect.Value) error {
	if isNothing(raw) {
		return nil
	}
	if s, _, err := msgp.ReadStringZC(raw); err == nil && json.Valid(s) && s[0] != '"' {
		if _, err := strconv.ParseFloat(string(s), 64); err == nil {
			v.SetString(string(s))
			return nil
		}
	}
	n, ok := readNumber(raw)
	if !ok || n.kind == float && (math.IsNaN(n.f) || math.IsInf(n.f, 0)) {
		return mismatch(raw, v.Type())
	}
	v.SetString(string(n.appendText(nil)))
	return nil
}

// decodeNumber takes any number that v can hold exactly, and for a float the nearest.
func decodeNumber(raw []byte, v reflect.Value) error {
	n, ok := readNumber(raw)
	if !ok {
		return mismatch(raw, v.Type())
	}
	switch {
	case v.CanInt():
		i, exact := n.int64()
		if ok = exact && !v.OverflowInt(i); ok {
			v.SetInt(i)
		}
	case v.CanUint():
		u, exact := n.uint64()
		if ok = exact && !v.OverflowUint(u); ok {
			v.SetUint(u)
		}
	case v.CanFloat():
		if ok = !v.OverflowFloat(n.float64()) || math.IsInf(n.f, 0); ok {
			v.SetFloat(n.float64())
		}
	default:
		return mismatch(raw, v.Type())
	}
	if !ok {
		return fmt.Errorf("%w: %s into %v", ErrMismatch, n.appendText(nil), v.Type())
	}
	return nil
}

func decodeSlice(raw []byte, v reflect.Value) error {
	t := v.Type()
	if isBytes(t) {
		if data, ok := readBinary(raw); ok {
			v.SetBytes(data)
			return nil
		}
	}
	n, b, err := msgp.ReadArrayHeaderBytes(raw)
	if err != nil {
		return mismatch(raw, t)
	}
	list := reflect.MakeSlice(t, int(n), int(n))
	if err := decodeElements(b, list, int(n)); err != nil {
		return err
	}
	v.Set(list)
	return nil
}

// readBinary copies binary data: bin, an ArrayBuffer, or a base64 string as in JSON.
func readBinary(raw []byte) (data []byte, ok bool) {
	switch kind := msgp.NextType(raw); {
	case kind == msgp.BinType:
		data, _, err := msgp.ReadBytesZC(raw)
		return append([]byte{}, data...), err == nil
	case kind == msgp.StrType:
		s, _, _ := msgp.ReadStringZC(raw)
		data, err := base64.StdEncoding.AppendDecode([]byte{}, s)
		return data, err == nil
	case isExt(raw[0]):
		typ, data, _, err := readExt(raw)
		return append([]byte{}, data...), err == nil && meaningOf(raw[0], typ, data) == buffer
	}
	return nil, false
}

func decodeElements(b []byte, list reflect.Value, n int) error {
	for i := range n {
		raw, rest, err := next(b)
		if err != nil {
			return err
		}
		if b = rest; i >= list.Len() {
			continue // more than an array has room for
		}
		if err := decode(raw, list.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func decodeArray(raw []byte, v reflect.Value) error {
	n, b, err := msgp.ReadArrayHeaderBytes(raw)
	if err != nil {
		return mismatch(raw, v.Type())
	}
	v.SetZero()
	return decodeElements(b, v, int(n))
}

func decodeMap(raw []byte, v reflect.Value) error {
	t := v.Type()
	n, b, err := msgp.ReadMapHeaderBytes(raw)
	if err != nil {
		return mismatch(raw, t)
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(t, int(n)))
	}
	for range n {
		var key, raw []byte
		if key, b, err = readKey(b); err != nil {
			return err
		}
		if raw, b, err = next(b); err != nil {
			return err
		}
		k := reflect.New(t.Key()).Elem()
		if err := decodeKey(key, k); err != nil {
			return err
		}
		elem := reflect.New(t.Elem()).Elem()
		if err := decode(raw, elem); err != nil {
			return err
		}
		v.SetMapIndex(k, elem)
	}
	return nil
}

func decodeKey(key []byte, k reflect.Value) error {
	if u, ok := k.Addr().Interface().(encoding.TextUnmarshaler); ok && k.Kind() != reflect.String {
		if err := u.UnmarshalText(key); err != nil {
			return fmt.Errorf("%w: %w", ErrMismatch, err)
		}
		return nil
	}
	var err error
	switch {
	case k.Kind() == reflect.String:
		k.SetString(text(key))
	case k.Kind() == reflect.Interface && k.NumMethod() == 0:
		k.Set(reflect.ValueOf(text(key)))
	case k.CanInt():
		var i int64
		i, err = strconv.ParseInt(string(key), 10, k.Type().Bits())
		k.SetInt(i)
	case k.CanUint():
		var u uint64
		u, err = strconv.ParseUint(string(key), 10, k.Type().Bits())
		k.SetUint(u)
	default:
		return fmt.Errorf("%w: a key into %v", ErrMismatch, k.Type())
	}
	if err != nil {
		return fmt.Errorf("%w: key: %w", ErrMismatch, err)
	}
	return nil
}

func decodeStruct(raw []byte, v reflect.Value) error {
	n, b, err := msgp.ReadMapHeaderBytes(raw)
	if err != nil {
		return mismatch(raw, v.Type())
	}
	fields := fieldsOf(v.Type())
	for range n {
		var key, raw []byte
		if key, b, err = readKey(b); err != nil {
			return err
		}
		if raw, b, err = next(b); err != nil {
			return err
		}
		f := fields.find(key)
		if f == nil {
			continue
		}
		target, err := f.in(v)
		if err != nil {
			return err
		}
		if f.quoted {
			err = decodeQuoted(raw, target)
		} else {
			err = decode(raw, target)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// in returns the field of a struct, making the embedded structs that it is in.
func (f *field) in(v reflect.Value) (reflect.Value, error) {
	for i, at := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, fmt.Errorf("%w: into a field of %v, which is not exported", ErrMismatch, v.Type())
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	return v, nil
}

// decodeQuoted decodes a number or bool out of a string.
func decodeQuoted(raw []byte, v reflect.Value) error {
	if isNothing(raw) {
		return nil
	}
	s, _, err := msgp.ReadStringZC(raw)
	if err != nil {
		return mismatch(raw, v.Type())
	}
	if err := json.Unmarshal(s, v.Addr().Interface()); err != nil {
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	return nil
}
