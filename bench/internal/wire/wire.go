// Package wire is as much of HTTP/1.1 and of Engine.IO over polling as the
// clients of the benchmarks need: requests as bytes, and a parser of responses
// that takes what has arrived so far. It does no I/O.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// ErrProtocol is the error for anything but a plain answer to a poll.
var ErrProtocol = errors.New("unexpected answer")

// maxResponse bounds a response in bytes.
const maxResponse = 64 << 10

// target is the request target of a session over polling.
func target(sid string) string {
	if sid == "" {
		return "/socket.io/?EIO=4&transport=polling"
	}
	return "/socket.io/?EIO=4&transport=polling&sid=" + sid
}

// Get returns a poll of the session, or the request for one if sid is empty.
func Get(host, sid string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", target(sid), host)
}

// Post returns a request that sends a payload.
func Post(host, sid, payload string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nContent-Type: text/plain;charset=UTF-8\r\n"+
		"Content-Length: %d\r\n\r\n%s", target(sid), host, len(payload), payload)
}

// ParseResponse takes a response of status 200 off b and returns its body, a
// view of b. size is that of the whole response, 0 if b does not hold all of it.
func ParseResponse(b []byte) (body []byte, size int, err error) {
	head, rest, complete := bytes.Cut(b, []byte("\r\n\r\n"))
	if !complete {
		if len(b) > maxResponse {
			return nil, 0, fmt.Errorf("%w: no end of the head in %d bytes", ErrProtocol, len(b))
		}
		return nil, 0, nil
	}
	status, headers, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return nil, 0, fmt.Errorf("%w: %q %.100q", ErrProtocol, status, rest)
	}
	for len(headers) > 0 {
		var line []byte
		line, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		length, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
		if err != nil || length > maxResponse {
			return nil, 0, fmt.Errorf("%w: Content-Length %q", ErrProtocol, value)
		}
		if uint64(len(rest)) < length {
			return nil, 0, nil
		}
		return rest[:length], len(b) - len(rest) + int(length), nil
	}
	return nil, 0, fmt.Errorf("%w: no Content-Length", ErrProtocol)
}

// SessionID returns the id in the payload that opens a session.
func SessionID(payload []byte) (string, error) {
	rest, ok := bytes.CutPrefix(payload, []byte(`0{"sid":"`))
	sid, _, ended := bytes.Cut(rest, []byte(`"`))
	if !ok || !ended || len(sid) == 0 {
		return "", fmt.Errorf("%w: %.60q, not an open packet", ErrProtocol, payload)
	}
	return string(sid), nil
}
