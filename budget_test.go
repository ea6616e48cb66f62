package sio_test

import (
	"strings"
	"testing"
)

// One event may be larger than MaxPending, however much of it are attachments.
func TestLargeEvents(t *testing.T) {
	for _, tc := range []struct {
		name        string
		args        []any
		packet      string // its prefix
		attachments []int
	}{
		{"text", []any{strings.Repeat("x", 3_000_000)}, `42["x","xxx`, nil},
		{"one attachment", []any{make([]byte, 3_000_000)}, `451-["x",`, []int{3_000_000}},
		{"ten attachments", repeated[any](10, make([]byte, 500_000)), `4510-["x",`, repeated(10, 500_000)},
		{"many attachments", []any{repeated(2000, make([]byte, 1000))}, `452000-["x",[`, repeated(2000, 1000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, oneLoop)
			for _, transport := range []string{"polling", "websocket", "upgrade"} {
				t.Run(transport, func(t *testing.T) {
					p := poll(t, f.addr)
					s := f.Socket(p.join())
					if transport == "websocket" {
						p.upgrade()
					}
					for _, emit := range []func() error{
						func() error { return s.Emit("x", tc.args...) },
						func() error { return f.To(s.ID()).Emit("x", tc.args...) },
					} {
						if err := emit(); err != nil {
							t.Fatal(err)
						}
						if transport == "upgrade" && p.conn == nil {
							p.upgrade()
						}
						if got := p.next(); !strings.HasPrefix(got, tc.packet) {
							t.Fatalf("got %.100q", got)
						}
						for i, size := range tc.attachments {
							if got := p.next(); len(got) != len("binary:")+size {
								t.Fatalf("attachment %d: %d bytes, %.20q", i, len(got), got)
							}
						}
					}
				})
			}
		})
	}
}

func repeated[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}
