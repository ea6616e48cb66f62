package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// maxHead bounds the head of a response in bytes.
const maxHead = 64 << 10

// Response is the answer to a request. All of it are views of the input, but for a
// body that came in chunks.
type Response struct {
	Status int
	Body   []byte
	// Close says that the server ends the connection behind it.
	Close bool

	head []byte // the header lines
}

// Header returns the value of the first header line of a name, nil if there is none.
func (r *Response) Header(name string) []byte {
	for rest := r.head; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// maxCookies bounds the cookies of a response in bytes.
const maxCookies = 4 << 10

// Cookies returns what the response's cookies are, in the form of a request's Cookie
// header: names and values, without their attributes (RFC 6265, section 5.4). It is empty
// if there are none.
func (r *Response) Cookies() string {
	var list []byte
	for rest := r.head; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		key, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(key, []byte("Set-Cookie")) {
			continue
		}
		pair, _, _ := bytes.Cut(value, []byte(";"))
		if pair = bytes.TrimSpace(pair); len(pair) == 0 || len(list)+len(pair) > maxCookies {
			continue
		}
		if len(list) > 0 {
			list = append(list, "; "...)
		}
		list = append(list, pair...)
	}
	return string(list)
}

// ParseHead takes the head of a response off b, and returns its size with the empty
// line behind it; 0 if b does not hold all of it.
func ParseHead(b []byte) (r Response, size int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		switch {
		case len(b) > maxHead:
			return r, 0, fmt.Errorf("%w: no end of a response's head in %d bytes", ErrProtocol, len(b))
		case !bytes.HasPrefix(b, []byte("HTTP/1.")[:min(len(b), len("HTTP/1."))]):
			return r, 0, fmt.Errorf("%w: %.40q is no HTTP response", ErrProtocol, b)
		}
		return r, 0, nil
	}
	line, head, _ := bytes.Cut(b[:end], []byte("\r\n"))
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	status, convErr := strconv.Atoi(string(code))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || convErr != nil || status < 100 || status > 599 {
		return r, 0, fmt.Errorf("%w: %.40q is no HTTP response", ErrProtocol, line)
	}
	r = Response{Status: status, head: head}
	connection := r.Header("Connection")
	r.Close = bytes.EqualFold(connection, []byte("close")) ||
		string(version) == "HTTP/1.0" && !bytes.EqualFold(connection, []byte("keep-alive"))
	return r, end + 4, nil
}

// ParseResponse takes a response off b, of which the body may have up to limit bytes.
// size is that of the whole response, 0 if b does not hold all of it.
func ParseResponse(b []byte, limit int) (r Response, size int, err error) {
	r, at, err := ParseHead(b)
	if err != nil || at == 0 {
		return r, 0, err
	}
	if encoding := r.Header("Transfer-Encoding"); encoding != nil {
		if !bytes.EqualFold(encoding, []byte("chunked")) {
			return r, 0, fmt.Errorf("%w: Transfer-Encoding %.40q", ErrProtocol, encoding)
		}
		body, n, err := parseChunks(b[at:], limit)
		if err != nil || n == 0 {
			return r, 0, err
		}
		r.Body = body
		return r, at + n, nil
	}
	if r.Status == 204 || r.Status == 304 {
		return r, at, nil
	}
	value := r.Header("Content-Length")
	length, convErr := strconv.ParseUint(string(value), 10, 31)
	switch {
	case value == nil:
		return r, 0, fmt.Errorf("%w: a response (status %d) without a length", ErrProtocol, r.Status)
	case convErr != nil:
		return r, 0, fmt.Errorf("%w: Content-Length %.40q", ErrProtocol, value)
	case int(length) > limit:
		return r, 0, fmt.Errorf("%w: a response of %d bytes", ErrProtocol, length)
	case len(b)-at < int(length):
		return r, 0, nil
	}
	r.Body = b[at : at+int(length)]
	return r, at + int(length), nil
}

// parseChunks takes a chunked body (RFC 9112, section 7.1) off b, and returns how
// many bytes of b it had; 0 if b does not hold all of it.
func parseChunks(b []byte, limit int) (body []byte, size int, err error) {
	for at := 0; ; {
		line, rest, ok := bytes.Cut(b[at:], []byte("\r\n"))
		if !ok {
			return nil, 0, nil
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil || int(n) > limit-len(body) {
			return nil, 0, fmt.Errorf("%w: a chunk of %.20q bytes", ErrProtocol, digits)
		}
		at = len(b) - len(rest)
		if n == 0 {
			return skipTrailer(b, at, body)
		}
		if len(rest) < int(n)+2 {
			return nil, 0, nil
		}
		if string(rest[n:n+2]) != "\r\n" {
			return nil, 0, fmt.Errorf("%w: a chunk that does not end where it should", ErrProtocol)
		}
		body = append(body, rest[:n]...)
		at += int(n) + 2
	}
}

// skipTrailer passes over the lines behind the last chunk.
func skipTrailer(b []byte, at int, body []byte) ([]byte, int, error) {
	for {
		line, rest, ok := bytes.Cut(b[at:], []byte("\r\n"))
		if !ok {
			return nil, 0, nil
		}
		at = len(b) - len(rest)
		if len(line) == 0 {
			return body, at, nil
		}
	}
}
