package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// startGuest is startFixture in guest mode. With TLS, the clients that this test runs
// trust the certificate.
func startGuest(t *testing.T, secure bool, change ...func(*sio.Options)) *fixture {
	t.Helper()
	f := newFixture(t, change...)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", f)
	s := testhost.Start(t, mux, secure)
	f.url = "http://" + s.Addr
	if secure {
		f.url = "https://" + s.Addr
		file := filepath.Join(t.TempDir(), "certificate.pem")
		if err := os.WriteFile(file, s.PEM, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("NODE_EXTRA_CA_CERTS", file)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			t.Errorf("shutting down: %v", err)
		}
	})
	return f
}
