package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// start serves the application in memory: what main does, but for the port.
func start(t *testing.T) (*siotest.Server, *sio.Server) {
	t.Helper()
	gin.SetMode(gin.TestMode)
	router := gin.New()
	server, err := sio.New(&sio.Options{Handler: router, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	setUp(server, router)
	return siotest.Start(t, server), server
}

// post posts a form and returns the status and the body.
func post(t *testing.T, srv *siotest.Server, path string, user *url.Userinfo, form url.Values) (status int, body string) {
	t.Helper()
	to := url.URL{Scheme: "http", Host: "chat", Path: path, User: user}
	res, err := srv.HTTP().PostForm(to.String(), form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

// logIn returns a token.
func logIn(t *testing.T, srv *siotest.Server, name, password string) string {
	t.Helper()
	status, body := post(t, srv, "/login", url.UserPassword(name, password), nil)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK || answer.Token == "" {
		t.Fatalf("%s can't log in: %d %s", name, status, body)
	}
	return answer.Token
}

// enter logs in and joins the lobby.
func enter(t *testing.T, srv *siotest.Server, name, password string) *siotest.Client {
	t.Helper()
	c := srv.Connect(t, siotest.Auth(gin.H{"token": logIn(t, srv, name, password)}))
	if got := c.Call("join", "lobby").String(); got != `["welcome to lobby"]` {
		t.Error("join:", got)
	}
	return c
}

// want waits for an event, which must have these arguments.
func want(t *testing.T, c *siotest.Client, event string, args ...any) {
	t.Helper()
	if got := c.Expect(event).Any(); !reflect.DeepEqual(got, args) {
		t.Errorf("%s: %v instead of %v", event, got, args)
	}
}

func TestLogin(t *testing.T) {
	srv, _ := start(t)
	first, second := logIn(t, srv, "ann", "a"), logIn(t, srv, "ann", "a")
	if first == second {
		t.Error("the same token twice")
	}
	for name, user := range map[string]*url.Userinfo{
		"nobody":         nil,
		"wrong password": url.UserPassword("ann", "b"),
		"no password":    url.User("ann"),
		"stranger":       url.UserPassword("zoe", ""),
		"empty":          url.UserPassword("", ""),
	} {
		if status, body := post(t, srv, "/login", user, nil); status != http.StatusUnauthorized || body != "" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestRefused(t *testing.T) {
	srv, _ := start(t)
	for name, opts := range map[string][]siotest.Option{
		"no token":    nil,
		"wrong token": {siotest.Auth(gin.H{"token": "guess"})},
		"no text":     {siotest.Auth(gin.H{"token": 7})},
	} {
		var refused *sio.ConnectError
		if _, err := srv.TryConnect(t, opts...); !errors.As(err, &refused) || refused.Message != "please log in" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChat(t *testing.T) {
	srv, _ := start(t)
	ann := enter(t, srv, "ann", "a")
	want(t, ann, "here", "lobby", map[string]any{"ann": true})
	bob := enter(t, srv, "bob", "b")
	want(t, ann, "here", "lobby", map[string]any{"ann": true, "bob": true})
	outside := srv.Connect(t, siotest.Auth(gin.H{"token": logIn(t, srv, "bob", "b")}))

	ann.Emit("chat", "lobby", "hello")
	outside.Emit("chat", "lobby", "I am not in here")
	want(t, ann, "chat", "lobby", "ann", "hello")
	want(t, bob, "chat", "lobby", "ann", "hello")
	ann.ExpectNone("chat")
	outside.ExpectNone()

	second := enter(t, srv, "bob", "b") // another tab
	want(t, ann, "here", "lobby", map[string]any{"ann": true, "bob": true})
	second.Disconnect()
	want(t, ann, "here", "lobby", map[string]any{"ann": true, "bob": true})
	bob.Drop()
	srv.Advance(45 * time.Second)
	want(t, ann, "here", "lobby", map[string]any{"ann": true})
}

// Nobody listens in by joining the room that another's socket has by its id.
func TestSocketsAreNoRooms(t *testing.T) {
	srv, server := start(t)
	ann, bob := enter(t, srv, "ann", "a"), enter(t, srv, "bob", "b")
	bob.Call("join", ann.ID())
	if err := server.To(ann.ID()).Emit("private", "psst"); err != nil {
		t.Fatal(err)
	}
	want(t, ann, "private", "psst")
	bob.ExpectNone("private")
}

func TestAnnounce(t *testing.T) {
	srv, _ := start(t)
	ann := enter(t, srv, "ann", "a")
	text := url.Values{"text": {"lunch"}}
	for _, user := range []*url.Userinfo{nil, url.UserPassword("admin", ""), url.UserPassword("ann", "a")} {
		if status, _ := post(t, srv, "/announce", user, text); status != http.StatusUnauthorized {
			t.Errorf("announced by %v: %d", user, status)
		}
	}
	ann.ExpectNone("announce")
	if status, body := post(t, srv, "/announce", url.UserPassword("admin", "root"), text); status != http.StatusOK {
		t.Error(status, body)
	}
	want(t, ann, "announce", "lunch")
}

func TestPage(t *testing.T) {
	srv, _ := start(t)
	res, err := srv.HTTP().Get("http://chat/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), `src="/socket.io/socket.io.min.js"`) {
		t.Errorf("%d, %v: %s", res.StatusCode, err, body)
	}
}
