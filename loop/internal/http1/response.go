package http1

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// ErrInvalidHeader says that a response header can't be written: its name is no
// token, or its value holds a control byte, with which it could forge further
// header lines.
var ErrInvalidHeader = errors.New("http1: invalid header")

// StatusText returns the reason phrase of a status code, or "" if it is unknown.
func StatusText(status int) string { return http.StatusText(status) }

// AppendStatusLine appends the status line of an HTTP/1.1 response. A status
// that does not have three digits is a bug of the caller, and written as 500.
func AppendStatusLine(dst []byte, status int) []byte {
	if status < 100 || status > 999 {
		status = http.StatusInternalServerError
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ') // even without a phrase (RFC 9112, section 4)
	dst = append(dst, StatusText(status)...)
	return append(dst, "\r\n"...)
}

// AppendHeader appends a header line. If name or value is not valid, it returns
// dst as it was, and an error that wraps [ErrInvalidHeader].
func AppendHeader(dst []byte, name, value string) ([]byte, error) {
	if !validHeader(name, value) {
		return dst, fmt.Errorf("%w: %q", ErrInvalidHeader, name)
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...), nil
}

func validHeader(name, value string) bool {
	for i := range len(name) {
		if classes[name[i]]&classToken == 0 {
			return false
		}
	}
	for i := range len(value) {
		if classes[value[i]]&classValue == 0 {
			return false
		}
	}
	return name != ""
}
