package clientaddr

import "strings"

// maxParameters bounds those of one element; RFC 7239 knows four.
const maxParameters = 16

// element is one hop of a Forwarded header. Absent and empty are the same.
type element struct{ from, proto string }

// fromForwarded reads the elements of all Forwarded lines from right to left. An
// element says of one connection who was at its other end and what it spoke.
//
// A line must be read from its start, since commas may be quoted, and a client
// can leave a quote open in front of what proxies add. A line with a fault is
// therefore not believed in any part.
func (r *Resolver) fromForwarded(client Peer, lines []string) Peer {
	hop := 0
	for i := len(lines) - 1; i >= 0; i-- {
		elements, ok := parseForwarded(lines[i])
		if !ok {
			return client
		}
		for k := len(elements) - 1; k >= 0; k-- {
			hop++
			e := elements[k]
			client.Secure, _ = isSecure(e.proto)
			addr, ok := parseNode(e.from, false)
			if !ok {
				return client // unknown, hidden or not said
			}
			client.Addr = addr
			if hop >= r.maxHops || !r.Trusts(addr.Addr()) {
				return client
			}
		}
	}
	return client
}

// parseForwarded reads a line of the grammar of RFC 7239, section 4. Empty
// elements are left out, as lists of RFC 9110, section 5.6.1 allow them.
func parseForwarded(line string) (elements []element, ok bool) {
	var (
		e    element
		seen []string // parameters of e
	)
	s := scanner{rest: line}
	for {
		s.space()
		if !s.at(',') && !s.at(';') && s.rest != "" {
			name, value, ok := s.pair()
			if !ok || len(seen) == maxParameters || contains(seen, name) {
				return nil, false
			}
			seen = append(seen, name)
			switch {
			case strings.EqualFold(name, "for"):
				e.from = value
			case strings.EqualFold(name, "proto"):
				e.proto = value
			}
			s.space()
		}
		switch {
		case s.take(';'):
			continue
		case s.rest != "" && !s.at(','):
			return nil, false
		}
		if len(seen) > 0 {
			elements = append(elements, e)
		}
		e, seen = element{}, seen[:0]
		if !s.take(',') {
			return elements, true
		}
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// scanner reads a header line from the left.
type scanner struct{ rest string }

func (s *scanner) at(c byte) bool { return s.rest != "" && s.rest[0] == c }

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

// pair reads name=value, where the value is a token or quoted. No space may
// stand around the "=".
func (s *scanner) pair() (name, value string, ok bool) {
	if name = s.token(); name == "" || !s.take('=') {
		return "", "", false
	}
	if s.at('"') {
		value, ok = s.quoted()
		return name, value, ok
	}
	value = s.token()
	return name, value, value != ""
}

// token also takes ":", "[" and "]": the grammar wants such values quoted, and
// senders forget it.
func (s *scanner) token() string {
	n := 0
	for n < len(s.rest) && (isAlphanumeric(s.rest[n]) || strings.IndexByte("!#$%&'*+-.^_`|~:[]", s.rest[n]) >= 0) {
		n++
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token
}

// quoted reads a quoted string (RFC 9110, section 5.6.4).
func (s *scanner) quoted() (value string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		case c < ' ' && c != '\t' || c == 0x7f || c == '\\':
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
