package wsproto

import (
	"bytes"

	"github.com/gobwas/ws"
)

// errExtensions says that a Sec-WebSocket-Extensions header is not what its
// grammar says; the handshake is to be failed (RFC 6455, section 9.1).
var errExtensions = &Error{ws.StatusProtocolError, "malformed extensions"}

// extensionList walks over the value of a Sec-WebSocket-Extensions header (RFC
// 6455, section 9.1), of several lines if they were joined by commas:
//
//	list      = [ extension ] *( "," [ extension ] )
//	extension = token *( ";" token [ "=" ( token | quoted-string ) ] )
//
// What a quoted string says must be a token, too.
type extensionList struct{ rest []byte }

// next returns the name of the next extension, or nil at the end.
func (l *extensionList) next() (name []byte, err error) {
	for l.accept(',') { // elements may be empty (RFC 9110, section 5.6.1.2)
	}
	if len(l.rest) == 0 {
		return nil, nil
	}
	if name = l.token(); name == nil {
		return nil, errExtensions
	}
	return name, nil
}

// param returns the next parameter of the extension that next returned; nil
// behind the last. value is nil if it has none.
func (l *extensionList) param() (name, value []byte, err error) {
	if !l.accept(';') {
		if len(l.rest) > 0 && l.rest[0] != ',' {
			return nil, nil, errExtensions
		}
		return nil, nil, nil
	}
	if name = l.token(); name == nil {
		return nil, nil, errExtensions
	}
	if !l.accept('=') {
		return name, nil, nil
	}
	l.space()
	if len(l.rest) > 0 && l.rest[0] == '"' {
		value = l.quoted()
	} else {
		value = l.token()
	}
	if value == nil {
		return nil, nil, errExtensions
	}
	return name, value, nil
}

func (l *extensionList) space() { l.rest = bytes.TrimLeft(l.rest, " \t") }

// accept takes c, with white space around it, if it comes next.
func (l *extensionList) accept(c byte) bool {
	l.space()
	if len(l.rest) == 0 || l.rest[0] != c {
		return false
	}
	l.rest = l.rest[1:]
	l.space()
	return true
}

// token takes a token, with white space around it; nil if none comes next.
func (l *extensionList) token() []byte {
	l.space()
	n := 0
	for n < len(l.rest) && isTokenByte(l.rest[n]) {
		n++
	}
	if n == 0 {
		return nil
	}
	t := l.rest[:n]
	l.rest = l.rest[n:]
	l.space()
	return t
}

// quoted takes a quoted string that says a token, and returns that; nil if it
// is something else. It copies only if there are escapes.
func (l *extensionList) quoted() []byte {
	var token []byte
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '"':
			if token == nil {
				token = l.rest[1:i]
			}
			l.rest = l.rest[i+1:]
			l.space()
			if !isToken(token) {
				return nil
			}
			return token
		case c == '\\' && i+1 < len(l.rest):
			if token == nil {
				token = append(make([]byte, 0, len(l.rest)), l.rest[1:i]...)
			}
			i++
			token = append(token, l.rest[i])
		case token != nil:
			token = append(token, c)
		}
	}
	return nil
}
