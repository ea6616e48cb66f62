package http1

import (
	"bytes"
	"net/http"
)

const version = "HTTP/1."

var errTargetForm = &Error{http.StatusBadRequest, "request target not in a form for this method"}

// parseRequestLine parses a request line (RFC 9112, section 3). authority is
// not nil if the target was in absolute form.
func (r *Request) parseRequestLine(line []byte) (authority []byte, err error) {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	space := bytes.LastIndexByte(rest, ' ')
	if space < 0 || !isToken(method) {
		return nil, errRequestLine
	}
	target, protocol := rest[:space], rest[space+1:]
	if !isVersion(protocol) {
		return nil, errRequestLine
	}
	// The version first: in another one the rest may mean something else.
	minor := protocol[len(version)] - '0'
	if string(protocol[:len(version)]) != version || minor > 1 {
		return nil, &Error{http.StatusHTTPVersionNotSupported, "only HTTP/1.0 and HTTP/1.1 are spoken here"}
	}
	r.Method, r.Minor = method, int(minor)
	if len(target) == 0 || !isAll(target, classTarget) {
		return nil, &Error{http.StatusBadRequest, "malformed request target"}
	}
	return r.parseTarget(target)
}

// isVersion reports whether b is an HTTP-version (RFC 9112, section 2.3).
func isVersion(b []byte) bool {
	return len(b) == len("HTTP/1.1") && string(b[:5]) == "HTTP/" && b[6] == '.' && isDigit(b[5]) && isDigit(b[7])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseTarget parses the four forms of a target (RFC 9112, section 3.2). A
// CONNECT asks for a tunnel in any of them, so it is refused.
func (r *Request) parseTarget(target []byte) (authority []byte, err error) {
	switch {
	case string(r.Method) == http.MethodConnect:
		return nil, errTargetForm
	case target[0] == '/':
		r.splitTarget(target)
		return nil, nil
	case len(target) == 1 && target[0] == '*':
		if string(r.Method) != http.MethodOptions {
			return nil, errTargetForm
		}
		r.Target, r.Path = target, target
		return nil, nil
	}
	scheme, rest, found := bytes.Cut(target, []byte("://"))
	if !found || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return nil, errTargetForm
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority = rest[:end]
	if len(authority) == 0 || authority[0] == ':' || !validHost(authority) {
		return nil, errTargetForm
	}
	origin := rest[end:]
	if len(origin) == 0 || origin[0] != '/' {
		// No view has the "/" that stands for an empty path.
		origin = append([]byte("/"), origin...)
	}
	r.splitTarget(origin)
	return authority, nil
}

func (r *Request) splitTarget(target []byte) {
	r.Target, r.Path = target, target
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		r.Path, r.Query = target[:i], target[i+1:]
	}
}

// validHost reports whether b is empty or a host with an optional port (RFC
// 9110, section 7.2). User information is not part of it. Of an address in
// brackets only the characters are judged.
func validHost(b []byte) bool {
	host, port := b, []byte(nil)
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !isAddress(b[1:end]) {
			return false
		}
		host, port = nil, b[end+1:]
	} else if i := bytes.IndexByte(b, ':'); i >= 0 {
		host, port = b[:i], b[i:]
	}
	if len(port) > 0 {
		if port[0] != ':' {
			return false
		}
		for _, c := range port[1:] {
			if !isDigit(c) {
				return false
			}
		}
	}
	return isRegName(host)
}

func isAddress(b []byte) bool {
	for _, c := range b {
		if c != ':' && c != '.' && classes[c]&classHex == 0 {
			return false
		}
	}
	return bytes.IndexByte(b, ':') >= 0
}

// isRegName reports whether b is a registered name (RFC 3986, section 3.2.2).
func isRegName(b []byte) bool {
	for len(b) > 0 {
		switch {
		case classes[b[0]]&classHost != 0:
			b = b[1:]
		case b[0] == '%' && len(b) >= 3 && isAll(b[1:3], classHex):
			b = b[3:]
		default:
			return false
		}
	}
	return true
}
