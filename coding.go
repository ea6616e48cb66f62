package sio

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/encoder"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// JSON is a JSON library for [Options.JSON]. A nil function is that of the library
// built in, which is sonic.
type JSON struct {
	// Marshal encodes one value. What it returns is sent as it is, so it must be valid
	// JSON; [json.Marshal], for one, escapes "<", ">" and "&", which the library built in
	// does not. It must write a []byte as a base64 string, for binary data to be
	// found.
	Marshal func(v any) ([]byte, error)
	// Unmarshal stores a value in what v points to. It may keep data.
	Unmarshal func(data []byte, v any) error
}

// Parser is another form of packets, for [Options.Parser]. The package
// codec/msgpack has one.
type Parser = socketio.Parser

// Packet is what a [Parser] writes and reads.
type Packet = socketio.Packet

// Limits bound what a [Parser] may take.
type Limits = socketio.Limits

// coding is how a server writes and reads values and packets, if it was given a
// parser or a JSON library. It is nil on all others, for which the built-in way is
// taken without a look at any interface.
type coding struct {
	parser Parser // nil: JSON and attachments
	json   JSON
}

func newCoding(o *Options) *coding {
	c := &coding{parser: o.Parser}
	if o.JSON != nil {
		c.json = *o.JSON
	}
	if c.parser == nil && c.json.Marshal == nil && c.json.Unmarshal == nil {
		return nil
	}
	return c
}

// parses says whether packets have the form of a parser.
func (c *coding) parses() bool { return c != nil && c.parser != nil }

var errMarshal = errors.New("unsupported value")

// recoverCoding turns a panic of the program's own code, in a parser or a
// marshaller, into an error: it must not take a loop or a room's lock with it. v is
// the value that was at hand, nil if none.
func recoverCoding(v any, err *error) {
	switch p := recover(); {
	case p == nil:
	case v == nil:
		*err = fmt.Errorf("%w: panic: %v", errMarshal, p)
	default:
		*err = fmt.Errorf("%w: %T: panic: %v", errMarshal, v, p)
	}
}

// rawJSON is JSON that needs no further encoding or checking.
type rawJSON []byte

// appendJSON appends one value as JSON.
func (c *coding) appendJSON(dst []byte, v any) ([]byte, error) {
	if raw, ok := v.(rawJSON); ok {
		return append(dst, raw...), nil
	}
	if c != nil && c.json.Marshal != nil {
		return c.appendMarshalled(dst, v)
	}
	switch v := v.(type) {
	case string:
		return socketio.AppendString(dst, v), nil
	case nil:
		return append(dst, "null"...), nil
	case bool:
		if v {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	}
	mark := len(dst)
	if err := encodeInto(&dst, v); err != nil {
		return dst[:mark], err
	}
	return dst, nil
}

// encodeInto lets sonic append to the packet's own buffer.
func encodeInto(dst *[]byte, v any) (err error) {
	defer recoverCoding(v, &err)
	return encoder.EncodeInto(dst, v, encoder.CompactMarshaler|encoder.ValidateString)
}

func (c *coding) appendMarshalled(dst []byte, v any) (_ []byte, err error) {
	defer recoverCoding(v, &err)
	raw, err := c.json.Marshal(v)
	if err != nil {
		return dst, err
	}
	if len(raw) == 0 {
		return dst, fmt.Errorf("%w: %T became nothing", errMarshal, v)
	}
	return append(dst, raw...), nil
}

var (
	// decoding is sonic with copies of strings, since arguments are views.
	decoding = sonic.Config{CopyString: true}.Froze()
	// exactly is decoding that keeps all digits of numbers.
	exactly = sonic.Config{CopyString: true, UseNumber: true}.Froze()
)

// unmarshal decodes JSON.
func (c *coding) unmarshal(raw []byte, v any) (err error) {
	if c == nil || c.json.Unmarshal == nil {
		return decoding.Unmarshal(raw, v) //nolint:wrapcheck // wrapped by the callers
	}
	defer recoverCoding(v, &err)
	return c.json.Unmarshal(append([]byte(nil), raw...), v)
}

// decodeValue decodes a value of a parser.
func (c *coding) decodeValue(raw []byte, v any) (err error) {
	defer recoverCoding(v, &err)
	return c.parser.DecodeValue(raw, v) //nolint:wrapcheck // wrapped by the callers
}

func (c *coding) appendValue(dst []byte, v any) (_ []byte, err error) {
	defer recoverCoding(v, &err)
	return c.parser.AppendValue(dst, v) //nolint:wrapcheck // wrapped by the callers
}

// appendArgument appends one value without binary data, in the form of arguments.
func (c *coding) appendArgument(dst []byte, v any) ([]byte, error) {
	if c.parses() {
		return c.appendValue(dst, v)
	}
	return c.appendJSON(dst, v)
}

// jsonOf returns a value of a parser as JSON.
func (c *coding) jsonOf(raw []byte) (_ []byte, err error) {
	defer recoverCoding(nil, &err)
	if p, ok := c.parser.(socketio.JSONAppender); ok {
		return p.AppendJSON(nil, raw) //nolint:wrapcheck // wrapped by the callers
	}
	var v any
	if err := c.parser.DecodeValue(raw, &v); err != nil {
		return nil, err //nolint:wrapcheck // wrapped by the callers
	}
	return c.appendJSON(nil, v)
}

// makeRaw encodes values for raw emits.
func (c *coding) makeRaw(args []any) (RawArgs, error) {
	r := RawArgs{coding: c}
	var counts []int // of attachments, by argument, if there are any
	for i, arg := range args {
		var (
			raw   []byte
			found [][]byte
			err   error
		)
		switch {
		case c.parses():
			raw, err = c.appendValue(nil, arg)
		case mayHoldBinary(arg):
			raw, found, err = c.extractBinary(arg, len(r.attachments))
		default:
			raw, err = c.appendJSON(nil, arg)
		}
		if err != nil {
			return RawArgs{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
		r.values = append(r.values, raw)
		r.attachments = append(r.attachments, found...)
		if len(found) > 0 && counts == nil {
			counts = make([]int, len(args))
		}
		if counts != nil {
			counts[i] = len(found)
		}
	}
	for i := range counts {
		if err := checkPlaceholders(r.values[i], len(r.attachments), counts[i]); err != nil {
			return RawArgs{}, fmt.Errorf("sio: encoding argument %d: %w", i, err)
		}
	}
	return r, nil
}

// convert returns arguments in c's form that may have come in another's.
func (c *coding) convert(r RawArgs) (RawArgs, error) {
	if r.coding == c || !r.coding.parses() && !c.parses() || len(r.values) == 0 {
		return r, nil
	}
	values := make([]any, len(r.values))
	for i := range values {
		if err := r.decodeExactly(i, &values[i]); err != nil {
			return RawArgs{}, fmt.Errorf("sio: converting argument %d: %w", i, err)
		}
	}
	return c.makeRaw(values)
}

// decodeExactly decodes an argument into v, with numbers that lose nothing.
func (r RawArgs) decodeExactly(i int, v *any) error {
	if r.coding.parses() {
		return r.coding.decodeValue(r.values[i], v)
	}
	exact := &coding{json: JSON{Unmarshal: exactly.Unmarshal}}
	if err := (RawArgs{r.values, r.attachments, exact}).decode(i, reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	*v = plainNumbers(*v)
	return nil
}

// plainNumbers replaces each [json.Number], which not every parser knows.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return n
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil && math.IsInf(f, 0) {
			return math.Copysign(math.MaxFloat64, f) // no parser need know of infinity
		}
		return f
	}
	return v
}
