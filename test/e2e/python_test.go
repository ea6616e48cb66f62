package e2e

import "testing"

// TestPythonClient runs the checks of python-socketio, with threads and with
// asyncio.
func TestPythonClient(t *testing.T) {
	python := pythonTool(t)
	for _, client := range []struct{ name, script string }{
		{"sync", "sync_checks.py"},
		{"asyncio", "async_checks.py"},
	} {
		for _, mode := range modes {
			t.Run(client.name+"/"+mode, func(t *testing.T) {
				f := startFixture(t)
				runChecks(t, pythonClients, python, client.script, "--url", f.url, "--mode", mode)
			})
		}
	}
}
