package clientaddr

import "strings"

// fromX reads X-Forwarded-For from right to left, and then the entry of
// X-Forwarded-Proto that belongs to the same hop.
func (r *Resolver) fromX(client Peer, addresses, protocols []string) Peer {
	hop := 0 // entries taken, from the right
	for entry := range fromRight(addresses) {
		hop++
		addr, ok := parseNode(entry, true)
		if !ok {
			client.Secure = false
			break // it says nothing of who is behind it, but it is a hop
		}
		client.Addr, client.Secure = addr, false
		if hop >= r.maxHops || !r.Trusts(addr.Addr()) {
			break
		}
	}
	if secure, ok := protocolOf(hop, count(addresses), protocols); ok {
		client.Secure = secure
	}
	return client
}

// protocolOf returns what X-Forwarded-Proto says of the client at a hop, the
// hop-th entry from the right of n. Proxies treat that header in two ways: each adds
// an entry, just as to X-Forwarded-For, or the outermost sets it and the others
// hand it on. Where neither fits, the last entry counts: the peer wrote that.
func protocolOf(hop, n int, protocols []string) (secure, known bool) {
	if count(protocols) != n || hop == 0 {
		hop = 1
	}
	for entry := range fromRight(protocols) {
		if hop--; hop == 0 {
			return isSecure(entry)
		}
	}
	return false, false
}

// isSecure judges a protocol's name.
func isSecure(protocol string) (secure, known bool) {
	switch {
	case strings.EqualFold(protocol, "https"), strings.EqualFold(protocol, "wss"):
		return true, true
	case strings.EqualFold(protocol, "http"), strings.EqualFold(protocol, "ws"):
		return false, true
	}
	return false, false
}

// fromRight yields the entries of comma-separated lists in header lines, the
// last one first, without the space around them.
func fromRight(lines []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := len(lines) - 1; i >= 0; i-- {
			for rest, more := lines[i], true; more; {
				entry := rest
				comma := strings.LastIndexByte(rest, ',')
				if more = comma >= 0; more {
					rest, entry = rest[:comma], rest[comma+1:]
				}
				if !yield(trim(entry)) {
					return
				}
			}
		}
	}
}

// count returns how many entries the lines have.
func count(lines []string) int {
	n := len(lines)
	for _, line := range lines {
		n += strings.Count(line, ",")
	}
	return n
}

// trim takes off the whitespace that HTTP allows in lists.
func trim(s string) string { return strings.Trim(s, " \t") }
