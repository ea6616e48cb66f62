package engine

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestNoCORS shows E55: without the option there is no CORS header, and an
// OPTIONS request is like any other that is not for here (E16, E48).
func TestNoCORS(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		a := f.dial(t).do(method, pollingTarget, "", "Origin: http://a.example")
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
				t.Errorf("%s has %s", method, name)
			}
		}
	}
	if a := c.post.do(http.MethodOptions, c.target, ""); a.status != 405 || a.header.Get("Allow") != "GET, POST" {
		t.Errorf("OPTIONS on a session: %v %v", a, a.header)
	}
}

// TestCORSOnEveryAnswer shows E57 and E58.
func TestCORSOnEveryAnswer(t *testing.T) {
	const origin = "http://a.example"
	listed := &CORS{Origins: []string{"http://b.example", origin}, Credentials: true, ExposedHeaders: []string{"X-A", "X-B"}}
	for _, tc := range []struct {
		name          string
		cors          *CORS
		origin, allow string
		varies        string
	}{
		{"any", &CORS{Origins: []string{"*"}}, origin, "*", ""},
		{"any, without Origin", &CORS{Origins: []string{"*"}}, "", "*", ""},
		{"listed", listed, origin, origin, "Origin"},
		{"not listed", listed, "http://c.example", "", "Origin"},
		{"a part of one that is listed", listed, "http://a", "", "Origin"},
		{"without Origin", listed, "", "", "Origin"},
		{"matching", &CORS{Patterns: []*regexp.Regexp{regexp.MustCompile(`\.example$`)}}, origin, origin, "Origin"},
		{"not matching", &CORS{Patterns: []*regexp.Regexp{regexp.MustCompile(`\.test$`)}}, origin, "", "Origin"},
		{"by function", &CORS{AllowOrigin: func(o string) bool { return o == origin }}, origin, origin, "Origin"},
		{"not by function", &CORS{AllowOrigin: func(string) bool { return false }}, origin, "", "Origin"},
		{"nobody", &CORS{}, origin, "", "Origin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(c *config) { c.CORS = tc.cors })
			header := []string{"X-Other: 1"}
			if tc.origin != "" {
				header[0] = "Origin: " + tc.origin
			}
			credentials := map[bool]string{true: "true"}[tc.cors.Credentials]
			exposed := strings.Join(tc.cors.ExposedHeaders, ",")
			check := func(what string, h http.Header) {
				t.Helper()
				if h.Get("Access-Control-Allow-Origin") != tc.allow || h.Get("Access-Control-Allow-Credentials") != credentials ||
					strings.Join(h.Values("Vary"), ",") != tc.varies || h.Get("Access-Control-Expose-Headers") != exposed ||
					h.Get("Access-Control-Allow-Methods") != "" {
					t.Errorf("%s: header %v", what, h)
				}
			}
			c := f.poll(t)
			do := func(what string, status int, method, target, body string) {
				t.Helper()
				a := f.dial(t).do(method, target, body, header...)
				if a.status != status {
					t.Errorf("%s: %v", what, a)
				}
				check(what, a.header)
			}
			do("handshake", 200, "GET", pollingTarget, "")
			do("POST", 200, "POST", c.target, "4x")
			do("poll", 200, "GET", c.target, "")
			do("refused method", 405, "PUT", c.target, "")
			do("refused request", 400, "GET", "/engine.io/", "")
			do("no payload", 400, "POST", c.target, "")
			name, value, _ := strings.Cut(header[0], ": ")
			socket := f.websocket(t, websocketTarget, http.Header{name: {value}})
			check("101", socket.header)
			socket.next()
		})
	}
}

// TestPreflight shows E56.
func TestPreflight(t *testing.T) {
	const origin = "http://a.example"
	for _, tc := range []struct {
		name string
		cors *CORS
		want map[string]string
	}{
		{"defaults", &CORS{Origins: []string{"*"}}, map[string]string{
			"Access-Control-Allow-Origin":  "*",
			"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
			"Access-Control-Allow-Headers": "x-a, x-b",
			"Vary":                         "Access-Control-Request-Headers",
		}},
		{"everything set", &CORS{
			Origins: []string{origin}, Credentials: true, Methods: []string{"GET", "POST"}, Headers: []string{"X-C", "X-D"},
			ExposedHeaders: []string{"X-E"}, MaxAge: 90 * time.Second,
		}, map[string]string{
			"Access-Control-Allow-Origin":      origin,
			"Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods":     "GET,POST",
			"Access-Control-Allow-Headers":     "X-C,X-D",
			"Access-Control-Expose-Headers":    "X-E",
			"Access-Control-Max-Age":           "90",
			"Vary":                             "Origin",
		}},
		{"an origin that may not", &CORS{Origins: []string{"http://b.example"}}, map[string]string{
			"Access-Control-Allow-Origin":  "",
			"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
			"Access-Control-Max-Age":       "",
			"Vary":                         "Origin,Access-Control-Request-Headers",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(c *config) { c.CORS = tc.cors })
			for _, target := range []string{pollingTarget, "/engine.io/", "/engine.io?transport=none&sid=nobody"} {
				a := f.dial(t).do("OPTIONS", target, "", "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a, x-b")
				if a.status != 204 || a.body != "" {
					t.Errorf("%s: %v", target, a)
				}
				for name, want := range tc.want {
					if got := strings.Join(a.header.Values(name), ","); got != want {
						t.Errorf("%s: %s is %q, want %q", target, name, got, want)
					}
				}
			}
		})
	}
}
