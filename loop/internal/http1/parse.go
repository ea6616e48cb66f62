package http1

import (
	"bytes"
	"math"
	"net/http"
)

// ParseHead parses a head that [HeadScanner] found, skipped empty lines and
// blank line included, into r. It overwrites all of r and reuses r.Headers; all
// views in r point into head.
//
// The error is an [*Error], after which r must not be used. Beyond what the
// grammar forbids, these are refused although some servers repair them: bare
// CR or LF, whitespace before a colon, folded lines, repeated or listed
// Content-Length, Content-Length with Transfer-Encoding, and Transfer-Encoding
// from an HTTP/1.0 peer (RFC 9112, sections 5 and 6). Whether the body is one
// that the server wants is for [Request.CheckBody] to say.
func ParseHead(head []byte, r *Request, lim Limits) error {
	*r = Request{Headers: r.Headers[:0], ContentLength: -1}
	lim = lim.WithDefaults()
	line, rest, err := cutLine(WithoutEmptyLines(head))
	if err != nil {
		return err
	}
	if len(line) > lim.RequestLine {
		return errRequestLineLong
	}
	if len(rest) > lim.HeaderBytes {
		return errHeadersLarge
	}
	authority, err := r.parseRequestLine(line)
	if err != nil {
		return err
	}
	var m framing
	for {
		line, rest, err = cutLine(rest)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if len(r.Headers) == lim.Headers {
			return errHeadersMany
		}
		h, err := parseHeader(line)
		if err != nil {
			return err
		}
		r.Headers = append(r.Headers, h)
		m.note(h)
	}
	if len(rest) > 0 {
		return &Error{http.StatusBadRequest, "bytes behind the head"}
	}
	return r.settle(&m, authority)
}

// WithoutEmptyLines returns a head without the empty lines in front that
// [HeadScanner] skips.
func WithoutEmptyLines(head []byte) []byte {
	for range maxEmptyLines {
		head = bytes.TrimPrefix(head, []byte("\r\n"))
	}
	return head
}

// cutLine takes a line off b, without its CRLF.
func cutLine(b []byte) (line, rest []byte, err error) {
	i := bytes.IndexByte(b, '\n')
	switch {
	case i < 0:
		return nil, nil, &Error{http.StatusBadRequest, "incomplete head"}
	case i == 0 || b[i-1] != '\r':
		return nil, nil, errBareLF
	}
	return b[:i-1], b[i+1:], nil
}

// parseHeader parses a header line (RFC 9112, section 5).
func parseHeader(line []byte) (Header, error) {
	if line[0] == ' ' || line[0] == '\t' {
		return Header{}, &Error{http.StatusBadRequest, "folded header line"}
	}
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return Header{}, &Error{http.StatusBadRequest, "header line without colon"}
	}
	if !isToken(name) {
		return Header{}, &Error{http.StatusBadRequest, "malformed header name"}
	}
	value = trimSpace(value)
	if !isValue(value) {
		return Header{}, &Error{http.StatusBadRequest, "control byte in header value"}
	}
	return Header{Name: name, Value: value}, nil
}

// framing gathers the headers that say where the request ends and what becomes
// of its connection. They can only be judged together.
type framing struct {
	host, upgrade, length, expect          []byte
	hosts, lengths, codings, otherCodings  int
	badCoding, badExpect                   bool
	connClose, connKeepAlive, connUpgrades bool
}

// note takes a header into account.
func (m *framing) note(h Header) {
	switch name := h.Name; len(name) {
	case len("Host"):
		if equalFold(name, "Host") {
			m.host = h.Value
			m.hosts++
		}
	case len("Expect"):
		if equalFold(name, "Expect") {
			m.expect = h.Value
			m.badExpect = m.badExpect || !equalFold(h.Value, "100-continue")
		}
	case len("Upgrade"):
		if m.upgrade == nil && equalFold(name, "Upgrade") {
			m.upgrade = h.Value
		}
	case len("Connection"):
		if equalFold(name, "Connection") {
			m.noteConnection(h.Value)
		}
	case len("Content-Length"):
		if equalFold(name, "Content-Length") {
			m.length = h.Value
			m.lengths++
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "Transfer-Encoding") {
			m.noteCodings(h.Value)
		}
	}
}

func (m *framing) noteConnection(list []byte) {
	for more := true; more; {
		var option []byte
		option, list, more = cutElement(list)
		switch {
		case equalFold(option, "close"):
			m.connClose = true
		case equalFold(option, "keep-alive"):
			m.connKeepAlive = true
		case equalFold(option, "upgrade"):
			m.connUpgrades = true
		}
	}
}

func (m *framing) noteCodings(list []byte) {
	for more := true; more; {
		var coding []byte
		coding, list, more = cutElement(list)
		switch {
		case equalFold(coding, "chunked"):
			m.codings++
		case len(coding) == 0:
			m.badCoding = true
		default:
			m.otherCodings++
		}
	}
}

// cutElement takes the first element off a comma-separated list.
func cutElement(list []byte) (element, rest []byte, more bool) {
	element, rest, more = bytes.Cut(list, []byte(","))
	return trimSpace(element), rest, more
}

// settle judges what only the whole head tells.
func (r *Request) settle(m *framing, authority []byte) error {
	if err := r.settleHost(m, authority); err != nil {
		return err
	}
	if err := r.settleBody(m); err != nil {
		return err
	}
	if m.badExpect {
		return &Error{http.StatusExpectationFailed, "unknown expectation"}
	}
	// What an HTTP/1.0 peer expects or offers to upgrade to is to be ignored
	// (RFC 9110, sections 10.1.1 and 7.8).
	if r.Minor == 0 {
		r.KeepAlive = m.connKeepAlive && !m.connClose
		return nil
	}
	r.KeepAlive = !m.connClose
	r.ExpectContinue = m.expect != nil
	if m.connUpgrades {
		r.Upgrade = m.upgrade
	}
	return nil
}

// settleHost judges the Host header (RFC 9112, section 3.2).
func (r *Request) settleHost(m *framing, authority []byte) error {
	switch {
	case m.hosts > 1:
		return &Error{http.StatusBadRequest, "more than one Host header"}
	case m.hosts == 0 && r.Minor == 1:
		return &Error{http.StatusBadRequest, "no Host header"}
	case !validHost(m.host):
		return &Error{http.StatusBadRequest, "malformed Host header"}
	}
	r.Host = m.host
	if authority != nil {
		r.Host = authority
	}
	return nil
}

// settleBody judges the message body's length (RFC 9112, section 6.3).
func (r *Request) settleBody(m *framing) error {
	coded := m.badCoding || m.codings+m.otherCodings > 0
	switch {
	case coded && m.lengths > 0:
		return &Error{http.StatusBadRequest, "both Content-Length and Transfer-Encoding"}
	case coded && r.Minor == 0:
		return &Error{http.StatusBadRequest, "Transfer-Encoding in HTTP/1.0"}
	case m.badCoding || m.codings > 1:
		return &Error{http.StatusBadRequest, "malformed Transfer-Encoding"}
	case m.otherCodings > 0:
		return &Error{http.StatusNotImplemented, "unknown transfer coding"}
	case m.lengths > 1:
		return &Error{http.StatusBadRequest, "more than one Content-Length"}
	case coded:
		r.Chunked = true
		return nil
	case m.lengths == 0:
		return nil
	}
	n, ok := parseLength(m.length)
	if !ok {
		return &Error{http.StatusBadRequest, "malformed Content-Length"}
	}
	r.ContentLength = n
	return nil
}

// CheckBody judges the body that a head announces, before any byte of it is
// read: a Content-Length over lim.Body is refused with an [*Error] of status
// 413, and with 411 a request without a length whose method has a body as a rule.
// It is for those who take the whole body into memory; who passes a request on
// does not need it.
func (r *Request) CheckBody(lim Limits) error {
	switch {
	case r.ContentLength > lim.WithDefaults().Body:
		return errBodyLarge
	case r.ContentLength < 0 && !r.Chunked && needsLength(r.Method):
		return errNoLength
	}
	return nil
}

// needsLength reports whether a request of that method has a body as a rule. One
// that then does not say how long it is was more likely mangled than meant.
func needsLength(method []byte) bool {
	switch string(method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return false
}

func parseLength(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}
