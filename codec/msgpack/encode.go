package msgpack

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// maxValueDepth ends the walk through a value that contains itself.
const maxValueDepth = 512

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	numberType      = reflect.TypeFor[json.Number]()
	extensionType   = reflect.TypeFor[Extension]()
)

// appendAny appends v. What is common needs no reflection.
func appendAny(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return msgp.AppendNil(dst), nil
	case string:
		return appendString(dst, v)
	case bool:
		return msgp.AppendBool(dst, v), nil
	case int:
		return appendInt(dst, int64(v)), nil
	case int64:
		return appendInt(dst, v), nil
	case float64:
		return appendNumber(dst, v), nil
	case []byte:
		return appendBytes(dst, v)
	case time.Time:
		return appendDate(dst, v), nil
	case map[string]any:
		return appendMap(dst, v, depth)
	case []any:
		return appendSlice(dst, v, depth)
	}
	return appendReflect(dst, reflect.ValueOf(v), depth)
}

func appendString(dst []byte, s string) ([]byte, error) {
	if err := fits(len(s)); err != nil {
		return dst, err
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return msgp.AppendString(dst, s), nil
}

func appendBytes(dst, b []byte) ([]byte, error) {
	if b == nil {
		return msgp.AppendNil(dst), nil
	}
	if err := fits(len(b)); err != nil {
		return dst, err
	}
	return msgp.AppendBytes(dst, b), nil
}

// fits says whether MessagePack can say the length n.
func fits(n int) error {
	if uint64(n) > math.MaxUint32 {
		return fmt.Errorf("%w: %d bytes or elements", ErrUnsupported, n)
	}
	return nil
}

func appendMap(dst []byte, m map[string]any, depth int) (_ []byte, err error) {
	if m == nil {
		return msgp.AppendNil(dst), nil
	}
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	dst = msgp.AppendMapHeader(dst, uint32(len(m)))
	for k, v := range m {
		if dst, err = appendString(dst, k); err != nil {
			return dst, err
		}
		if dst, err = appendAny(dst, v, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendSlice(dst []byte, s []any, depth int) (_ []byte, err error) {
	if s == nil {
		return msgp.AppendNil(dst), nil
	}
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	dst = msgp.AppendArrayHeader(dst, uint32(len(s)))
	for _, v := range s {
		if dst, err = appendAny(dst, v, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func deeper(depth *int) error {
	if *depth++; *depth > maxValueDepth {
		return fmt.Errorf("%w: it is nested too deeply or contains itself", ErrUnsupported)
	}
	return nil
}

// appendReflect appends any value.
func appendReflect(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	t := v.Type()
	switch t {
	case timeType:
		return appendDate(dst, v.Interface().(time.Time)), nil
	case extensionType:
		return appendExtension(dst, v.Interface().(Extension))
	case numberType:
		return appendJSONNumber(dst, json.Number(v.String()))
	}
	if t != reflect.PointerTo(timeType) { // it would write its own JSON
		if out, done, err := appendMarshaler(dst, v, depth); done {
			return out, err
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return msgp.AppendBool(dst, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendInt(dst, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return msgp.AppendUint64(dst, v.Uint()), nil
	case reflect.Float32:
		return appendNumber(dst, decimal(v.Float())), nil
	case reflect.Float64:
		return appendNumber(dst, v.Float()), nil
	case reflect.String:
		return appendString(dst, v.String())
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return msgp.AppendNil(dst), nil
		}
		if err := deeper(&depth); err != nil {
			return dst, err
		}
		return appendReflect(dst, v.Elem(), depth)
	case reflect.Slice:
		if v.IsNil() {
			return msgp.AppendNil(dst), nil
		}
		if isBytes(t) {
			return appendBytes(dst, v.Bytes())
		}
		return appendElements(dst, v, depth)
	case reflect.Array:
		return appendElements(dst, v, depth)
	case reflect.Map:
		return appendReflectMap(dst, v, depth)
	case reflect.Struct:
		return appendStruct(dst, v, depth)
	}
	return dst, fmt.Errorf("%w: %v", ErrUnsupported, t)
}

// isBytes says whether t is binary data: bytes that do not write themselves.
func isBytes(t reflect.Type) bool {
	e := t.Elem()
	p := reflect.PointerTo(e)
	return e.Kind() == reflect.Uint8 && !p.Implements(jsonMarshaler) && !p.Implements(textMarshaler)
}

// decimal returns the float64 that a float32 looks like in decimal digits.
func decimal(f float64) float64 {
	if d, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64); err == nil {
		return d
	}
	return f
}

// appendMarshaler appends a value that writes itself; done says whether it does.
func appendMarshaler(dst []byte, v reflect.Value, depth int) (_ []byte, done bool, err error) {
	t := v.Type()
	if v.Kind() != reflect.Pointer && v.CanAddr() {
		if p := reflect.PointerTo(t); p.Implements(jsonMarshaler) || p.Implements(textMarshaler) {
			v, t = v.Addr(), p
		}
	}
	asJSON := t.Implements(jsonMarshaler)
	if !asJSON && !t.Implements(textMarshaler) || t.Kind() == reflect.Interface {
		return dst, false, nil
	}
	if t.Kind() == reflect.Pointer && v.IsNil() {
		return msgp.AppendNil(dst), true, nil
	}
	if asJSON {
		text, err := v.Interface().(json.Marshaler).MarshalJSON()
		if err != nil {
			return dst, true, fmt.Errorf("%w: %v: %w", ErrUnsupported, t, err)
		}
		dst, err = appendFromJSON(dst, text, depth)
		return dst, true, err
	}
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return dst, true, fmt.Errorf("%w: %v: %w", ErrUnsupported, t, err)
	}
	dst, err = appendString(dst, string(text))
	return dst, true, err
}

func appendElements(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	if err := fits(v.Len()); err != nil {
		return dst, err
	}
	dst = msgp.AppendArrayHeader(dst, uint32(v.Len()))
	for i := range v.Len() {
		if dst, err = appendReflect(dst, v.Index(i), depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendReflectMap(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	if v.IsNil() {
		return msgp.AppendNil(dst), nil
	}
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	dst = msgp.AppendMapHeader(dst, uint32(v.Len()))
	for it := v.MapRange(); it.Next(); {
		key, err := keyText(it.Key())
		if err != nil {
			return dst, err
		}
		if dst, err = appendString(dst, key); err != nil {
			return dst, err
		}
		if dst, err = appendReflect(dst, it.Value(), depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// keyText is a map's key as encoding/json has it.
func keyText(k reflect.Value) (string, error) {
	switch kind := k.Kind(); {
	case kind == reflect.String:
		return k.String(), nil
	case k.Type().Implements(textMarshaler):
		if kind == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		text, err := k.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return "", fmt.Errorf("%w: key %v: %w", ErrUnsupported, k.Type(), err)
		}
		return string(text), nil
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	}
	return "", fmt.Errorf("%w: key %v", ErrUnsupported, k.Type())
}

func appendStruct(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	if err := deeper(&depth); err != nil {
		return dst, err
	}
	fields := fieldsOf(v.Type()).list
	n := 0
	for i := range fields {
		if f := &fields[i]; f.present(f.of(v)) {
			n++
		}
	}
	dst = msgp.AppendMapHeader(dst, uint32(n))
	for i := range fields {
		f := &fields[i]
		value := f.of(v)
		if !f.present(value) {
			continue
		}
		dst = msgp.AppendString(dst, f.name)
		if f.quoted {
			dst, err = appendQuoted(dst, value)
		} else {
			dst, err = appendReflect(dst, value, depth)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// of returns the field of a struct, or nothing behind an embedded pointer that is nil.
func (f *field) of(v reflect.Value) reflect.Value {
	for i, at := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	return v
}

// present says whether the field is encoded.
func (f *field) present(v reflect.Value) bool {
	left := !v.IsValid() || f.omitEmpty && isEmpty(v) || f.omitZero && isZero(v)
	return !left
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		return z.IsZero()
	}
	return v.IsZero()
}

// appendQuoted appends a number or bool as a string.
func appendQuoted(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if string(text) == "null" { // a nil pointer
		return msgp.AppendNil(dst), nil
	}
	return appendString(dst, string(text))
}

func appendExtension(dst []byte, e Extension) ([]byte, error) {
	switch n := len(e.Data); {
	case n == 1 || n == 2 || n == 4 || n == 8 || n == 16:
		lead := byte(fixExt1)
		for ; n > 1; n /= 2 {
			lead++
		}
		dst = append(dst, lead, byte(e.Type))
	case n <= math.MaxUint8:
		dst = append(dst, ext8, byte(n), byte(e.Type))
	case n <= math.MaxUint16:
		dst = append(dst, ext8+1, byte(n>>8), byte(n), byte(e.Type))
	default:
		if err := fits(n); err != nil {
			return dst, err
		}
		dst = append(dst, ext8+2, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), byte(e.Type))
	}
	return append(dst, e.Data...), nil
}
