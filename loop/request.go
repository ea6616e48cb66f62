package loop

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// HTTPRequest returns a copy of a request in the form of net/http, which stays
// valid. It is for asking the program about the request; for having an http.Handler
// answer it, see [Router]. It fails if the target is no URL. On the loop.
//
// In guest mode, it is the request as the server there has it: with its TLS state and
// its context's values, but not that context's end, and with the body that was read.
func (c *Conn) HTTPRequest(r *Request) (*http.Request, error) {
	if g := c.guest(); g != nil && g.request != nil {
		return g.original(r), nil
	}
	target := string(r.Target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("loop: request target: %w", err)
	}
	header := make(http.Header, len(r.Headers))
	for _, h := range r.Headers {
		if name := http.CanonicalHeaderKey(string(h.Name)); name != "Host" {
			header[name] = append(header[name], string(h.Value))
		}
	}
	req := &http.Request{
		Method: string(r.Method), URL: u, RequestURI: target, Host: string(r.Host),
		Proto: "HTTP/1." + strconv.Itoa(r.Minor), ProtoMajor: 1, ProtoMinor: r.Minor,
		Header: header, Body: http.NoBody, ContentLength: int64(len(r.Body)),
	}
	if addr := c.RemoteAddr(); addr != nil {
		req.RemoteAddr = addr.String()
	}
	if len(r.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(bytes.Clone(r.Body)))
	}
	return req, nil
}
