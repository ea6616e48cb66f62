package sio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/engine"
)

// TestOptionsReachTheEngine shows S1.2, S1.7, S1.8 and S13.3: what is Engine.IO's of the
// options arrives there.
func TestOptionsReachTheEngine(t *testing.T) {
	var refused recorder
	f := serve(t, func(o *sio.Options) {
		o.PingInterval, o.PingTimeout = 7*time.Second, 3*time.Second
		o.MaxPayload = 12345
		o.CORS = &sio.CORS{
			Origins: []string{"https://page.example"}, Methods: []string{"GET", "POST"}, Credentials: true, Headers: []string{"x-a"},
		}
		o.GenerateID = func(*http.Request) (string, error) { return "mine", nil }
		o.AllowRequest = func(_ context.Context, r *http.Request) error {
			if r.URL.Query().Get("let") != "in" {
				return errors.New("go away")
			}
			return nil
		}
		o.Hooks.ConnectionError = func(e *engine.ConnectionError) { refused.add(fmt.Sprint(int(e.Code))) }
	})
	base := "http://" + f.addr + "/socket.io/?EIO=4&transport=polling"
	res := request(t, "GET", base+"&let=in", "Origin", "https://page.example")
	open := `0{"sid":"mine","upgrades":["websocket"],"pingInterval":7000,"pingTimeout":3000,"maxPayload":12345}`
	if res.status != 200 || res.body != open {
		t.Errorf("%d %q", res.status, res.body)
	}
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://page.example", "Access-Control-Allow-Credentials": "true",
	} {
		if got := res.header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	res = request(t, "GET", base)
	if res.status != 403 || !strings.Contains(res.body, "go away") {
		t.Errorf("%d %q", res.status, res.body)
	}
	refused.want(t, "4")
	res = request(t, "OPTIONS", base, "Origin", "https://page.example", "Access-Control-Request-Method", "GET")
	if res.status != 204 || res.header.Get("Access-Control-Allow-Methods") != "GET,POST" || res.header.Get("Access-Control-Allow-Headers") != "x-a" {
		t.Errorf("preflight %d %v", res.status, res.header)
	}
	if n := f.Clients(); n != 1 {
		t.Errorf("%d clients", n)
	}
}

// TestDefaultsOfTheEngine shows S1.2, S1.5 and S1.7: where the server answers and what it tells
// clients if nothing is said, and that the path may be given with slashes or without.
func TestDefaultsOfTheEngine(t *testing.T) {
	for given, path := range map[string]string{"": "/socket.io/", "/socket.io": "/socket.io/", "chat": "/chat/", "/chat/": "/chat/"} {
		f := serve(t, func(o *sio.Options) { o.Path = given })
		res := request(t, "GET", "http://"+f.addr+path+"?EIO=4&transport=polling")
		if _, rest, _ := strings.Cut(res.body, `",`); rest != `"upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}` {
			t.Errorf("%q: %d %q", given, res.status, res.body)
		}
	}
	f := serve(t)
	c, s := f.connect(t)
	if s.Transport() != "websocket" || s.Recovered() {
		t.Errorf("transport %s, recovered %v", s.Transport(), s.Recovered())
	}
	c.Close()
	eventually(t, "the end", func() bool { return !s.Connected() })
}

// TestLargeMessages shows S10.1: texts of many bytes and kinds, and large ones, come and
// go as they are.
func TestLargeMessages(t *testing.T) {
	f := serve(t, func(o *sio.Options) { o.MaxPayload = 4 << 20; o.MaxPending = 8 << 20 })
	f.on(t, "echo", echo)
	f.on(t, "any", func(v any, ack sio.Ack) error { return ack.Send(v) })
	c, _ := f.connect(t)
	for _, data := range []string{
		`"€uro, ñ, 日本語, 🤝 \u2028"`, `null`, `-0.5`, `1e300`, `[1,"a",null,{"b":[]}]`, `"` + strings.Repeat("é", 1<<20) + `"`,
	} {
		c.Send(`421["echo",` + data + `]`)
		if got := c.Next(); got != `431[`+data+`]` {
			t.Errorf("got %.60q, want %.60q", got, data)
		}
	}
	large := strings.Repeat("\x00\xff", 1<<20)
	c.Send(holes(`452-7["any",[{"a":#},[1,#]]]`))
	c.SendBinary([]byte(large), []byte("small"))
	c.Want(holes(`462-7[[{"a":#},[1,#]]]`), "binary:"+large, "binary:small")
}
