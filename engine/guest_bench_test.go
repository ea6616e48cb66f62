package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/internal/testhost"
)

// benchModes are how servers are served.
var benchModes = []struct {
	name  string
	guest bool
	tls   bool
}{{"own", false, false}, {"guest", true, false}, {"guest TLS", true, true}}

// serveAs starts a server for a mode and returns how to connect to it.
func serveAs(tb testing.TB, guest, secure bool) (f *fixture, dial func() net.Conn) {
	tb.Helper()
	f = serve(tb, quiet)
	if !guest {
		return f, func() net.Conn { return f.dial(tb).conn }
	}
	s := testhost.Start(tb, f.reactor, secure)
	return f, func() net.Conn {
		c, err := s.Dial(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { c.Close() })
		return c
	}
}

// cpu returns the CPU time that the process has taken, in ns.
func cpu(tb testing.TB) int64 {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// report reports CPU per operation, of client and server together.
func report(b *testing.B, before int64) {
	b.Helper()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

func upgradeOn(tb testing.TB, conn net.Conn) *bufio.Reader {
	tb.Helper()
	in := bufio.NewReader(conn)
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n\r\n", websocketTarget, strings.Join(upgradeHeader, "\r\n")); err != nil {
		tb.Fatal(err)
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	header, err := ws.ReadHeader(in)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatal(res.StatusCode, err)
	}
	if _, err := in.Discard(int(header.Length)); err != nil { // the open packet
		tb.Fatal(err)
	}
	return in
}

// BenchmarkGuestWebSocketEcho compares the modes: one client, one message in flight.
func BenchmarkGuestWebSocketEcho(b *testing.B) {
	for _, mode := range benchModes {
		b.Run(mode.name, func(b *testing.B) {
			_, dial := serveAs(b, mode.guest, mode.tls)
			conn := dial()
			in := upgradeOn(b, conn)
			request := clientFrame(ws.OpText, "4hello")
			answer := make([]byte, len("\x81\x064hello"))
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(in, answer); err != nil {
					b.Fatal(err)
				}
			}
			report(b, before)
		})
	}
}

// BenchmarkGuestPolling compares a POST and a poll that answers it. TLS is HTTP/1.1.
func BenchmarkGuestPolling(b *testing.B) {
	for _, mode := range benchModes {
		b.Run(mode.name, func(b *testing.B) {
			_, dial := serveAs(b, mode.guest, mode.tls)
			conn := dial()
			in := bufio.NewReader(conn)
			buf := make([]byte, 4096)
			trip := func(request string) string {
				if _, err := io.WriteString(conn, request); err != nil {
					b.Fatal(err)
				}
				length := 0
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						b.Fatal(err)
					}
					if len(line) == 2 {
						break
					}
					if strings.HasPrefix(string(line), "Content-Length: ") {
						_, _ = fmt.Sscanf(string(line[16:]), "%d", &length)
					}
				}
				if _, err := io.ReadFull(in, buf[:length]); err != nil {
					b.Fatal(err)
				}
				return string(buf[:length])
			}
			target := pollingTarget + "&sid=" + parseOpen(b, trip("GET "+pollingTarget+" HTTP/1.1\r\nHost: test\r\n\r\n")).SID
			post := "POST " + target + " HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n4hello"
			get := "GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n"
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if got := trip(post) + trip(get); got != "ok4hello" {
					b.Fatalf("answers %q", got)
				}
			}
			report(b, before)
		})
	}
}

// BenchmarkGuestIdleWebSocket reports what an idle client takes, client's side not
// counted where it is known: over TLS, half of it is the client's.
func BenchmarkGuestIdleWebSocket(b *testing.B) {
	const clients = 1000
	for _, mode := range benchModes {
		b.Run(mode.name, func(b *testing.B) {
			var conns []net.Conn
			var bytes, goroutines float64
			for b.Loop() {
				f, dial := serveAs(b, mode.guest, mode.tls)
				upgradeOn(b, dial())
				before, routines := memory(), runtime.NumGoroutine()
				for range clients {
					conn := dial()
					upgradeOn(b, conn)
					conns = append(conns, conn)
				}
				eventually(b, "all to be open", func() bool { return f.Sessions() == clients+1 })
				bytes += float64(memory()-before) / clients
				goroutines += float64(runtime.NumGoroutine()-routines) / clients
			}
			runtime.KeepAlive(conns)
			b.ReportMetric(bytes/float64(b.N), "bytes/client")
			b.ReportMetric(goroutines/float64(b.N), "goroutines/client")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// memory returns the bytes in use by heap and stacks.
func memory() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
