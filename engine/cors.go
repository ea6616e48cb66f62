package engine

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sio-gnet/sio-gnet/loop"
)

// CORS says which pages of other origins may use a server (Fetch standard,
// section 3.2). It is browsers that keep to it, so it is no access control.
type CORS struct {
	// Origins are origins such as "https://example.com"; "*" is any.
	Origins []string
	// Patterns are expressions that an origin may match instead.
	Patterns []*regexp.Regexp
	// AllowOrigin is asked about any other origin; nil allows none. It is called
	// on the event loop and must not block.
	AllowOrigin func(origin string) bool
	// Credentials allows requests with cookies. With "*", browsers refuse them.
	Credentials bool
	// Methods are those that a preflight allows; default GET, HEAD, PUT, PATCH,
	// POST, DELETE.
	Methods []string
	// Headers are the request headers that a preflight allows; empty allows
	// whatever is asked for.
	Headers []string
	// ExposedHeaders are the response headers that a page may read.
	ExposedHeaders []string
	// MaxAge is how long a browser may keep the answer to a preflight; 0 leaves
	// that to the browser.
	MaxAge time.Duration
}

// cors is a CORS made ready.
type cors struct {
	CORS

	any bool
	// always are the header lines of every answer, preflight those of the answer
	// to a preflight beside them.
	always, preflight []byte
}

func newCORS(c *CORS) *cors {
	if c == nil {
		return nil
	}
	p := &cors{CORS: *c, any: slices.Contains(c.Origins, "*")}
	if c.Credentials {
		p.always = append(p.always, "Access-Control-Allow-Credentials: true\r\n"...)
	}
	if len(c.ExposedHeaders) > 0 {
		p.always = appendLine(p.always, "Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
	methods := "GET,HEAD,PUT,PATCH,POST,DELETE"
	if len(c.Methods) > 0 {
		methods = strings.Join(c.Methods, ",")
	}
	p.preflight = appendLine(p.preflight, "Access-Control-Allow-Methods", methods)
	if len(c.Headers) > 0 {
		p.preflight = appendLine(p.preflight, "Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
	}
	if c.MaxAge > 0 {
		p.preflight = appendLine(p.preflight, "Access-Control-Max-Age", strconv.FormatInt(int64(c.MaxAge/time.Second), 10))
	}
	return p
}

// appendLine appends a header line of the program's, or nothing if it can't be
// one.
func appendLine(dst []byte, name, value string) []byte {
	dst, _ = loop.AppendHeader(dst, name, value) // what it refuses would forge other lines
	return dst
}

// appendHeader appends the header lines that let a page of another origin read
// the answer. Every answer has them, errors and the 101 included.
func (p *cors) appendHeader(dst []byte, r *loop.Request) []byte {
	if p == nil {
		return dst
	}
	if p.any {
		dst = append(dst, "Access-Control-Allow-Origin: *\r\n"...)
	} else {
		if origin := r.Get("Origin"); len(origin) > 0 && p.allows(string(origin)) {
			dst = append(append(append(dst, "Access-Control-Allow-Origin: "...), origin...), "\r\n"...)
		}
		dst = append(dst, "Vary: Origin\r\n"...)
	}
	return append(dst, p.always...)
}

func (p *cors) allows(origin string) bool {
	if slices.Contains(p.Origins, origin) {
		return true
	}
	for _, re := range p.Patterns {
		if re.MatchString(origin) {
			return true
		}
	}
	return p.AllowOrigin != nil && p.AllowOrigin(origin)
}

// answerPreflight answers the question that a browser asks before a
// cross-origin request.
func (p *cors) answerPreflight(r *loop.Request, header []byte) loop.Response {
	header = append(header, p.preflight...)
	if len(p.Headers) == 0 {
		if asked := r.Get("Access-Control-Request-Headers"); asked != nil {
			header = append(append(append(header, "Access-Control-Allow-Headers: "...), asked...), "\r\n"...)
		}
		header = append(header, "Vary: Access-Control-Request-Headers\r\n"...)
	}
	return loop.Response{Status: http.StatusNoContent, Header: header}
}

// validOrigin refuses what could not be an origin: control bytes. Which origins
// may connect is the program's to say.
func validOrigin(origin []byte) bool {
	for _, b := range origin {
		if b < 0x20 && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}
