package apptest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
)

// Get asks a handler for a path, without a server.
func Get(tb testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, path, http.NoBody))
	return w
}

// WantPage fails the test unless the application's page loads the client from
// path, and the other files are there.
func WantPage(tb testing.TB, app apps.App, path string, files ...string) {
	tb.Helper()
	h := app.Handler()
	index := Get(tb, h, "/")
	if index.Code != http.StatusOK || !strings.Contains(index.Body.String(), `src="`+path+`/socket.io.min.js"`) {
		tb.Errorf("the page got %d and loads no client:\n%s", index.Code, index.Body)
	}
	for _, file := range files {
		if !strings.Contains(index.Body.String(), `"`+file+`"`) {
			tb.Errorf("the page does not load %s:\n%s", file, index.Body)
		}
		if res := Get(tb, h, "/"+file); res.Code != http.StatusOK || res.Body.Len() == 0 {
			tb.Errorf("%s: got %d with %d bytes", file, res.Code, res.Body.Len())
		}
	}
}
