package hello

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/apptest"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// output collects what is printed.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// want waits for that text.
func (o *output) want(t *testing.T, want string) {
	t.Helper()
	apptest.Eventually(t, "the output", func() bool { return len(o.String()) >= len(want) })
	if got := o.String(); got != want {
		t.Errorf("got output\n%s\nwant\n%s", got, want)
	}
}

// serve runs the application with that time between two "hello".
func serve(t *testing.T, tick time.Duration) (addr string, out *output) {
	t.Helper()
	out = new(output)
	a := New(apps.Config{Path: "/socket.io", Out: out}).(*app)
	a.tick = tick
	return apptest.Serve(t, a), out
}

func connect(t *testing.T, addr string) *apptest.Client {
	t.Helper()
	c, refusal := apptest.Connect(t, addr, "/", nil)
	if refusal != "" {
		t.Fatalf("refused: %s", refusal)
	}
	return c
}

func TestOutput(t *testing.T) {
	addr, out := serve(t, time.Hour)
	c := connect(t, addr)
	want := fmt.Sprintf("connect %s\n", c.ID())
	out.want(t, want)
	c.Emit("hey", map[string]any{"counter": 7})
	want += fmt.Sprintf("hey from %s {counter: 7}\n", c.ID())
	out.want(t, want)
	c.Emit("salutations", "line\none", map[string]any{"b": "line\ntwo", "a": 1}, []byte{1, 2, 255})
	want += fmt.Sprintf(`salutations from %s "line\none" {"a":1,"b":"line\ntwo"} [1 2 255]`+"\n", c.ID())
	c.Wait("greetings")
	out.want(t, want)
	c.Disconnect()
	want += fmt.Sprintf("disconnect %s due to client namespace disconnect\n", c.ID())
	out.want(t, want)
}

func TestOutputWhenTheConnectionIsLost(t *testing.T) {
	addr, out := serve(t, time.Hour)
	c := connect(t, addr)
	out.want(t, fmt.Sprintf("connect %s\n", c.ID()))
	c.Cut()
	out.want(t, fmt.Sprintf("connect %[1]s\ndisconnect %[1]s due to transport close\n", c.ID()))
}

func TestHelloCounts(t *testing.T) {
	addr, _ := serve(t, time.Millisecond)
	first := connect(t, addr)
	first.Wait("hello")
	second := connect(t, addr)
	for c, from := range map[*apptest.Client]int{first: 2, second: 1} { // each has its own count
		for n := from; n < from+3; n++ {
			if got, want := apptest.Text(c.Wait("hello")), fmt.Sprintf("[%d]", n); got != want {
				t.Errorf("hello %s, want %s", got, want)
			}
		}
	}
}

func TestTickIsASecond(t *testing.T) {
	if a := New(apps.Config{}).(*app); a.tick != time.Second {
		t.Errorf("it is %v", a.tick)
	}
}

func TestGreetings(t *testing.T) {
	addr, _ := serve(t, time.Hour)
	c := connect(t, addr)
	for _, tt := range []struct {
		args []any
		want string
	}{
		{[]any{"hello", map[string]any{"from": "here"}, []byte("abc")}, `["hello",{"from":"here"},"YWJj"]`},
		{[]any{"", map[string]any{}, []byte{}}, `["",{},""]`},
		{[]any{"héllo\u2028", map[string]any{"deep": []any{map[string]any{"x": nil}}}, []byte{0}}, `["héllo\u2028",{"deep":[{"x":null}]},"AA=="]`},
	} {
		c.Emit("salutations", tt.args...)
		if got := apptest.Text(c.Wait("greetings")); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// Nothing runs on for a client that has left.
func TestDisconnectEndsTheCount(t *testing.T) {
	addr, out := serve(t, time.Hour)
	c := connect(t, addr) // the server's own goroutines are there now
	out.want(t, fmt.Sprintf("connect %s\n", c.ID()))
	before := goleak.IgnoreCurrent()
	for range 5 {
		out.mu.Lock()
		out.text.Reset()
		out.mu.Unlock()
		other := connect(t, addr)
		other.Cut()
		out.want(t, fmt.Sprintf("connect %[1]s\ndisconnect %[1]s due to transport close\n", other.ID()))
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// An output that takes nothing is logged, and the client is served.
func TestUnwritableOutput(t *testing.T) {
	logged := new(output)
	a := New(apps.Config{Out: unwritable{}, Logger: slog.New(slog.NewTextHandler(logged, nil))})
	addr := apptest.Serve(t, a)
	c := connect(t, addr)
	c.Emit("salutations", "a", map[string]any{}, []byte("b"))
	if got := apptest.Text(c.Wait("greetings")); got != `["a",{},"Yg=="]` {
		t.Errorf("got %s", got)
	}
	if got := logged.String(); !strings.Contains(got, "hello: printing") || !strings.Contains(got, errUnwritable.Error()) {
		t.Errorf("logged %q", got)
	}
}

func TestPage(t *testing.T) {
	a := New(apps.Config{Path: "/over/there", HasClient: true})
	apptest.WantPage(t, a, "/over/there", "hello.js", "hello.css")
}

var errUnwritable = errors.New("nobody reads this")

type unwritable struct{}

func (unwritable) Write([]byte) (int, error) { return 0, errUnwritable }
