package wsproto

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the protocol demands it, and not for secrecy
	"encoding/base64"
	"net/http"
	"strings"
)

// acceptGUID is what a server adds to the key (RFC 6455, section 1.3).
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// keySize is the size of a key: 16 bytes in base64.
const keySize = 24

// Handshake is what the answer to a valid opening handshake depends on.
type Handshake struct {
	// Key is the value of Sec-WebSocket-Key.
	Key []byte
	// Protocol is the sub-protocol to answer with, the first that was offered;
	// nil if none was.
	Protocol []byte
}

// Clone returns a copy that is not a view of the request.
func (h Handshake) Clone() Handshake {
	return Handshake{Key: bytes.Clone(h.Key), Protocol: bytes.Clone(h.Protocol)}
}

// Refusal is the answer to a handshake that is not valid. The connection is to
// be closed after it.
type Refusal struct {
	// Status is the status code: 400 or 405.
	Status int
	// ContentType is the body's media type.
	ContentType string
	// Header holds further header lines, each ended by CRLF. It is shared:
	// append only to a copy.
	Header []byte
	// Body is a text without a line end.
	Body string
}

// Error returns the body's text.
func (r *Refusal) Error() string { return "wsproto: " + r.Body }

// contentType is what the reference server sends these plain texts as.
const contentType = "text/html"

var (
	refuseMethod = &Refusal{
		Status: http.StatusMethodNotAllowed, ContentType: contentType,
		Header: clip("Allow: GET\r\n"), Body: "Invalid HTTP method",
	}
	refuseUpgrade = &Refusal{
		Status: http.StatusBadRequest, ContentType: contentType,
		Body: "Invalid Upgrade header",
	}
	refuseKey = &Refusal{
		Status: http.StatusBadRequest, ContentType: contentType,
		Body: "Missing or invalid Sec-WebSocket-Key header",
	}
	refuseVersion = &Refusal{
		Status: http.StatusBadRequest, ContentType: contentType,
		Header: clip("Sec-WebSocket-Version: 13, 8\r\n"), Body: "Missing or invalid Sec-WebSocket-Version header",
	}
	refuseProtocol = &Refusal{
		Status: http.StatusBadRequest, ContentType: contentType,
		Body: "Invalid Sec-WebSocket-Protocol header",
	}
)

// clip returns s without spare capacity, so that an append copies it.
func clip(s string) []byte { return []byte(s)[:len(s):len(s)] }

// CheckHandshake judges a client's opening handshake (RFC 6455, section 4.2.1):
// method, Upgrade, key, version (13, or 8, whose frames are the same) and
// sub-protocols. get returns the value of a request's first header of a name,
// nil if there is none; minor is the minor version of HTTP/1.
//
// That the Connection header lists "upgrade" is for the caller to check: such a
// list may be spread over several headers.
//
// The views in the handshake live as long as those that get returned. If the
// request is bad, the handshake is empty and the refusal is not nil.
func CheckHandshake(get func(name string) []byte, method []byte, minor int) (Handshake, *Refusal) {
	if string(method) != http.MethodGet {
		return Handshake{}, refuseMethod
	}
	// HTTP/1.0 knows no Upgrade.
	if minor < 1 || !isWebSocket(get("Upgrade")) {
		return Handshake{}, refuseUpgrade
	}
	h := Handshake{Key: get("Sec-WebSocket-Key")}
	if !validKey(h.Key) {
		return Handshake{}, refuseKey
	}
	switch string(get("Sec-WebSocket-Version")) {
	case "13", "8":
	default:
		return Handshake{}, refuseVersion
	}
	if offered := get("Sec-WebSocket-Protocol"); offered != nil {
		var ok bool
		if h.Protocol, ok = firstProtocol(offered); !ok {
			return Handshake{}, refuseProtocol
		}
	}
	return h, nil
}

// isWebSocket compares without regard to the case of ASCII letters only:
// bytes.EqualFold also takes U+017F for an "s".
func isWebSocket(b []byte) bool {
	const name = "websocket"
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if c|0x20 != name[i] {
			return false
		}
	}
	return true
}

// validKey reports whether b has the form of 16 bytes in base64.
func validKey(b []byte) bool {
	if len(b) != keySize || b[keySize-2] != '=' || b[keySize-1] != '=' {
		return false
	}
	for _, c := range b[:keySize-2] {
		if !isAlphanumeric(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// firstProtocol returns the first element of a list of tokens, and whether all
// of it is one.
func firstProtocol(list []byte) (first []byte, ok bool) {
	for more := true; more; {
		var token []byte
		token, list, more = bytes.Cut(list, []byte(","))
		token = bytes.Trim(token, " \t")
		if !isToken(token) {
			return nil, false
		}
		if first == nil {
			first = token
		}
	}
	return first, true
}

func isToken(b []byte) bool {
	for _, c := range b {
		if !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

func isTokenByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// AppendAccept appends the value of Sec-WebSocket-Accept for a key (RFC 6455,
// section 4.2.2).
func AppendAccept(dst, key []byte) []byte {
	var buf [keySize + len(acceptGUID)]byte
	sum := sha1.Sum(append(append(buf[:0], key...), acceptGUID...)) //nolint:gosec // see the import
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// Append101 appends the answer that accepts the handshake. extraHeaders are
// further header lines, each ended by CRLF; the one for extensions is among them.
func Append101(dst []byte, h Handshake, extraHeaders []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\n"+
		"Connection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "...)
	dst = AppendAccept(dst, h.Key)
	dst = append(dst, "\r\n"...)
	if h.Protocol != nil {
		dst = append(dst, "Sec-WebSocket-Protocol: "...)
		dst = append(dst, h.Protocol...)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, extraHeaders...)
	return append(dst, "\r\n"...)
}
