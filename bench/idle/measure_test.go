package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/bench/internal/testserver"
)

func TestMeasure(t *testing.T) {
	for _, tt := range []struct {
		transport string
		deflate   bool
		over      string
	}{
		{overWebSocket, false, "50 over websocket,"},
		{overWebSocket, true, "50 over websocket with compression,"},
		{overPolling, false, "50 over polling,"},
	} {
		t.Run(tt.over, func(t *testing.T) {
			c := config{transport: tt.transport, deflate: tt.deflate, clients: 50, ping: 100 * time.Millisecond, window: 300 * time.Millisecond}
			addr := testserver.Serve(t, &sio.Options{PingInterval: c.ping, PerMessageDeflate: &sio.Deflate{}})
			r, err := measure(t.Context(), c, addr, os.Getpid(), func(what string) { t.Log(what) })
			if err != nil {
				t.Fatal(err)
			}
			if r.Clients != 50 || r.Threads < 1 || r.RSSBefore <= 0 || r.RSSAfter <= 0 || r.IdleHeartbeats < 1 {
				t.Errorf("report %+v", r)
			}
			var text bytes.Buffer
			if err := r.print(&text); err != nil || strings.Count(text.String(), "\n") != 7 || !strings.Contains(text.String(), tt.over) {
				t.Errorf("%v\n%s", err, text.String())
			}
		})
	}
}
