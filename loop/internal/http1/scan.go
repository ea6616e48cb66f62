package http1

import "bytes"

// maxEmptyLines is how many empty lines are skipped in front of a request line.
// Some clients send one behind a body (RFC 9112, section 2.2).
const maxEmptyLines = 2

// HeadScanner finds the end of a request's head. It remembers how far it has
// looked, so that input that comes byte by byte is still looked at once only.
// The zero value is ready.
type HeadScanner struct {
	pos    int // everything before it has been looked at
	line   int // where the line at pos starts
	fields int // where the header lines start; 0 in or before the request line
	count  int // complete header lines
	empty  int // empty lines skipped
}

// Reset makes the scanner ready for the next request.
func (s *HeadScanner) Reset() { *s = HeadScanner{} }

// Scan looks for the end of the head in b, which is all input from the
// request's first byte on: what earlier calls were given, at the same offsets,
// and what came since. It returns the offset behind the head's blank line, or
// 0, nil if that has not come yet.
//
// It only judges what can't wait for the whole head: the limits (an [*Error]
// of status 414 or 431, as soon as the bytes there exceed one), and with status
// 400 line ends other than CRLF, more than two empty lines in front, and a
// first byte that no method starts with, such as TLS sends. [ParseHead] judges
// the rest. After an error or a result the scanner needs a [HeadScanner.Reset].
func (s *HeadScanner) Scan(b []byte, lim Limits) (end int, err error) {
	lim = lim.WithDefaults()
	if s.fields == 0 {
		if more, err := s.skipEmptyLines(b); more || err != nil {
			return 0, err
		}
	}
	for s.pos < len(b) {
		n := bytes.IndexByte(b[s.pos:], '\n')
		if n < 0 {
			s.pos = len(b)
			break
		}
		s.pos += n + 1
		// The limit comes before all else that a line may be refused for: that
		// is the order in which the bytes show it, however they are split.
		if err := s.checkSize(b[:s.pos], lim); err != nil {
			return 0, err
		}
		length := s.pos - s.line - len("\r\n")
		if length < 0 || b[s.pos-2] != '\r' {
			return 0, errBareLF
		}
		s.line = s.pos
		switch {
		case s.fields == 0:
			s.fields = s.pos
		case length == 0:
			return s.pos, nil
		default:
			if s.count++; s.count > lim.Headers {
				return 0, errHeadersMany
			}
		}
	}
	return 0, s.checkSize(b, lim)
}

// skipEmptyLines moves to the first byte of the request line, and reports
// whether that is still to come.
func (s *HeadScanner) skipEmptyLines(b []byte) (more bool, err error) {
	if s.pos > s.line {
		return false, nil
	}
	for s.line < len(b) && b[s.line] == '\r' {
		switch {
		case s.line+1 == len(b):
			return true, nil
		case b[s.line+1] != '\n':
			return false, errRequestLine
		case s.empty == maxEmptyLines:
			return false, errEmptyLines
		}
		s.empty++
		s.line += len("\r\n")
		s.pos = s.line
	}
	if s.line == len(b) {
		return true, nil
	}
	if classes[b[s.line]]&classToken == 0 {
		return false, errRequestLine
	}
	return false, nil
}

// checkSize judges the part of the head that ends with b.
func (s *HeadScanner) checkSize(b []byte, lim Limits) error {
	if s.fields > 0 {
		if len(b)-s.fields > lim.HeaderBytes {
			return errHeadersLarge
		}
		return nil
	}
	line := b[s.line:]
	line = bytes.TrimSuffix(line, []byte("\n"))
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > lim.RequestLine {
		return errRequestLineLong
	}
	return nil
}
