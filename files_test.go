package sio_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	sio "github.com/sio-gnet/sio-gnet"
)

var bundle = fstest.MapFS{
	"socket.io.js":                 {Data: []byte("/* " + strings.Repeat("plain ", 100) + "*/")},
	"socket.io.min.js":             {Data: []byte("min")},
	"socket.io.min.js.map":         {Data: []byte("{}")},
	"socket.io.msgpack.min.js":     {Data: []byte("msgpack")},
	"secret.txt":                   {Data: []byte("secret")},
	"socket.io.msgpack.min.js.map": {Data: []byte("{}")},
}

func withBundle(o *sio.Options) { o.ClientFiles, o.ClientVersion = bundle, "4.8.9" }

// answer is what came, as it came.
type answer struct {
	status int
	header http.Header
	length int64
	body   string
}

// request asks without decoding what comes; headers are names and values in
// turn.
func request(t *testing.T, method, url string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	res, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.ContentLength, string(body)}
}

// TestClientFiles shows S12.1, S12.2 and what we do in place of S12.5.
func TestClientFiles(t *testing.T) {
	f := serve(t, withBundle)
	base := "http://" + f.addr + "/socket.io/"
	for _, tc := range []struct{ name, contentType string }{
		{"socket.io.js", "application/javascript; charset=utf-8"},
		{"socket.io.min.js?v=1", "application/javascript; charset=utf-8"},
		{"socket.io.msgpack.min.js", "application/javascript; charset=utf-8"},
		{"socket.io.min.js.map", "application/json; charset=utf-8"},
	} {
		res := request(t, "GET", base+tc.name)
		file, _, _ := strings.Cut(tc.name, "?")
		if res.status != 200 || res.body != string(bundle[file].Data) {
			t.Errorf("%s: %d %q", tc.name, res.status, res.body)
		}
		for header, want := range map[string]string{
			"Content-Type": tc.contentType, "Cache-Control": "public, max-age=0", "Etag": `"4.8.9"`, "Content-Encoding": "",
		} {
			if got := res.header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", tc.name, header, got, want)
			}
		}
	}
	for name, want := range map[string]int{
		"socket.io.esm.min.js": 404, // in the list, but not in this bundle
		"secret.txt":           400, // not in the list: it is Engine.IO's to answer
		"../go.mod":            400,
	} {
		if res := request(t, "GET", base+name); res.status != want || strings.Contains(res.body, "secret") {
			t.Errorf("%s: %d %q, want %d", name, res.status, res.body, want)
		}
	}
	if res := request(t, "HEAD", base+"socket.io.js"); res.status != 200 || res.body != "" || res.length != int64(len(bundle["socket.io.js"].Data)) {
		t.Errorf("HEAD: %d, %d bytes, %q", res.status, res.length, res.body)
	}
	if res := request(t, "POST", base+"socket.io.js"); res.status != 405 || res.header.Get("Allow") == "" {
		t.Errorf("POST: %d", res.status)
	}
}

// TestClientFilesRevalidation shows S12.3.
func TestClientFilesRevalidation(t *testing.T) {
	f := serve(t, withBundle)
	for etag, want := range map[string]int{
		`"4.8.9"`: 304, `W/"4.8.9"`: 304, `"4.8.8"`: 200, `4.8.9`: 200,
	} {
		res := request(t, "GET", "http://"+f.addr+"/socket.io/socket.io.js", "If-None-Match", etag)
		if res.status != want || (want == 304) != (res.body == "") {
			t.Errorf("If-None-Match %s: %d with %d bytes", etag, res.status, len(res.body))
		}
	}
}

// Without a version, each file's content is its tag.
func TestClientFilesWithoutVersion(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.ClientFiles = bundle })
	tags := make(map[string]bool)
	for _, name := range []string{"socket.io.js", "socket.io.min.js"} {
		res := request(t, "GET", "http://"+f.addr+"/socket.io/"+name)
		tag := res.header.Get("Etag")
		tags[tag] = true
		if res := request(t, "GET", "http://"+f.addr+"/socket.io/"+name, "If-None-Match", tag); res.status != 304 {
			t.Errorf("%s with its tag %s: %d", name, tag, res.status)
		}
	}
	if len(tags) != 2 || tags[""] {
		t.Errorf("tags %v", tags)
	}
}

// TestClientFilesCompressed shows S12.4.
func TestClientFilesCompressed(t *testing.T) {
	f := serve(t, withBundle)
	for _, tc := range []struct{ accept, want string }{
		{"gzip", "gzip"},
		{"br", "br"},
		{"gzip, br", "gzip"},
		{"br, gzip", "br"},
		{"gzip;q=0.5, br;q=0.9", "br"},
		{"gzip;q=0", ""},
		{"identity", ""},
		{"*", "gzip"},
		{"deflate", "deflate"},
		{"zstd", ""},
		{"", ""},
	} {
		res := request(t, "GET", "http://"+f.addr+"/socket.io/socket.io.js", "Accept-Encoding", tc.accept)
		if got := res.header.Get("Content-Encoding"); got != tc.want {
			t.Errorf("Accept-Encoding %q: %q, want %q", tc.accept, got, tc.want)
			continue
		}
		if !strings.Contains(res.header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("Accept-Encoding %q: Vary %q", tc.accept, res.header.Get("Vary"))
		}
		var plain io.Reader = strings.NewReader(res.body)
		switch tc.want {
		case "gzip":
			var err error
			if plain, err = gzip.NewReader(plain); err != nil {
				t.Fatal(err)
			}
		case "deflate":
			var err error
			if plain, err = zlib.NewReader(plain); err != nil {
				t.Fatal(err)
			}
		case "br":
			plain = brotli.NewReader(plain)
		}
		if got, err := io.ReadAll(plain); err != nil || !bytes.Equal(got, bundle["socket.io.js"].Data) {
			t.Errorf("Accept-Encoding %q: %q, %v", tc.accept, got, err)
		}
	}
}

func TestClientFilesUnderAnotherPath(t *testing.T) {
	f := serve(t, withBundle, func(o *sio.Options) { o.Path = "/ws/" })
	if res := request(t, "GET", "http://"+f.addr+"/ws/socket.io.min.js"); res.status != 200 || res.body != "min" {
		t.Errorf("%d %q", res.status, res.body)
	}
	if res := request(t, "GET", "http://"+f.addr+"/socket.io/socket.io.min.js"); res.status != 404 {
		t.Errorf("under the default path: %d", res.status)
	}
}

func TestNoClientFiles(t *testing.T) {
	f := serve(t)
	res := request(t, "GET", "http://"+f.addr+"/socket.io/socket.io.js")
	if res.status != 400 || res.body != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("%d %q", res.status, res.body)
	}
}

// Requests for other paths are the program's.
// It shows E11.
// Shows S13.1: other requests are for the program.
func TestHandlerForOtherPaths(t *testing.T) {
	f := serve(t, func(o *sio.Options) {
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := fmt.Fprint(w, r.Method, " ", r.URL.Path); err != nil {
				t.Error(err)
			}
		})
	})
	for path, want := range map[string]string{"/": "GET /", "/a/b?c": "GET /a/b", "/socket.iox": "GET /socket.iox"} {
		if res := request(t, "GET", "http://"+f.addr+path); res.status != 200 || res.body != want {
			t.Errorf("%s: %d %q", path, res.status, res.body)
		}
	}
	plain := serve(t)
	if res := request(t, "GET", "http://"+plain.addr+"/"); res.status != 404 {
		t.Errorf("without a handler: %d", res.status)
	}
}

// TestUpgradeOffThePath shows E10: it is a request like any other for that path.
func TestUpgradeOffThePath(t *testing.T) {
	f := serve(t)
	res := request(t, "GET", "http://"+f.addr+"/other/?EIO=4&transport=websocket", "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	if res.status != 404 {
		t.Errorf("%d %q", res.status, res.body)
	}
}
