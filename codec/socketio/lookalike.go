package socketio

import (
	"bytes"
	"strconv"
)

// CountPlaceholders returns how many objects in raw, valid JSON, a client takes for
// placeholders of one of count attachments: whatever has the key "_placeholder",
// however it is written, with the value true. One without such a num, one that holds
// other objects or lists, and one whose keys are written with escapes is
// [ErrIllegalAttachments]: no client writes those, and some end their connection
// over them, so that they must not be passed on beside attachments.
func CountPlaceholders(raw []byte, count int) (n int, err error) {
	if !bytes.Contains(raw, []byte(placeholderKey)) && !bytes.Contains(raw, []byte(`\u00`)) {
		return 0, nil
	}
	w := counter{walker{b: raw, count: count}, 0}
	err = w.value()
	return w.found, err
}

type counter struct {
	walker

	found int
}

func (c *counter) value() error {
	c.space()
	switch c.b[c.i] {
	case '{':
		return c.object()
	case '[':
		c.i++
		for {
			if c.space(); c.b[c.i] == ']' {
				c.i++
				return nil
			}
			if err := c.value(); err != nil {
				return err
			}
			if c.space(); c.b[c.i] == ',' {
				c.i++
			}
		}
	default:
		c.scalar()
	}
	return nil
}

func (c *counter) object() error {
	var (
		num             []byte
		marked, unusual bool
	)
	c.i++
	for {
		if c.space(); c.b[c.i] == '}' {
			c.i++
			break
		}
		from := c.i
		c.str()
		key := c.b[from+1 : c.i-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = unquote(nil, c.b[from:c.i])
			unusual = unusual || string(key) == "_placeholder" || string(key) == "num"
		}
		c.space()
		c.i++ // the colon
		c.space()
		if from = c.i; c.b[from] == '{' || c.b[from] == '[' {
			unusual = true
		}
		if err := c.value(); err != nil {
			return err
		}
		switch value := c.b[from:c.i]; string(key) {
		case "_placeholder":
			marked = string(value) == "true"
		case "num":
			num = value
		}
		if c.space(); c.b[c.i] == ',' {
			c.i++
		}
	}
	if !marked {
		return nil
	}
	n, err := strconv.Atoi(string(num))
	if unusual || err != nil || n < 0 || n >= c.count {
		return ErrIllegalAttachments
	}
	c.found++
	return nil
}
