// Package testhost runs net/http servers for tests of guest mode. Clients that
// speak plain HTTP/1.1 reach one over TLS, too: something in between speaks it for
// them.
package testhost

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mode is how a server under test is served.
type Mode string

const (
	// Own is without net/http.
	Own Mode = ""
	// Plain is over TCP.
	Plain Mode = "plain"
	// TLS is with something in between that speaks TLS for the test's clients.
	TLS Mode = "tls"
)

// Parent is the name of the test whose subtests run others in guest mode, as
// Parent/mode/name.
const Parent = "TestAsGuest"

// ModeOf tells from a test's name how it is to serve.
func ModeOf(tb testing.TB) Mode {
	tb.Helper()
	if rest, ok := strings.CutPrefix(tb.Name(), Parent+"/"); ok {
		mode, _, _ := strings.Cut(rest, "/")
		return Mode(mode)
	}
	return Own
}

// Serve serves h on a free port until the test ends, and returns where plain
// clients find it. What tests register for their end before that is done after it.
func Serve(tb testing.TB, mode Mode, h http.Handler) (addr string) {
	tb.Helper()
	s := Start(tb, h, mode == TLS)
	if mode != TLS {
		return s.Addr
	}
	return s.forward(tb)
}

// Server is a net/http server that runs until the test ends.
type Server struct {
	*http.Server
	Addr  string
	Roots *x509.CertPool // that know its certificate; nil without TLS
	PEM   []byte         // the certificate
	Key   []byte         // the certificate's, as PEM
}

// Certify makes a server that has a certificate, and is not started.
func Certify(tb testing.TB) *Server {
	tb.Helper()
	s := new(Server)
	s.certify(tb)
	return s
}

// Start serves h on a free port of the loopback interface, with HTTP/2 if it is
// with TLS. change may change the server before.
func Start(tb testing.TB, h http.Handler, secure bool, change ...func(*http.Server)) *Server {
	tb.Helper()
	ln, err := listen()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{
		Server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)},
		Addr:   ln.Addr().String(),
	}
	for _, c := range change {
		c(s.Server)
	}
	serve := s.Serve
	if secure {
		s.TLSConfig = s.certify(tb)
		serve = func(ln net.Listener) error { return s.ServeTLS(ln, "", "") }
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(ln) }()
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("closing the http server: %v", err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			tb.Errorf("the http server returned %v", err)
		}
	})
	return s
}

func listen() (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
}

// certify makes a certificate for this server.
func (s *Server) certify(tb testing.TB) *tls.Config {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	s.Key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	s.Roots = x509.NewCertPool()
	s.Roots.AppendCertsFromPEM(s.PEM)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// Dial opens a connection that has agreed on HTTP/1.1.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	if s.Roots == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	}
	return (&tls.Dialer{Config: s.ClientConfig("http/1.1")}).DialContext(ctx, "tcp", s.Addr)
}

// ClientConfig trusts the server.
func (s *Server) ClientConfig(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots, ServerName: "localhost", NextProtos: protocols}
}

// forward takes plain connections to the server.
func (s *Server) forward(tb testing.TB) (addr string) {
	tb.Helper()
	ln, err := listen()
	if err != nil {
		tb.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.pass(ctx, c) })
		}
	})
	tb.Cleanup(func() {
		cancel()
		ln.Close()
		all.Wait()
	})
	return ln.Addr().String()
}

// pass copies both ways until both directions have ended, or ctx.
func (s *Server) pass(ctx context.Context, plain net.Conn) {
	defer plain.Close()
	secure, err := s.Dial(ctx)
	if err != nil {
		return
	}
	defer secure.Close()
	stop := context.AfterFunc(ctx, func() {
		plain.Close()
		secure.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(secure, plain) })
	both.Go(func() { copyHalf(plain, secure) })
	both.Wait()
}

// copyHalf hands on one direction with its end. Where it was cut, so is the other.
func copyHalf(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the other direction shows whether it is gone
	}
}
