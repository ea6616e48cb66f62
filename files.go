package sio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"sync"

	"github.com/sio-gnet/sio-gnet/internal/contentcoding"
)

// clientFileNames are the files of the client bundle.
var clientFileNames = map[string]string{
	"socket.io.js":                 scriptType,
	"socket.io.min.js":             scriptType,
	"socket.io.esm.min.js":         scriptType,
	"socket.io.msgpack.min.js":     scriptType,
	"socket.io.js.map":             mapType,
	"socket.io.min.js.map":         mapType,
	"socket.io.esm.min.js.map":     mapType,
	"socket.io.msgpack.min.js.map": mapType,
}

const (
	scriptType = "application/javascript; charset=utf-8"
	mapType    = "application/json; charset=utf-8"
)

// isClientFile says whether a path is that of a file of the bundle under base.
func isClientFile(p []byte, base string) bool {
	if len(p) <= len(base)+1 || string(p[:len(base)]) != base || p[len(base)] != '/' {
		return false
	}
	_, ok := clientFileNames[string(p[len(base)+1:])]
	return ok
}

// clientFiles serves the client bundle as the reference server does: ETag,
// revalidation, and compressed as the browser likes best.
type clientFiles struct {
	files   fs.FS
	version string

	mu    sync.Mutex
	cache map[string]*clientFile
}

// clientFile is one file with its encodings, each made on first use.
type clientFile struct {
	contentType, etag string
	plain             []byte
	encoded           map[string][]byte
	mu                sync.Mutex
}

func newClientFiles(files fs.FS, version string) http.Handler {
	return &clientFiles{files: files, version: version, cache: make(map[string]*clientFile)}
}

// ServeHTTP serves a file by the last element of the path.
func (f *clientFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	file, err := f.get(path.Base(r.URL.Path))
	if err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, fs.ErrNotExist) {
			status = http.StatusNotFound
		}
		http.Error(w, "the client bundle has no such file", status)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	if match := r.Header.Get("If-None-Match"); match == file.etag || match == "W/"+file.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", file.contentType)
	h.Set("ETag", file.etag)
	h.Set("Vary", "Accept-Encoding")
	encoding := contentcoding.Preferred(r.Header.Get("Accept-Encoding"), contentcoding.Gzip, contentcoding.Brotli, contentcoding.Deflate)
	body, err := file.body(encoding)
	if err != nil {
		http.Error(w, "compression failed", http.StatusInternalServerError)
		return
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // a file of the program's; if the client has gone, nobody waits
}

func (f *clientFiles) get(name string) (*clientFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if file := f.cache[name]; file != nil {
		return file, nil
	}
	plain, err := fs.ReadFile(f.files, name)
	if err != nil {
		return nil, fmt.Errorf("sio: client bundle: %w", err)
	}
	version := f.version
	if version == "" {
		sum := sha256.Sum256(plain)
		version = hex.EncodeToString(sum[:8])
	}
	file := &clientFile{
		contentType: clientFileNames[name], etag: `"` + version + `"`,
		plain: plain, encoded: make(map[string][]byte),
	}
	f.cache[name] = file
	return file, nil
}

// body returns the file's content in an encoding; "" is none.
func (f *clientFile) body(encoding string) ([]byte, error) {
	if encoding == "" {
		return f.plain, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.encoded[encoding]; b != nil {
		return b, nil
	}
	encoded, err := contentcoding.Append(nil, encoding, f.plain)
	if err != nil {
		return nil, fmt.Errorf("sio: %w", err)
	}
	f.encoded[encoding] = encoded
	return f.encoded[encoding], nil
}
