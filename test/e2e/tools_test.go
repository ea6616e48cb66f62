package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What the reactor's library starts when it is imported stays for good.
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// The paths of what `make tools` installs, seen from this package.
const (
	nodeClients   = "../clients/node"
	pythonClients = "../clients/python"
	virtualEnv    = "../../.cache/venv"
	javaClients   = "../clients/java"
	javaJars      = "../../.cache/java"
)

// realClients leaves a test out under -short, which is the only switch.
func realClients(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("real clients are left out under -short")
	}
}

// nodeTool returns the path of node, with the packages of test/clients/node
// installed.
func nodeTool(t *testing.T) string {
	t.Helper()
	realClients(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is not installed: `apt-get install nodejs npm`, then `make tools`")
	}
	for _, module := range []string{"socket.io-client", "socket.io-client-2", "engine.io-client", "engine.io-client-3", "playwright-core", "socket.io-msgpack-parser"} {
		needFile(t, filepath.Join(nodeClients, "node_modules", module, "package.json"), "make tools")
	}
	return node
}

// pythonTool returns the interpreter of the virtual environment that holds
// python-socketio.
func pythonTool(t *testing.T) string {
	t.Helper()
	realClients(t)
	python, err := filepath.Abs(filepath.Join(virtualEnv, "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	needFile(t, python, "make tools")
	needFile(t, filepath.Join(virtualEnv, ".installed"), "make tools")
	return python
}

// javaTool returns the path of java, which has javac beside it, and the folder of
// the Java client's jars.
func javaTool(t *testing.T) (java, jars string) {
	t.Helper()
	realClients(t)
	java, err := exec.LookPath("java")
	if err == nil {
		_, err = exec.LookPath(java + "c")
	}
	if err != nil {
		t.Fatal("java and javac are not installed: `apt-get install default-jdk-headless`, or `make tools` as root")
	}
	if jars, err = filepath.Abs(javaJars); err != nil {
		t.Fatal(err)
	}
	needFile(t, filepath.Join(jars, ".installed"), "make tools")
	return java, jars
}

// chromiumTool returns the path of Debian's Chromium.
func chromiumTool(t *testing.T) string {
	t.Helper()
	realClients(t)
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed: `apt-get install chromium`, or `make tools` as root")
	}
	return chromium
}

// proxyTool returns the path of haproxy or nginx, which Debian keeps out of the
// PATH of those who are not root.
func proxyTool(t *testing.T, name string) string {
	t.Helper()
	realClients(t)
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: `apt-get install %s`, or `make tools` as root", name, name)
	return ""
}

// needFile fails the test unless the file exists; remedy is the command that
// makes it.
func needFile(t *testing.T, path, remedy string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run `%s`", path, remedy)
	}
}
