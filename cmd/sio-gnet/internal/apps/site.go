package apps

import (
	"bytes"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

// page is what the template of a site's index.html gets.
type page struct {
	Path      string // of Socket.IO, without a slash at the end
	HasClient bool
}

// policy keeps a page to its own files; blob: is for images that came over
// Socket.IO.
const policy = "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; base-uri 'none'; frame-ancestors 'none'"

// Site serves the files of a page: index.html, a template, at "/", and the
// others under their names. It panics if the template is wrong, which only a
// change of the program can bring about.
func Site(files fs.FS, cfg Config) http.Handler {
	var index bytes.Buffer
	data := page{Path: strings.TrimRight(cfg.Path, "/"), HasClient: cfg.HasClient}
	if err := template.Must(template.ParseFS(files, "index.html")).Execute(&index, data); err != nil {
		panic(err)
	}
	others := http.FileServerFS(files)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(index.Bytes()) // a visitor who left needs no page
	})
	mux.Handle("GET /", others)
	return mux
}
