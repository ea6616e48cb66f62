package sio

import (
	"bytes"
	"crypto/rand"
	"encoding"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// Binary data may stand anywhere in an argument: a []byte, a []byte field of a
// struct, a value of a map. In JSON, Go writes and reads these as base64
// strings. So on its way out, each is replaced by a token, and after encoding,
// the token's base64 by a placeholder; on its way in, each placeholder is
// replaced by a token's base64, and after decoding, the token by the
// attachment. Tokens begin with random bytes that no user data can know.

const (
	nonceSize = 18 // a multiple of 3, so that its base64 is a prefix of the token's
	tokenSize = nonceSize + 6
)

var (
	nonce = func() (n [nonceSize]byte) {
		rand.Read(n[:]) // documented never to fail
		return n
	}()
	nonceText = []byte(base64.StdEncoding.EncodeToString(nonce[:]))
	tokenText = base64.StdEncoding.EncodedLen(tokenSize)
)

func makeToken(i int) []byte {
	t := make([]byte, tokenSize)
	copy(t, nonce[:])
	binary.BigEndian.PutUint32(t[nonceSize:], uint32(i))
	return t
}

func parseToken(t []byte) (i int, ok bool) {
	if len(t) != tokenSize || !bytes.HasPrefix(t, nonce[:]) {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(t[nonceSize:])), true
}

func appendTokenText(dst []byte, i int) []byte {
	return base64.StdEncoding.AppendEncode(dst, makeToken(i))
}

func parseTokenText(s string) (i int, ok bool) {
	if len(s) != tokenText || s[:len(nonceText)] != string(nonceText) {
		return 0, false
	}
	t, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return 0, false
	}
	return parseToken(t)
}

// mayHoldBinary says whether encoding v has to look for binary data. For most
// arguments the type alone says no.
func mayHoldBinary(v any) bool {
	switch v.(type) {
	case nil, string, bool, int, int64, float64, rawJSON, json.RawMessage:
		return false
	case []byte:
		return true
	}
	return holdsBinary(reflect.TypeOf(v))
}

var binaryTypes sync.Map // of reflect.Type to bool

// holdsBinary says whether a value of type t may hold a []byte.
func holdsBinary(t reflect.Type) bool {
	if known, ok := binaryTypes.Load(t); ok {
		return known.(bool)
	}
	found := searchBinary(t, make(map[reflect.Type]bool))
	binaryTypes.Store(t, found)
	return found
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// marshals says whether t writes its own JSON, which is then left alone.
func marshals(t reflect.Type) bool {
	return t.Implements(jsonMarshaler) || t.Implements(textMarshaler) ||
		t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer &&
			(reflect.PointerTo(t).Implements(jsonMarshaler) || reflect.PointerTo(t).Implements(textMarshaler))
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !marshals(t.Elem())
}

func searchBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if t.Kind() != reflect.Interface && marshals(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return isBytes(t) || searchBinary(t.Elem(), seen)
	case reflect.Pointer, reflect.Array, reflect.Map:
		return searchBinary(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && searchBinary(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// extractBinary encodes v with placeholders, numbered from first on, and
// returns what they stand for.
func (c *coding) extractBinary(v any, first int) (raw []byte, found [][]byte, err error) {
	if b, ok := v.([]byte); ok && b != nil {
		return socketio.AppendPlaceholder(nil, first), [][]byte{b}, nil
	}
	x := extractor{}
	tokens, err := x.copy(reflect.ValueOf(v), 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err = c.appendJSON(nil, tokens.Interface())
	if err != nil || len(x.found) == 0 {
		return raw, nil, err
	}
	return placeTokens(raw, x.found, first)
}

// placeTokens replaces the base64 of tokens, quotes included, by placeholders in
// order of appearance.
func placeTokens(raw []byte, values [][]byte, first int) (out []byte, found [][]byte, err error) {
	for {
		at := bytes.Index(raw, nonceText)
		if at < 1 || at+tokenText+1 > len(raw) {
			return append(out, raw...), found, nil
		}
		i, ok := parseTokenText(string(raw[at : at+tokenText]))
		if !ok || i >= len(values) {
			return nil, nil, fmt.Errorf("%w: binary data in an unexpected place", errMarshal)
		}
		out = append(out, raw[:at-1]...)
		out = socketio.AppendPlaceholder(out, first+len(found))
		found = append(found, values[i])
		raw = raw[at+tokenText+1:]
	}
}

// checkPlaceholders refuses an argument with more placeholders than we have put
// there: clients would take the program's own data for them, or end the connection
// over them. Without attachments they are data as any other, and nobody asks.
func checkPlaceholders(raw []byte, attachments, ours int) (err error) {
	defer recoverCoding(nil, &err) // what a marshaller wrote may be no JSON at all
	if n, err := socketio.CountPlaceholders(raw, attachments); err != nil || n != ours {
		return ErrPlaceholder
	}
	return nil
}

// extractor copies a value with each []byte in it replaced by a token.
type extractor struct{ found [][]byte }

// maxValueDepth ends the walk through a value that contains itself.
const maxValueDepth = 512

var errTooDeep = errors.New("value is nested too deeply or contains itself")

func (x *extractor) copy(v reflect.Value, depth int) (reflect.Value, error) {
	if depth > maxValueDepth {
		return v, errTooDeep
	}
	t := v.Type()
	if t.Kind() != reflect.Interface && !holdsBinary(t) {
		return v, nil
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer:
		return x.copyReference(v, depth)
	case reflect.Slice:
		if v.IsNil() {
			return v, nil
		}
		if isBytes(t) {
			x.found = append(x.found, v.Bytes())
			return reflect.ValueOf(makeToken(len(x.found) - 1)).Convert(t), nil
		}
		return x.copyElements(v, reflect.MakeSlice(t, v.Len(), v.Len()), depth)
	case reflect.Array:
		return x.copyElements(v, reflect.New(t).Elem(), depth)
	case reflect.Map:
		return x.copyMap(v, depth)
	case reflect.Struct:
		return x.copyStruct(v, depth)
	}
	return v, nil
}

func (x *extractor) copyReference(v reflect.Value, depth int) (reflect.Value, error) {
	if v.IsNil() {
		return v, nil
	}
	elem, err := x.copy(v.Elem(), depth+1)
	if err != nil {
		return v, err
	}
	if v.Kind() == reflect.Interface {
		c := reflect.New(v.Type()).Elem()
		c.Set(elem)
		return c, nil
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(elem)
	return c, nil
}

func (x *extractor) copyElements(v, c reflect.Value, depth int) (reflect.Value, error) {
	for i := range v.Len() {
		elem, err := x.copy(v.Index(i), depth+1)
		if err != nil {
			return v, err
		}
		c.Index(i).Set(elem)
	}
	return c, nil
}

func (x *extractor) copyMap(v reflect.Value, depth int) (reflect.Value, error) {
	if v.IsNil() {
		return v, nil
	}
	c := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		elem, err := x.copy(it.Value(), depth+1)
		if err != nil {
			return v, err
		}
		c.SetMapIndex(it.Key(), elem)
	}
	return c, nil
}

func (x *extractor) copyStruct(v reflect.Value, depth int) (reflect.Value, error) {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c, x.fields(c, depth)
}

// fields replaces what is in the fields of a copy.
func (x *extractor) fields(c reflect.Value, depth int) error {
	for i := range c.NumField() {
		f, info := c.Field(i), c.Type().Field(i)
		switch {
		case !f.CanSet():
			if info.Anonymous && f.Kind() == reflect.Struct { // unexported, but its fields may be not
				if err := x.fields(f, depth+1); err != nil {
					return err
				}
			}
			continue
		case f.Kind() == reflect.Slice && f.Len() == 0 && omitsEmpty(info):
			continue // a token would not be empty
		}
		elem, err := x.copy(f, depth+1)
		if err != nil {
			return err
		}
		f.Set(elem)
	}
	return nil
}

// omitsEmpty reports whether an empty value of the field is not encoded.
func omitsEmpty(f reflect.StructField) bool {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return slices.Contains(strings.Split(options, ","), "omitempty")
}

var errBinaryInString = errors.New("binary data where a string is wanted")

// insertBinary puts attachments in the place of tokens.
func insertBinary(v reflect.Value, attachments [][]byte) error {
	switch v.Kind() {
	case reflect.Interface:
		return insertInterface(v, attachments)
	case reflect.Pointer:
		if !v.IsNil() {
			return insertBinary(v.Elem(), attachments)
		}
	case reflect.String:
		if _, ok := parseTokenText(v.String()); ok {
			return errBinaryInString
		}
	case reflect.Slice, reflect.Array:
		return insertElements(v, attachments)
	case reflect.Map:
		return insertMap(v, attachments)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if f.CanSet() || v.Type().Field(i).Anonymous && f.Kind() == reflect.Struct {
				if err := insertBinary(f, attachments); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func insertInterface(v reflect.Value, attachments [][]byte) error {
	if v.IsNil() {
		return nil
	}
	elem := v.Elem()
	if elem.Kind() == reflect.String {
		if i, ok := parseTokenText(elem.String()); ok {
			bin := reflect.ValueOf(attachments[i])
			if !bin.Type().AssignableTo(v.Type()) {
				return errBinaryInString
			}
			v.Set(bin)
		}
		return nil
	}
	// What an interface holds can't be set in place, but maps and slices, which
	// is what decoding puts there, share their elements.
	return insertBinary(elem, attachments)
}

func insertElements(v reflect.Value, attachments [][]byte) error {
	if v.Kind() == reflect.Slice && isBytes(v.Type()) {
		if i, ok := parseToken(v.Bytes()); ok {
			v.SetBytes(attachments[i])
		}
		return nil
	}
	for i := range v.Len() {
		if err := insertBinary(v.Index(i), attachments); err != nil {
			return err
		}
	}
	return nil
}

func insertMap(v reflect.Value, attachments [][]byte) error {
	for it := v.MapRange(); it.Next(); {
		elem := reflect.New(v.Type().Elem()).Elem() // a map's values can't be set in place
		elem.Set(it.Value())
		if err := insertBinary(elem, attachments); err != nil {
			return err
		}
		v.SetMapIndex(it.Key(), elem)
	}
	return nil
}
