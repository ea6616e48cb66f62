package apps_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/apptest"
)

func site(cfg apps.Config) http.Handler {
	return apps.Site(fstest.MapFS{
		"index.html": {Data: []byte(`<meta content="{{.Path}}">{{if .HasClient}}<script src="{{.Path}}/x.js"></script>{{else}}no client{{end}}`)},
		"page.js":    {Data: []byte(`"use strict";`)},
		"page.css":   {Data: []byte(`p {}`)},
		"icon.svg":   {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
	}, cfg)
}

func TestSiteIndex(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  apps.Config
		want string
	}{
		{"with the client", apps.Config{Path: "/socket.io", HasClient: true}, `<meta content="/socket.io"><script src="/socket.io/x.js"></script>`},
		{"with a slash at the end", apps.Config{Path: "/a/b/", HasClient: true}, `<meta content="/a/b"><script src="/a/b/x.js"></script>`},
		{"without the client", apps.Config{Path: "/socket.io"}, `<meta content="/socket.io">no client`},
		{"with a path that is markup", apps.Config{Path: `/"><b>`}, `<meta content="/&#34;&gt;&lt;b&gt;">no client`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := apptest.Get(t, site(tt.cfg), "/")
			if res.Code != 200 || res.Body.String() != tt.want {
				t.Errorf("got %d\n%s\nwant\n%s", res.Code, res.Body, tt.want)
			}
			if got := res.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("content type %q", got)
			}
			policy := res.Header().Get("Content-Security-Policy")
			for _, rule := range []string{"default-src 'self'", "img-src 'self' blob:", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, rule) {
					t.Errorf("policy %q lacks %q", policy, rule)
				}
			}
		})
	}
}

func TestSiteFiles(t *testing.T) {
	h := site(apps.Config{Path: "/socket.io"})
	for _, tt := range []struct {
		path, contentType, body string
	}{
		{"/page.js", "text/javascript; charset=utf-8", `"use strict";`},
		{"/page.css", "text/css; charset=utf-8", `p {}`},
		{"/icon.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`},
	} {
		res := apptest.Get(t, h, tt.path)
		if got := res.Header().Get("Content-Type"); res.Code != 200 || got != tt.contentType || res.Body.String() != tt.body {
			t.Errorf("%s: got %d %q %q", tt.path, res.Code, got, res.Body)
		}
	}
}

func TestSiteRefuses(t *testing.T) {
	h := site(apps.Config{Path: "/socket.io"})
	for _, path := range []string{"/nonsense", "/%2e%2e/go.mod", "/..%2fgo.mod"} {
		if res := apptest.Get(t, h, path); res.Code != 404 {
			t.Errorf("%s: got %d", path, res.Code)
		}
	}
	// The template itself is not to be had, the way it is written or any other.
	for _, path := range []string{"/index.html", "/./index.html", "/index.html/", "//index.html"} {
		if res := apptest.Get(t, h, path); res.Code < 300 || res.Code > 399 {
			t.Errorf("%s: got %d %q", path, res.Code, res.Body)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", http.NoBody))
	if w.Code != 405 {
		t.Errorf("POST got %d", w.Code)
	}
}

func TestSitePanicsOnAWrongTemplate(t *testing.T) {
	for name, template := range map[string]string{"syntax": `{{`, "field": `{{.Nonsense}}`} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not")
				}
			}()
			apps.Site(fstest.MapFS{"index.html": {Data: []byte(template)}}, apps.Config{})
		})
	}
}
