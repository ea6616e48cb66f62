package proxyproto

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

const (
	textPrefix = "PROXY "
	// maxText is the longest line of version 1, with its CRLF.
	maxText = 107
)

// parseText reads a header of version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".
func parseText(buf []byte) (h Header, n int, err error) {
	if !begins(buf, textPrefix) {
		return h, 0, ErrMissing
	}
	end := bytes.IndexByte(buf[:min(len(buf), maxText)], '\n')
	switch {
	case end < 0 && len(buf) >= maxText:
		return h, 0, ErrTooLong
	case end < 0:
		return h, 0, nil
	case end < len(textPrefix) || buf[end-1] != '\r':
		return h, 0, ErrMalformed
	}
	fields := strings.Split(string(buf[len(textPrefix):end-1]), " ")
	if fields[0] == "UNKNOWN" { // whatever follows
		return h, end + 1, nil
	}
	if len(fields) != 5 {
		return h, 0, ErrMalformed
	}
	var ok [2]bool
	h.Kind = IP
	h.Source, ok[0] = textAddress(fields[0], fields[1], fields[3])
	h.Destination, ok[1] = textAddress(fields[0], fields[2], fields[4])
	if !ok[0] || !ok[1] {
		return Header{}, 0, ErrMalformed
	}
	return h, end + 1, nil
}

func textAddress(family, host, port string) (a netip.AddrPort, ok bool) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" || family != "TCP4" && family != "TCP6" || addr.Is4() != (family == "TCP4") {
		return a, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port { // "+1" and "01" are no ports
		return a, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), true
}
