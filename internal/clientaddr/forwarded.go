package clientaddr

import "strings"

// maxParameters bounds those of one element; RFC 7239 knows four.
const maxParameters = 16

// element is one hop of a Forwarded header. Absent and empty are the same.
type element struct{ from, proto string }

// fromForwarded reads the elements of all Forwarded lines from right to left. An
// element says of one connection who was at its other end and what it spoke.
//
// Nothing further left has a say in what an element means, since a client may
// have written it: a line is never read from its start, where a quote that is left
// open would swallow what proxies add. A fault ends the search.
func (r *Resolver) fromForwarded(client Peer, lines []string) Peer {
	hop := 0
	for i := len(lines) - 1; i >= 0; i-- {
		s := scanner{rest: lines[i]}
		for {
			e, ok := s.element()
			if !ok {
				return client
			}
			if e == nil {
				break
			}
			hop++
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

// scanner reads a header line of the grammar of RFC 7239, section 4, from the
// right. That is possible since a quote opens behind a "=" and has a backslash
// before it within quotes.
type scanner struct{ rest string }

// element takes the last element, nil if there is none. Empty ones are left out,
// as lists of RFC 9110, section 5.6.1 allow them.
func (s *scanner) element() (e *element, ok bool) {
	var found element
	var seen [maxParameters]string
	n := 0
	for {
		s.space()
		if !s.at(',') && !s.at(';') && s.rest != "" {
			name, value, ok := s.pair()
			if !ok || n == maxParameters || contains(seen[:n], name) {
				return nil, false
			}
			seen[n] = name
			n++
			switch {
			case strings.EqualFold(name, "for"):
				found.from = value
			case strings.EqualFold(name, "proto"):
				found.proto = value
			}
			s.space()
		}
		switch {
		case s.take(';'):
			continue
		case s.rest != "" && !s.take(','):
			return nil, false
		case n > 0:
			return &found, true
		case s.rest == "":
			return nil, true
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

func (s *scanner) at(c byte) bool { return s.rest != "" && s.rest[len(s.rest)-1] == c }

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.rest = s.rest[:len(s.rest)-1]
	return true
}

func (s *scanner) space() { s.rest = strings.TrimRight(s.rest, " \t") }

// pair takes name=value, where the value is a token or quoted. No space may
// stand around the "=".
func (s *scanner) pair() (name, value string, ok bool) {
	if s.take('"') {
		if value, ok = s.quoted(); !ok {
			return "", "", false
		}
	} else if value = s.token(); value == "" {
		return "", "", false
	}
	if !s.take('=') {
		return "", "", false
	}
	name = s.token()
	return name, value, name != ""
}

// token also takes ":", "[" and "]": the grammar wants such values quoted, and
// senders forget it.
func (s *scanner) token() string {
	n := len(s.rest)
	for n > 0 && (isAlphanumeric(s.rest[n-1]) || strings.IndexByte("!#$%&'*+-.^_`|~:[]", s.rest[n-1]) >= 0) {
		n--
	}
	token := s.rest[n:]
	s.rest = s.rest[:n]
	return token
}

// quoted takes the rest of a quoted string (RFC 9110, section 5.6.4) whose end
// was taken.
func (s *scanner) quoted() (value string, ok bool) {
	for i := len(s.rest) - 1; i >= 0; i-- {
		if s.rest[i] != '"' {
			continue
		}
		before := strings.TrimRight(s.rest[:i], `\`)
		if (i-len(before))%2 == 1 {
			i = len(before) // an escaped one
			continue
		}
		quoted := s.rest[i+1:]
		s.rest = s.rest[:i]
		return unescape(quoted)
	}
	return "", false
}

// unescape returns what stands between two quotes without its backslashes.
func unescape(s string) (value string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if i++; i == len(s) {
				return "", false // it escapes the closing quote
			}
			b.WriteByte(s[i])
			continue
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
