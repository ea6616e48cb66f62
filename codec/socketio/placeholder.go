package socketio

import (
	"bytes"
	"strconv"
)

// In the JSON of a binary packet, {"_placeholder":true,"num":0} stands for its
// first attachment, and so on.

const (
	placeholderHead = `{"_placeholder":true,"num":`
	placeholderKey  = `"_placeholder"`
)

// AppendPlaceholder appends the placeholder of an attachment.
func AppendPlaceholder(dst []byte, num int) []byte {
	return append(strconv.AppendInt(append(dst, placeholderHead...), int64(num), 10), '}')
}

// IsPlaceholder reports whether raw, one valid JSON value, is as a whole a
// placeholder in the form that clients write.
func IsPlaceholder(raw []byte) (num int, ok bool) {
	if len(raw) < len(placeholderHead)+2 || string(raw[:len(placeholderHead)]) != placeholderHead || raw[len(raw)-1] != '}' {
		return 0, false
	}
	num, err := strconv.Atoi(string(raw[len(placeholderHead) : len(raw)-1]))
	return num, err == nil && num >= 0
}

// WalkPlaceholders calls fn for each placeholder in raw, valid JSON, in order:
// each object that has the key "_placeholder", written without escapes, with the
// value true, and in which nothing else is nested. raw[start:end] is the object.
// One whose num is missing, is no integer or has no attachment is
// [ErrIllegalAttachments]; an error of fn ends the walk.
func WalkPlaceholders(raw []byte, count int, fn func(start, end, num int) error) error {
	if !bytes.Contains(raw, []byte(placeholderKey)) {
		return nil
	}
	w := walker{b: raw, count: count, fn: fn}
	return w.value()
}

// walker goes through valid JSON.
type walker struct {
	b     []byte
	i     int
	count int
	fn    func(start, end, num int) error
}

func (w *walker) value() error {
	w.space()
	switch w.b[w.i] {
	case '{':
		return w.object()
	case '[':
		w.i++
		for {
			if w.space(); w.b[w.i] == ']' {
				w.i++
				return nil
			}
			if err := w.value(); err != nil {
				return err
			}
			if w.space(); w.b[w.i] == ',' {
				w.i++
			}
		}
	default:
		w.scalar()
	}
	return nil
}

// object walks an object that may be a placeholder.
func (w *walker) object() error {
	start := w.i
	if num, end, marked := w.peekObject(); marked {
		n, err := strconv.Atoi(string(num))
		if err != nil || n < 0 || n >= w.count {
			return ErrIllegalAttachments
		}
		w.i = end
		return w.fn(start, end, n)
	}
	w.i++
	for {
		if w.space(); w.b[w.i] == '}' {
			w.i++
			return nil
		}
		w.str()
		w.space()
		w.i++ // the colon
		if err := w.value(); err != nil {
			return err
		}
		if w.space(); w.b[w.i] == ',' {
			w.i++
		}
	}
}

// peekObject looks whether the object at w is a placeholder, as far as the first
// value that holds others, so that nothing is looked at more than twice.
func (w *walker) peekObject() (num []byte, end int, marked bool) {
	p := walker{b: w.b, i: w.i + 1}
	for {
		if p.space(); p.b[p.i] == '}' {
			return num, p.i + 1, marked
		}
		from := p.i
		p.str()
		key := p.b[from:p.i]
		p.space()
		p.i++ // the colon
		if p.space(); p.b[p.i] == '{' || p.b[p.i] == '[' {
			return nil, 0, false
		}
		from = p.i
		p.scalar()
		value := p.b[from:p.i]
		switch string(key) {
		case placeholderKey:
			marked = string(value) == "true"
		case `"num"`:
			num = value
		}
		if p.space(); p.b[p.i] == ',' {
			p.i++
		}
	}
}

// scalar goes behind a string, number or literal.
func (w *walker) scalar() {
	if w.b[w.i] == '"' {
		w.str()
		return
	}
	for w.i < len(w.b) {
		switch w.b[w.i] {
		case ' ', '\t', '\n', '\r', ',', ']', '}':
			return
		}
		w.i++
	}
}

func (w *walker) str() {
	for w.i++; w.b[w.i] != '"'; w.i++ {
		if w.b[w.i] == '\\' {
			w.i++
		}
	}
	w.i++
}

func (w *walker) space() {
	for w.i < len(w.b) {
		switch w.b[w.i] {
		case ' ', '\t', '\n', '\r':
			w.i++
		default:
			return
		}
	}
}
