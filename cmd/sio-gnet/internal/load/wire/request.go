package wire

import (
	"crypto/sha1" //nolint:gosec // RFC 6455, section 4.2.2, asks for it; nothing is kept secret
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// AppendGet appends a request without a body. header are further lines, each ended
// by CRLF.
func AppendGet(dst []byte, host, target, header string) []byte {
	dst = append(append(append(dst, "GET "...), target...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), "\r\nAccept: */*\r\n"...)
	return append(append(dst, header...), "\r\n"...)
}

// AppendPost appends a request with a text as its body.
func AppendPost(dst []byte, host, target, header string, body []byte) []byte {
	dst = append(append(append(dst, "POST "...), target...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), "\r\nAccept: */*\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: "...)
	dst = append(strconv.AppendInt(dst, int64(len(body)), 10), "\r\n"...)
	dst = append(append(dst, header...), "\r\n"...)
	return append(dst, body...)
}

// Values of the header Sec-WebSocket-Extensions.
const (
	// OfferDeflate asks for compression without memory between messages.
	OfferDeflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	// OfferTakeover lets the server keep its window from message to message.
	OfferTakeover = "permessage-deflate; client_no_context_takeover"
)

// AppendUpgrade appends the client's opening handshake (RFC 6455, section 4.1).
// extensions may be empty.
func AppendUpgrade(dst []byte, host, target, header, key, extensions string) []byte {
	dst = append(append(append(dst, "GET "...), target...), " HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	dst = append(dst, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
	dst = append(append(dst, key...), "\r\n"...)
	if extensions != "" {
		dst = append(append(append(dst, "Sec-WebSocket-Extensions: "...), extensions...), "\r\n"...)
	}
	return append(append(dst, header...), "\r\n"...)
}

// Key makes the value of Sec-WebSocket-Key from a number.
func Key(n uint64) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], n)
	return base64.StdEncoding.EncodeToString(raw[:])
}

// Accept is what a server answers to a key.
func Accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}
