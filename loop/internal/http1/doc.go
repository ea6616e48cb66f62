// Package http1 parses the server's side of HTTP/1.0 and HTTP/1.1 (RFC 9110,
// RFC 9112) incrementally, from whatever bytes have arrived.
//
// It owns the grammar and the framing of requests, the limits on them, and the
// few lines that every response starts with. It never does I/O, never looks at
// a clock, starts no goroutine, keeps no input, and knows nothing of what
// requests mean. In the normal path it does not allocate.
//
// Its rule for anything that two parsers could read in two ways is to refuse
// it: a proxy in front may have taken the other reading (RFC 9112, section 11).
//
// A request's head is first found, then parsed:
//
//	end, err := scanner.Scan(buffered, limits) // 0, nil: wait for more
//	err = http1.ParseHead(buffered[:end], &request, limits)
//	err = request.CheckBody(limits)
//
// Nothing here may be used by two goroutines at once.
package http1
