package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// errorLog collects what the hook for refused requests is told.
type errorLog struct {
	mu  sync.Mutex
	all []*ConnectionError
}

func (l *errorLog) add(e *ConnectionError) {
	l.mu.Lock()
	l.all = append(l.all, e)
	l.mu.Unlock()
}

// take returns what came since the last call.
func (l *errorLog) take() []*ConnectionError {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// TestConnectionErrors shows E15 to E18 and E24: each refusal is told once, with
// its context.
func TestConnectionErrors(t *testing.T) {
	var log errorLog
	f := serve(t, withEIO3, func(c *config) {
		c.Hooks.ConnectionError = log.add
		c.AllowRequest = func(_ context.Context, r *http.Request) error {
			if r.URL.Query().Get("deny") != "" {
				return errors.New(r.URL.Query().Get("deny"))
			}
			return nil
		}
	})
	poller, socket := f.poll(t), f.connect(t)
	log.take()
	for _, tc := range []struct {
		name, method, target string
		code                 ErrorCode
		body                 string // "" is the standard one
		context              map[string]any
		header               []string
	}{
		{name: "transport", target: "/engine.io/?EIO=4&transport=tobi", code: 0, context: map[string]any{"transport": "tobi"}},
		{name: "a name of JavaScript's (E14)", target: "/engine.io/?EIO=4&transport=__proto__", code: 0, context: map[string]any{"transport": "__proto__"}},
		{name: "session", target: pollingTarget + "&sid=constructor", code: 1, context: map[string]any{"sid": "constructor"}},
		{name: "method", method: "PUT", target: pollingTarget, code: 2, context: map[string]any{"method": "PUT"}},
		{name: "another transport", target: websocketTarget + "&sid=" + poller.ID(), code: 3, context: map[string]any{"name": "TRANSPORT_MISMATCH", "transport": "websocket", "previousTransport": "polling"}},
		{name: "another transport, of a WebSocket", target: pollingTarget + "&sid=" + socket.ID(), code: 3, context: map[string]any{"name": "TRANSPORT_MISMATCH", "transport": "polling", "previousTransport": "websocket"}},
		{name: "no upgrade", target: websocketTarget, code: 3, context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}},
		{name: "revision", target: strings.Replace(poller.target, "EIO=4", "EIO=3", 1), code: 3, context: map[string]any{"name": "PROTOCOL_MISMATCH", "protocol": "3", "previousProtocol": "4"}},
		{name: "denied", target: pollingTarget + "&deny=go+%22away%22", code: 4, body: `{"code":4,"message":"go \"away\""}`, context: map[string]any{"message": `go "away"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, status, body := "GET", 400, refused(tc.code)
			if tc.method != "" {
				method = tc.method
			}
			if tc.code == CodeForbidden {
				status = 403
			}
			if tc.body != "" {
				body = tc.body
			}
			a := f.dial(t).do(method, tc.target, "", "X-Mark: "+tc.name)
			if a.status != status || a.body != body || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("answer %v %v, want %d %s", a, a.header, status, body)
			}
			all := log.take()
			if len(all) != 1 {
				t.Fatalf("told %d times", len(all))
			}
			e := all[0]
			if e.Code != tc.code || fmt.Sprint(e.Context) != fmt.Sprint(tc.context) || e.Request.Header.Get("X-Mark") != tc.name {
				t.Errorf("told of %d %v (%v)", e.Code, e.Context, e.Request.Header)
			}
		})
	}
	// An upgrade request gets plain text, and 400 whatever the code (E20).
	c := f.dial(t)
	a := c.do(http.MethodGet, websocketTarget+"&deny=no", "", upgradeHeader...)
	if a.status != 400 || a.body != "no" || a.header.Get("Content-Type") != "text/html" || !a.closes {
		t.Errorf("upgrade request: %v %v", a, a.header)
	}
	c.wantEnd()
	if st := f.Stats(); st.Refused[CodeBadRequest] != 4 || st.Refused[CodeForbidden] != 2 || st.Refused[CodeUnknownTransport] != 2 {
		t.Errorf("counts %v", st.Refused)
	}
	poller.wantEcho("lives")
}

// TestAllowRequest shows E7 and E18: it is asked once for each handshake, may
// block, and may choose the code.
func TestAllowRequest(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	f := serve(t, func(c *config) {
		c.AllowRequest = func(ctx context.Context, r *http.Request) error {
			asked.Add(1)
			switch r.URL.Query().Get("case") {
			case "wait":
				select {
				case <-release:
				case <-ctx.Done():
				}
			case "code":
				return fmt.Errorf("wrapped: %w", &RequestError{Code: CodeUnknownTransport, Message: "not you"})
			case "empty":
				return errors.New("")
			case "panic":
				panic("by the test")
			}
			return nil
		}
	})
	slow := f.dial(t)
	slow.send(http.MethodGet, pollingTarget+"&case=wait", "")
	eventually(t, "the question", func() bool { return asked.Load() == 1 })
	slow.send(http.MethodGet, pollingTarget+"&sid=pipelined", "") // waits its turn

	c := f.poll(t) // the loop goes on meanwhile
	for range 3 {
		c.wantEcho("works")
	}
	k := f.websocket(t, strings.Replace(c.target, "polling", "websocket", 1), nil)
	k.write("2probe")
	k.want("3probe")
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want once for each handshake", n)
	}
	close(release)
	if a := slow.receive(); a.status != 200 {
		t.Errorf("a slow answer: %v", a)
	}
	slow.want(400, refused(CodeUnknownSession))
	f.connect(t).wantEcho("works")

	for query, want := range map[string]answer{
		"code":  {status: 400, body: `{"code":0,"message":"not you"}`},
		"empty": {status: 403, body: refused(CodeForbidden)},
		"panic": {status: 400, body: refused(CodeBadRequest)},
	} {
		if a := f.dial(t).do(http.MethodGet, pollingTarget+"&case="+query, ""); a.status != want.status || a.body != want.body {
			t.Errorf("%s: %v", query, a)
		}
	}
}

// A peer that does not wait ends the question, and so does the deadline.
func TestAllowRequestEnds(t *testing.T) {
	causes := make(chan error, 2)
	f := serve(t, func(c *config) {
		c.HookTimeout = 50 * time.Millisecond
		c.AllowRequest = func(ctx context.Context, _ *http.Request) error {
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return nil
		}
	})
	late := f.dial(t)
	late.send(http.MethodGet, pollingTarget, "")
	late.want(403, refused(CodeForbidden))
	if err := <-causes; !errors.Is(err, errHookTimeout) {
		t.Errorf("late: %v", err)
	}
	late.send(http.MethodGet, websocketTarget, "", upgradeHeader...)
	late.conn.Close()
	if err := <-causes; err == nil || errors.Is(err, errHookTimeout) {
		t.Errorf("gone: %v", err)
	}
	if n := f.Sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestGenerateID shows E29 and W12.
func TestGenerateID(t *testing.T) {
	f := serve(t, func(c *config) {
		c.GenerateID = func(r *http.Request) (string, error) {
			if id := r.URL.Query().Get("id"); id != "" {
				return id, nil
			}
			return "", errors.New("no more")
		}
	})
	for _, upgrade := range []bool{false, true} {
		target, header, ok := pollingTarget, []string(nil), 200
		if upgrade {
			target, header, ok = websocketTarget, upgradeHeader, 101
		}
		for _, tc := range []struct {
			name, query string
			status      int
		}{
			{"own", "&id=mine-" + fmt.Sprint(ok), ok},
			{"in use", "&id=mine-" + fmt.Sprint(ok), 400},
			{"failure (E17)", "", 400},
			{"not fit for JSON", "&id=a%22b", 400},
			{"too long", "&id=" + strings.Repeat("x", 257), 400},
		} {
			a := f.dial(t).do(http.MethodGet, target+tc.query, "", header...)
			if a.status != tc.status {
				t.Errorf("%s, upgrade %v: %v", tc.name, upgrade, a)
			}
		}
	}
	f.record(t, "mine-200").wantOpen(t)
	f.record(t, "mine-101")
}

// TestMiddleware shows E27: on every request and before all else, in order, and
// with headers that are added to the answer.
func TestMiddleware(t *testing.T) {
	var log errorLog
	header := func(name, value string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(name, w.Header().Get(name)+value)
				next.ServeHTTP(w, r)
				if r.URL.Query().Get("case") == "" {
					w.Header().Set("X-Late", "1")
					_, _ = w.Write([]byte("too late"))
				}
			})
		}
	}
	f := serve(t, func(c *config) {
		c.Hooks.ConnectionError = log.add
		c.CORS = &CORS{Origins: []string{"*"}}
		c.Middleware = []func(http.Handler) http.Handler{
			header("X-Order", "1"),
			header("X-Order", "2"),
			func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Query().Get("case") {
					case "stop":
						w.Header().Set("Retry-After", "5")
						http.Error(w, "not now", http.StatusServiceUnavailable)
					case "silent":
					case "panic":
						panic("by the test")
					default:
						next.ServeHTTP(w, r)
					}
				})
			},
		}
	})
	c := f.poll(t)
	check := func(what string, a answer, status int, body string) {
		t.Helper()
		if a.status != status || body != "" && a.body != body || a.header.Get("X-Order") != "12" || a.header.Get("X-Late") != "" {
			t.Errorf("%s: %v %v", what, a, a.header)
		}
	}
	check("handshake", f.dial(t).do(http.MethodGet, pollingTarget, ""), 200, "")
	check("POST", c.post.do(http.MethodPost, c.target, "4hello"), 200, "ok")
	check("GET", c.get.do(http.MethodGet, c.target, ""), 200, "4hello")
	check("101", f.dial(t).do(http.MethodGet, websocketTarget, "", upgradeHeader...), 101, "")
	check("error", f.dial(t).do(http.MethodGet, "/engine.io/", ""), 400, refused(CodeUnknownTransport))
	log.take()

	a := f.dial(t).do(http.MethodGet, c.target+"&case=stop", "")
	check("answered by itself", a, 503, "not now\n")
	if a.header.Get("Retry-After") != "5" || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("header %v", a.header)
	}
	check("answered with nothing", f.dial(t).do(http.MethodGet, c.target+"&case=silent", ""), 200, "")
	check("upgrade answered", f.dial(t).do(http.MethodGet, websocketTarget+"&case=stop", "", upgradeHeader...), 503, "not now\n")
	if len(log.take()) != 0 {
		t.Error("what a middleware answers is no refusal")
	}
	if a := f.dial(t).do(http.MethodGet, c.target+"&case=panic", ""); a.status != 400 || a.body != refused(CodeBadRequest) {
		t.Errorf("panic: %v", a)
	}
	if all := log.take(); len(all) != 1 || all[0].Context["name"] != "MIDDLEWARE_FAILURE" {
		t.Errorf("panic told as %v", all)
	}
	c.wantEcho("lives")
	// A POST that comes in parts, and one whose peer goes, while it is asked.
	slow := c.startPost(5, "4sl")
	slow.write("ow")
	slow.want(200, "ok")
	c.wantPoll("4slow")
	c.startPost(5, "4cu").conn.Close()
	c.wantClosed(t, TransportError, ErrPostAborted)
}

// TestHeaderHooks shows E36 and E37.
func TestHeaderHooks(t *testing.T) {
	var mu sync.Mutex
	var calls []string
	f := serve(t, func(c *config) {
		c.Cookie = DefaultCookie()
		c.Hooks.InitialHeaders = func(h http.Header, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, "initial "+r.URL.Query().Get("n"))
			h.Add("Set-Cookie", "mine=1")
			h.Set("X-Initial", "1")
			h.Set("X-Bad", "a\r\nX-Forged: 1")
		}
		c.Hooks.Headers = func(h http.Header, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, r.Method+" "+r.URL.Query().Get("n"))
			h.Set("X-All", h.Get("X-Initial")+"|"+h.Get("Content-Type"))
		}
	})
	wantCalls := func(want ...string) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(calls, want) {
			t.Errorf("calls %q, want %q", calls, want)
		}
		calls = nil
	}
	get, post := f.dial(t), f.dial(t)
	a := get.do(http.MethodGet, pollingTarget+"&n=1", "")
	sid := parseOpen(t, a.body).SID
	target := pollingTarget + "&sid=" + sid
	if got := a.header.Values("Set-Cookie"); !slices.Equal(got, []string{"io=" + sid + "; Path=/; HttpOnly; SameSite=Lax", "mine=1"}) {
		t.Errorf("cookies %q", got)
	}
	if a.header.Get("X-All") != "1|text/plain; charset=UTF-8" || a.header.Get("X-Bad") != "" || a.header.Get("X-Forged") != "" {
		t.Errorf("header %v", a.header)
	}
	wantCalls("initial 1", "GET 1")
	if a := post.do(http.MethodPost, target+"&n=2", "4x"); a.header.Get("X-All") != "|text/html" || a.header.Get("X-Initial") != "" {
		t.Errorf("POST: %v", a.header)
	}
	wantCalls("POST 2")
	if a := get.do(http.MethodGet, target+"&n=3", ""); a.body != "4x" || a.header.Get("X-All") == "" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("GET: %v %v", a, a.header)
	}
	wantCalls("GET 3")
	k := f.websocket(t, strings.Replace(target, "polling", "websocket", 1)+"&n=4", nil)
	if k.header.Get("X-All") == "" || k.header.Get("X-Initial") != "" {
		t.Errorf("upgrade: %v", k.header)
	}
	wantCalls("GET 4")
	w := f.websocket(t, websocketTarget+"&n=5", nil)
	if w.header.Get("X-All") != "1|" || w.header.Get("Set-Cookie") != "mine=1" {
		t.Errorf("websocket: %v", w.header)
	}
	wantCalls("initial 5", "GET 5")
	f.dial(t).do(http.MethodGet, pollingTarget+"&sid=nobody", "")
	f.dial(t).do(http.MethodPost, target, "")
	wantCalls()
}

// TestCookie shows E34 and E35.
func TestCookie(t *testing.T) {
	f := serve(t, func(c *config) {
		c.Cookie = &http.Cookie{Name: "node", Domain: "a.example", Path: "/x", MaxAge: 60, Secure: true, SameSite: http.SameSiteStrictMode}
	})
	a := f.dial(t).do(http.MethodGet, pollingTarget, "")
	sid := parseOpen(t, a.body).SID
	if got, want := a.header.Get("Set-Cookie"), "node="+sid+"; Path=/x; Domain=a.example; Max-Age=60; Secure; SameSite=Strict"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if a := f.dial(t).do(http.MethodPost, pollingTarget+"&sid="+sid, "4x"); a.header.Get("Set-Cookie") != "" {
		t.Errorf("later: %v", a.header)
	}
	if w := f.websocket(t, websocketTarget, nil); w.header.Get("Set-Cookie") != "" {
		t.Errorf("websocket: %v", w.header)
	}
	if a := serve(t).dial(t).do(http.MethodGet, pollingTarget, ""); a.header.Get("Set-Cookie") != "" {
		t.Errorf("without the option: %v", a.header)
	}
}

// TestInitialPacket shows E32.
func TestInitialPacket(t *testing.T) {
	f := serve(t, func(c *config) { c.InitialPacket = []byte("hi") })
	if a := f.dial(t).do(http.MethodGet, pollingTarget, ""); !strings.HasSuffix(a.body, "}\x1e4hi") {
		t.Errorf("polling: %v", a)
	}
	w := f.websocket(t, websocketTarget, nil)
	w.next()
	w.want("4hi")
	f = serve(t, func(c *config) { c.InitialPacket, c.InitialBinary = []byte{1, 2, 3}, true })
	if a := f.dial(t).do(http.MethodGet, pollingTarget, ""); !strings.HasSuffix(a.body, "}\x1ebAQID") {
		t.Errorf("polling: %v", a)
	}
	w = f.websocket(t, websocketTarget, nil)
	w.next()
	w.want("binary:\x01\x02\x03")
}

// TestOldBrowsers shows E40.
func TestOldBrowsers(t *testing.T) {
	f := serve(t)
	c := f.poll(t)
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)": "0",
		"Mozilla/4.0 (compatible;MSIE 8.0)":                  "0",
		"Mozilla/5.0 (compatible; MSIE 9.0)":                 "",
		"curl/8":                                             "",
	} {
		for _, a := range []answer{
			f.dial(t).do(http.MethodGet, pollingTarget, "", "User-Agent: "+agent),
			c.post.do(http.MethodPost, c.target, "4x", "User-Agent: "+agent),
			c.get.do(http.MethodGet, c.target, "", "User-Agent: "+agent),
		} {
			if a.status != 200 || a.header.Get("X-XSS-Protection") != want {
				t.Errorf("%s: %v", agent, a.header)
			}
		}
	}
}
