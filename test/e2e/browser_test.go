package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
)

// screenshotsVariable is the environment variable that makes TestBrowser draw
// the pictures of the documentation anew; without it, pictures go to a temporary
// folder.
const screenshotsVariable = "UPDATE_SCREENSHOTS"

// TestBrowser drives the built server's pages in Chromium.
func TestBrowser(t *testing.T) {
	node, chromium := nodeTool(t), chromiumTool(t)
	binary := buildServer(t)
	screenshots := t.TempDir()
	runChecks(t, nodeClients, node, "browser.mjs", "--binary", binary, "--chromium", chromium, "--screenshots", screenshots)
	keepPictures(t, screenshots, map[string]string{"chat.png": "chat.png"})
}

// keepPictures takes pictures over into the documentation, if that is asked for:
// from their names to those that they have there.
func keepPictures(t *testing.T, dir string, names map[string]string) {
	t.Helper()
	if os.Getenv(screenshotsVariable) != "1" || t.Failed() {
		return
	}
	images := filepath.Join("..", "..", "docs", "images")
	for from, to := range names {
		picture, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, to), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrowserMessagePack drives the bundle that has MessagePack in place of JSON.
func TestBrowserMessagePack(t *testing.T) {
	node, chromium := nodeTool(t), chromiumTool(t)
	files := filepath.Join("..", "..", "clientbundle", "files")
	needFile(t, filepath.Join(files, "socket.io.msgpack.min.js"), "make client")
	f := startFixture(t, func(o *sio.Options) {
		o.Parser = msgpack.Parser{}
		o.ClientFiles = os.DirFS(files)
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, `<!doctype html><title>MessagePack</title><link rel="icon" href="data:,">`)
		})
	})
	runChecks(t, nodeClients, node, "msgpack-browser.mjs", "--url", f.url, "--chromium", chromium)
}

// buildServer builds the server of this very source, with the client bundle that
// `make client` fetched.
func buildServer(t *testing.T) string {
	t.Helper()
	needFile(t, filepath.Join("..", "..", "clientbundle", "files", "socket.io.min.js"), "make client")
	binary := filepath.Join(t.TempDir(), "sio-gnet")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/sio-gnet").CombinedOutput()
	if err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	return binary
}
