package http1

import "bytes"

// Header is one header line. Both fields are views of the head.
type Header struct {
	// Name is as the peer wrote it; case does not count.
	Name []byte
	// Value has no whitespace around it.
	Value []byte
}

// Request is a parsed head. All byte slices are read-only views of the head
// that [ParseHead] was given, and valid as long as that is.
type Request struct {
	// Method is any token, in its own case: methods are not judged here.
	Method []byte
	// Target is the request target in origin form, path and query. An absolute
	// form has its scheme and authority taken off. It is "*" for OPTIONS *.
	Target []byte
	// Path is Target up to the first "?", undecoded: it may hold malformed
	// percent-encodings.
	Path []byte
	// Query is what follows that "?"; nil if there is none.
	Query []byte
	// Minor is the minor version of the protocol: 0 or 1.
	Minor int
	// Headers are all header lines in order.
	Headers []Header
	// Host is the host of an absolute-form target, which outranks the header
	// (RFC 9112, section 3.2.2), else of the header. It may have a port, and it
	// may be empty.
	Host []byte
	// ContentLength is the body's length in bytes, -1 if there was no such
	// header. Without one, and not Chunked, there is no body.
	ContentLength int64
	// Chunked says that the body has the chunked transfer coding.
	Chunked bool
	// KeepAlive says that the peer may send another request on the connection
	// (RFC 9112, section 9.3).
	KeepAlive bool
	// ExpectContinue says that the peer waits for a 100 (Continue) before it
	// sends the body (RFC 9110, section 10.1.1).
	ExpectContinue bool
	// Upgrade is the value of the first Upgrade header. It is nil unless the
	// Connection header lists "upgrade" and the version is 1.1, without which the
	// header has no meaning (RFC 9110, section 7.8).
	Upgrade []byte
}

// Clone returns a copy that is no view of the head.
func (r *Request) Clone() Request {
	c := *r
	c.Method, c.Host, c.Upgrade = bytes.Clone(r.Method), bytes.Clone(r.Host), bytes.Clone(r.Upgrade)
	c.Target, c.Path, c.Query = bytes.Clone(r.Target), bytes.Clone(r.Path), bytes.Clone(r.Query)
	c.Headers = make([]Header, len(r.Headers))
	for i, h := range r.Headers {
		c.Headers[i] = Header{Name: bytes.Clone(h.Name), Value: bytes.Clone(h.Value)}
	}
	return c
}

// Get returns the value of the first header of that name, in any case, or nil if
// there is none. The value of an empty header is empty, but not nil.
func (r *Request) Get(name string) []byte {
	for i := range r.Headers {
		if h := &r.Headers[i]; equalFold(h.Name, name) {
			return h.Value
		}
	}
	return nil
}

// AppendValues appends the values of all headers of that name, in any case,
// joined by commas: they are one list (RFC 9110, section 5.3).
func (r *Request) AppendValues(dst []byte, name string) []byte {
	first := true
	for i := range r.Headers {
		h := &r.Headers[i]
		if !equalFold(h.Name, name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, h.Value...)
	}
	return dst
}

// QueryValue returns the value of the query parameter key, as [QueryValue]
// does, or nil if there is none.
func (r *Request) QueryValue(key string) []byte {
	value, _ := QueryValue(r.Query, key)
	return value
}
