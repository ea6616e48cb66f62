package proxyproto

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	fixed     = len(signature) + 4 // with version and command, family, length
	unixPath  = 108
)

// Types of extensions, and the flag of typeSSL for a client that used TLS.
const (
	typeCRC32C = 0x03
	typeSSL    = 0x20
	clientSSL  = 0x01
)

// families are the address families and transports that version 2 knows, with the
// size of their two addresses.
var families = map[byte]struct {
	size int
	kind Kind // None: of a transport that is not ours, so that it counts as unspecified
}{
	0x00: {0, None},
	0x11: {2*4 + 4, IP},
	0x12: {2*4 + 4, None},
	0x21: {2*16 + 4, IP},
	0x22: {2*16 + 4, None},
	0x31: {2 * unixPath, Unix},
	0x32: {2 * unixPath, None},
}

// parseBinary reads a header of version 2.
func parseBinary(buf []byte) (h Header, n int, err error) {
	if !begins(buf, signature) {
		return h, 0, ErrMissing
	}
	if len(buf) < fixed {
		return h, 0, nil
	}
	n = fixed + int(binary.BigEndian.Uint16(buf[14:]))
	local := buf[12] == 0x20
	switch {
	case !local && buf[12] != 0x21:
		return h, 0, ErrVersion
	case n > MaxHeader:
		return h, 0, ErrTooLong
	case len(buf) < n:
		return h, 0, nil
	case local: // everything else is to be ignored
		return h, n, nil
	}
	family, ok := families[buf[13]]
	if !ok || n-fixed < family.size {
		return h, 0, ErrMalformed
	}
	if buf[13] == 0 { // of unknown make
		return h, n, nil
	}
	body := buf[fixed:n]
	if h.Secure, err = extensions(buf[:n], fixed+family.size); err != nil {
		return Header{}, 0, err
	}
	h.Kind = family.kind
	switch h.Kind {
	case IP:
		h.Source, h.Destination = addresses(body[:family.size])
	case Unix:
		h.UnixSource, h.UnixDestination = path(body[:unixPath]), path(body[unixPath:2*unixPath])
	case None:
		h = Header{}
	}
	return h, n, nil
}

// addresses reads two addresses and their ports.
func addresses(b []byte) (source, destination netip.AddrPort) {
	size := (len(b) - 4) / 2
	from, _ := netip.AddrFromSlice(b[:size]) // 4 or 16 bytes always work
	to, _ := netip.AddrFromSlice(b[size : 2*size])
	ports := b[2*size:]
	return netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(ports[2:]))
}

// path reads the path of a unix socket. An abstract one begins with a zero byte,
// which Go writes as "@".
func path(b []byte) string {
	abstract := b[0] == 0
	if abstract {
		b = b[1:]
	}
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if abstract && len(b) > 0 {
		return "@" + string(b)
	}
	return string(b)
}

// extensions goes through what follows the addresses: type, length and value,
// each. All but two types are passed over.
func extensions(header []byte, at int) (secure bool, err error) {
	for at < len(header) {
		if len(header)-at < 3 {
			return false, ErrMalformed
		}
		kind, size := header[at], int(binary.BigEndian.Uint16(header[at+1:]))
		at += 3
		if len(header)-at < size {
			return false, ErrMalformed
		}
		switch kind {
		case typeCRC32C:
			if size != 4 {
				return false, ErrMalformed
			}
			if !checksum(header, at) {
				return false, ErrChecksum
			}
		case typeSSL:
			if size < 5 { // flags and the result of verifying
				return false, ErrMalformed
			}
			secure = header[at]&clientSSL != 0
		}
		at += size
	}
	return secure, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum compares the four bytes at an offset with the checksum of the header in
// which they are zero.
func checksum(header []byte, at int) bool {
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	sum = crc32.Update(sum, castagnoli, header[at+4:])
	return sum == binary.BigEndian.Uint32(header[at:])
}
