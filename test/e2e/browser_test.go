package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// screenshotsVariable is the environment variable that makes TestBrowser draw
// the picture of the documentation anew; without it, pictures go to a temporary
// folder.
const screenshotsVariable = "UPDATE_SCREENSHOTS"

// TestBrowser drives the built server's pages in Chromium.
func TestBrowser(t *testing.T) {
	node, chromium := nodeTool(t), chromiumTool(t)
	binary := buildServer(t)
	screenshots := t.TempDir()
	runChecks(t, nodeClients, node, "browser.mjs", "--binary", binary, "--chromium", chromium, "--screenshots", screenshots)

	if os.Getenv(screenshotsVariable) == "1" && !t.Failed() {
		picture, err := os.ReadFile(filepath.Join(screenshots, "chat.png"))
		if err != nil {
			t.Fatal(err)
		}
		images := filepath.Join("..", "..", "docs", "images")
		if err := os.MkdirAll(images, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, "chat.png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
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
