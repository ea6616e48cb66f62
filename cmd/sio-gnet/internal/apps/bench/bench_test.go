package bench

import (
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/apptest"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// place is one of the namespaces of a server with handlers of one kind.
type place struct {
	*testing.T
	addr, namespace string
}

// everywhere runs a test with handlers of both kinds, on both namespaces.
func everywhere(t *testing.T, test func(place)) {
	t.Helper()
	for name, blocking := range map[string]bool{"blocking": true, "inline": false} {
		for _, namespace := range []string{"/", "/bench"} {
			t.Run(name+" on "+namespace, func(t *testing.T) {
				test(place{t, apptest.Serve(t, New(apps.Config{Blocking: blocking})), namespace})
			})
		}
	}
}

func (p place) connect() *apptest.Client {
	p.Helper()
	c, refusal := apptest.Connect(p, p.addr, p.namespace, nil)
	if refusal != "" {
		p.Fatalf("refused: %s", refusal)
	}
	return c
}

// want compares arguments as JSON, with binary data in base64.
func want(tb testing.TB, got []any, want string) {
	tb.Helper()
	if text := apptest.Text(got); text != want {
		tb.Errorf("got %s, want %s", text, want)
	}
}

func TestEcho(t *testing.T) {
	everywhere(t, func(t place) {
		c := t.connect()
		for _, tt := range []struct {
			args []any
			want string
		}{
			{nil, `[]`},
			{[]any{"text", 1.5, nil, map[string]any{"a": []any{true}}}, `["text",1.5,null,{"a":[true]}]`},
			{[]any{[]byte("abc"), "between", []byte{0, 255}}, `["YWJj","between","AP8="]`},
			{[]any{strings.Repeat("x", 100_000)}, `["` + strings.Repeat("x", 100_000) + `"]`},
		} {
			want(t, c.Call("echo", tt.args...), tt.want)
			c.ExpectNone("echo") // it is acknowledged, or emitted
			c.Emit("echo", tt.args...)
			want(t, c.Wait("echo"), tt.want)
		}
	})
}

func TestBcast(t *testing.T) {
	everywhere(t, func(t place) {
		sender, other := t.connect(), t.connect()
		for _, tt := range []struct {
			args []any
			want string
		}{
			{nil, `[]`},
			{[]any{"text", 2}, `["text",2]`},
			{[]any{map[string]any{"n": 1}, []byte("abc")}, `[{"n":1},"YWJj"]`},
		} {
			sender.Emit("bcast", tt.args...)
			want(t, sender.Wait("bcast"), tt.want)
			want(t, other.Wait("bcast"), tt.want)
		}
	})
}

func TestRooms(t *testing.T) {
	everywhere(t, func(t place) {
		member, another, outside := t.connect(), t.connect(), t.connect()
		want(t, member.Call("join", "r"), `[]`)
		want(t, another.Call("join", "r", "not a room"), `[]`)
		want(t, outside.Call("join", "other"), `[]`)

		outside.Emit("rcast", "r", "text", []byte("abc"))
		want(t, member.Wait("rcast"), `["text","YWJj"]`)
		want(t, another.Wait("rcast"), `["text","YWJj"]`)
		member.Emit("rcast", "r")
		want(t, member.Wait("rcast"), `[]`)
		want(t, another.Wait("rcast"), `[]`)

		want(t, another.Call("leave", "r"), `[]`)
		want(t, another.Call("leave", "never"), `[]`)
		member.Emit("rcast", "r", "later")
		want(t, member.Wait("rcast"), `["later"]`)
		for _, c := range []*apptest.Client{another, outside} {
			c.Call("echo") // what was sent before it has come
			c.ExpectNone("rcast")
		}
	})
}

// Neither broadcasts nor rooms reach from one namespace into the other.
func TestNamespacesAreApart(t *testing.T) {
	addr := apptest.Serve(t, New(apps.Config{}))
	clients := make(map[string]*apptest.Client)
	for _, namespace := range []string{"/", "/bench"} {
		clients[namespace], _ = apptest.Connect(t, addr, namespace, nil)
		clients[namespace].Call("join", "r")
	}
	for namespace, c := range clients {
		c.Emit("bcast", namespace)
		c.Emit("rcast", "r", namespace)
		want(t, c.Wait("bcast"), `["`+namespace+`"]`)
		want(t, c.Wait("rcast"), `["`+namespace+`"]`)
	}
	for _, c := range clients {
		c.Call("echo")
		c.ExpectNone()
	}
}

func TestOtherNamespaceIsRefused(t *testing.T) {
	addr := apptest.Serve(t, New(apps.Config{}))
	if _, refusal := apptest.Connect(t, addr, "/nonsense", nil); refusal != "Invalid namespace" {
		t.Errorf("refused with %q", refusal)
	}
}

func TestAbout(t *testing.T) {
	h := New(apps.Config{}).Handler()
	res := apptest.Get(t, h, "/")
	if res.Code != 200 {
		t.Errorf("got %d", res.Code)
	}
	for _, event := range []string{"echo", "bcast", "join", "leave", "rcast", "/bench"} {
		if !strings.Contains(res.Body.String(), event) {
			t.Errorf("it does not mention %s:\n%s", event, res.Body)
		}
	}
	if res := apptest.Get(t, h, "/nonsense"); res.Code != 404 {
		t.Errorf("another path got %d", res.Code)
	}
}
