package engine

import (
	"slices"

	"github.com/sio-gnet/sio-gnet/loop"
)

// corsHeader returns the header lines that let a page of another origin read
// the response. Every answer has them, errors and the 101 included.
func (s *Server) corsHeader(dst []byte, r *loop.Request) []byte {
	if len(s.opts.Origins) == 0 {
		return dst
	}
	if slices.Contains(s.opts.Origins, "*") {
		return append(dst, "Access-Control-Allow-Origin: *\r\n"...)
	}
	if origin := r.Get("Origin"); slices.Contains(s.opts.Origins, string(origin)) {
		dst = append(append(append(dst, "Access-Control-Allow-Origin: "...), origin...), "\r\n"...)
		dst = append(dst, "Access-Control-Allow-Credentials: true\r\n"...)
	}
	return append(dst, "Vary: Origin\r\n"...)
}

// preflight answers the question that a browser asks before a cross-origin
// request.
func (s *Server) preflight(c *loop.Conn, r *loop.Request) {
	h := s.corsHeader(nil, r)
	h = append(h, "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"...)
	if asked := r.Get("Access-Control-Request-Headers"); asked != nil {
		h = append(append(append(h, "Access-Control-Allow-Headers: "...), asked...), "\r\n"...)
	}
	h = append(h, "Vary: Access-Control-Request-Headers\r\n"...)
	s.respond(c, loop.Response{Status: 204, Header: h})
}

// validOrigin refuses what could not be an origin: control and non-Latin-1
// bytes. It is no access check; that is the program's.
func validOrigin(origin []byte) bool {
	for _, b := range origin {
		if b < 0x20 && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
