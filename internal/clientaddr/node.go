package clientaddr

import (
	"net/netip"
	"strconv"
	"strings"
)

// parseNode reads an address with or without a port: 192.0.2.1, 192.0.2.1:80,
// [2001:db8::1], [2001:db8::1]:80 and, if bare, 2001:db8::1. A port that is
// obfuscated (RFC 7239, section 6.3) is 0. Names, "unknown" and obfuscated
// identifiers are no addresses, nor is one with a zone, which means something on
// its own machine only.
func parseNode(s string, bare bool) (a netip.AddrPort, ok bool) {
	host, port := s, ""
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return a, false
		}
		host, port = s[1:end], s[end+1:]
		if !strings.Contains(host, ":") {
			return a, false
		}
	case strings.Count(s, ":") == 1:
		colon := strings.IndexByte(s, ':')
		host, port = s[:colon], s[colon:]
	case !bare && strings.Contains(s, ":"):
		return a, false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return a, false
	}
	n, ok := parsePort(port)
	return netip.AddrPortFrom(addr.Unmap(), n), ok
}

// parsePort reads ":80", ":_x" or nothing.
func parsePort(s string) (port uint16, ok bool) {
	if s == "" {
		return 0, true
	}
	s, ok = strings.CutPrefix(s, ":")
	if !ok {
		return 0, false
	}
	if obfuscated(s) {
		return 0, true
	}
	if len(s) > 5 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil
}

// obfuscated reports whether s is an identifier such as _gazonk.
func obfuscated(s string) bool {
	if len(s) < 2 || s[0] != '_' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
