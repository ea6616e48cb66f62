package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// TestJavaClient runs the checks of the Java client, version 2 and the one before,
// which speaks the protocols before today's.
func TestJavaClient(t *testing.T) {
	java, jars := javaTool(t)
	for _, client := range []struct {
		protocol string
		jars     []string
	}{
		{"5", []string{"socket.io-client-2.1.2", "engine.io-client-2.1.0"}},
		{"4", []string{"socket.io-client-1.0.2", "engine.io-client-1.0.2"}},
	} {
		t.Run(client.protocol, func(t *testing.T) {
			classes := t.TempDir()
			path := []string{classes}
			for _, jar := range append(client.jars, "okhttp-3.12.12", "okio-1.15.0", "json-20090211") {
				path = append(path, filepath.Join(jars, jar+".jar"))
			}
			classpath := strings.Join(path, string(filepath.ListSeparator))
			compile := exec.CommandContext(t.Context(), java+"c", "-Xlint:all", "-Werror", "-d", classes, "-cp", classpath, "Harness.java", "Client.java", "Checks.java")
			compile.Dir = javaClients
			if out, err := compile.CombinedOutput(); err != nil {
				t.Fatalf("javac: %v\n%s", err, out)
			}
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) {
					f := startFixture(t, func(o *sio.Options) { o.AllowEIO3 = client.protocol == "4" })
					// It lives for seconds only: the cheapest compiler and collector do.
					runChecks(t, javaClients, java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath, "Checks",
						"--url", f.url, "--mode", mode, "--protocol", client.protocol)
				})
			}
		})
	}
}
