package child

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		port         uint16
	}{
		{"announced", "echo starting; echo 'listening on http://localhost:3456/'; exec sleep 60", 3456},
		{"no port", "echo http://localhost", 0},
		{"impossible port", "echo http://localhost:99999; exec sleep 60", 0},
		{"silent", "exit 0", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Start(t.Context(), "sh", "-c", tt.script)
			if tt.port == 0 {
				if err == nil {
					t.Fatalf("it listens on %v", c.Addr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Stop()
			if c.Addr.String() != "127.0.0.1:3456" {
				t.Errorf("address %v", c.Addr)
			}
			if p, err := Read(c.PID()); err != nil || p.RSS <= 0 || p.Threads != 1 {
				t.Errorf("process %+v, %v", p, err)
			}
		})
	}
	if _, err := Start(t.Context(), "true"); !errors.Is(err, ErrSilent) {
		t.Errorf("got %v, want ErrSilent", err)
	}
	if _, err := StartServer(t.Context(), "no/such/file"); err == nil {
		t.Error("a missing binary started")
	}
}

// A server that goes on printing is not held up.
func TestChattyServer(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	c, err := Start(t.Context(), "sh", "-c", "echo http://x:1; head -c 300000 /dev/zero; : >"+done+"; exec sleep 60")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(done); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it waits for somebody to read")
		}
	}
}

func TestRead(t *testing.T) {
	c, err := Start(t.Context(), "sh", "-c", "echo http://x:1; exec sleep 60")
	if err != nil {
		t.Fatal(err)
	}
	c.Stop()
	if _, err := Read(c.PID()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a process that ended: %v", err)
	}
}

func TestParseProcess(t *testing.T) {
	status := "Name:\tsio gnet\nVmHWM:\t   3000 kB\nVmRSS:\t   2000 kB\nThreads:\t7\n"
	stat := "12 (sio (gnet) x) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0"
	got, err := parseProcess([]byte(status), []byte(stat))
	want := Process{RSS: 2000 << 10, Peak: 3000 << 10, Threads: 7, CPU: 2 * time.Second}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseProcess([]byte("Name: x\n"), []byte(stat)); err == nil {
		t.Error("a status without memory passed")
	}
	if _, err := parseProcess([]byte(status), []byte("12 (x) S 1")); err == nil {
		t.Error("a short stat passed")
	}
}
