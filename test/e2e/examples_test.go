package e2e

import (
	"os/exec"
	"testing"
)

// TestExamplePages drives the pages of the examples in Chromium.
func TestExamplePages(t *testing.T) {
	node, chromium := nodeTool(t), chromiumTool(t)
	programs := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../../examples/...").CombinedOutput(); err != nil {
		t.Fatalf("building the examples: %v\n%s", err, out)
	}
	beside := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "./chat-auth-gin")
	beside.Dir = "../../examples/frameworks" // a module of its own
	if out, err := beside.CombinedOutput(); err != nil {
		t.Fatalf("building chat-auth-gin: %v\n%s", err, out)
	}
	screenshots := t.TempDir()
	runChecks(t, nodeClients, node, "examples.mjs",
		"--examples", programs, "--chromium", chromium, "--screenshots", screenshots)
	keepPictures(t, screenshots, map[string]string{
		"whiteboard-desk.png": "whiteboard.png", "dashboard-desk.png": "dashboard.png",
		"presence-desk.png": "presence.png", "private-messages-desk.png": "private-messages.png",
		"typed-events-desk.png": "typed-events.png", "chat-desk.png": "chat-example.png",
		"msgpack-desk.png": "msgpack.png", "recovery-desk.png": "recovery.png",
		"chat-auth-gin-desk.png": "chat-auth.png",
	})
}
