package chat

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/apps/apptest"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

// serve runs the application and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	return apptest.Serve(t, New(apps.Config{Path: "/socket.io"}))
}

// visitor is a page of the chat.
type visitor struct {
	*apptest.Client

	t *testing.T
}

// enter comes in under a name, with a key of that name.
func enter(t *testing.T, addr, name string) visitor {
	t.Helper()
	v, refusal := try(t, addr, map[string]any{"name": name, "key": "key of " + name})
	if refusal != "" {
		t.Fatalf("%s was refused: %s", name, refusal)
	}
	return v
}

func try(t *testing.T, addr string, auth any) (v visitor, refusal string) {
	t.Helper()
	c, refusal := apptest.Connect(t, addr, "/", auth)
	return visitor{c, t}, refusal
}

// ask sends an event and returns the answer, as JSON with images in base64.
func (v visitor) ask(event string, args ...any) string {
	v.t.Helper()
	answer := v.Call(event, args...)
	if len(answer) != 1 {
		v.t.Fatalf("%s was answered %s", event, apptest.Text(answer))
	}
	return strings.TrimSuffix(strings.TrimPrefix(apptest.Text(answer), "["), "]")
}

// join goes into a room and returns the history.
func (v visitor) join(room string) []post {
	v.t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(v.ask("join", room)), &a); err != nil || a.Error != "" || a.Room != room {
		v.t.Fatalf("joining %s was answered %+v, %v", room, a, err)
	}
	return a.History
}

func (v visitor) wantAnswer(want, event string, args ...any) {
	v.t.Helper()
	if got := v.ask(event, args...); got != want {
		v.t.Errorf("%s was answered %s, want %s", event, got, want)
	}
}

func (v visitor) wantRefused(why error, event string, args ...any) {
	v.t.Helper()
	v.wantAnswer(fmt.Sprintf(`{"error":%q}`, why), event, args...)
}

// message returns the next message and the room that it is for.
func (v visitor) message() (room string, m post) {
	v.t.Helper()
	args := v.Wait("message")
	if err := json.Unmarshal([]byte(apptest.Text(args)), &[]any{&room, &m}); err != nil {
		v.t.Fatal(err)
	}
	return room, m
}

// wantNo fails if such events have come by now: the answer to something else
// comes after all that was sent before.
func (v visitor) wantNo(event string) {
	v.t.Helper()
	v.ask("picture", "nowhere", 0)
	v.ExpectNone(event)
}

// wantMembers waits until the page is told of these, and no others.
func (v visitor) wantMembers(room string, names ...string) {
	v.t.Helper()
	want := fmt.Sprint(room, names, len(names))
	for {
		var (
			in    string
			here  []string
			count int
		)
		args := apptest.Text(v.Wait("members"))
		if err := json.Unmarshal([]byte(args), &[]any{&in, &here, &count}); err != nil {
			v.t.Fatalf("members %s: %v", args, err)
		}
		slices.Sort(here)
		if fmt.Sprint(in, here, count) == want {
			return
		}
	}
}

func TestEntering(t *testing.T) {
	addr := serve(t)
	first := enter(t, addr, "Anna")
	want := `[[{"count":0,"name":"lobby"},{"count":0,"name":"music"},{"count":0,"name":"games"}]]`
	if got := apptest.Text(first.Wait("rooms")); got != want {
		t.Errorf("rooms %s, want %s", got, want)
	}
	if history := first.join("lobby"); len(history) > 0 {
		t.Errorf("history %v", history)
	}
	first.wantMembers("lobby", "Anna")
	second := enter(t, addr, "Bob")
	second.join("lobby")
	second.wantMembers("lobby", "Anna", "Bob")
	first.wantMembers("lobby", "Anna", "Bob")
	second.join("games")
	first.wantMembers("lobby", "Anna")
	second.wantMembers("games", "Bob")
	first.Cut()
	for got := ""; !strings.Contains(got, `{"count":0,"name":"lobby"}`) || !strings.Contains(got, `{"count":1,"name":"games"}`); {
		got = apptest.Text(second.Wait("rooms"))
	}
	enter(t, addr, "anna") // the name is free
}

func TestRefusedEntering(t *testing.T) {
	addr := serve(t)
	enter(t, addr, "Anna")
	for name, tt := range map[string]struct {
		auth any
		want error
	}{
		"no auth":      {nil, errName},
		"no name":      {map[string]any{"key": "k"}, errName},
		"no text":      {map[string]any{"name": []int{1}, "key": "k"}, errName},
		"empty name":   {map[string]any{"name": " ", "key": "k"}, errName},
		"long name":    {map[string]any{"name": strings.Repeat("x", 33), "key": "k"}, errName},
		"control code": {map[string]any{"name": "a\u0007b", "key": "k"}, errName},
		"no key":       {map[string]any{"name": "Bob"}, errKey},
		"taken name":   {map[string]any{"name": "ANNA", "key": "k"}, errNameTaken},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := try(t, addr, tt.auth); got != tt.want.Error() {
				t.Errorf("refused with %q, want %q", got, tt.want)
			}
		})
	}
}

// A tab that is reloaded comes back before the server has noticed that it left.
func TestSameKeyTakesThePlace(t *testing.T) {
	addr := serve(t)
	old, bob := enter(t, addr, "Anna"), enter(t, addr, "Bob")
	old.join("lobby")
	bob.join("lobby")
	bob.wantMembers("lobby", "Anna", "Bob")
	again := enter(t, addr, "Anna")
	if got := apptest.Text(old.Wait("refused")); got != fmt.Sprintf("[%q]", errReplaced) {
		t.Errorf("the old page is told %s", got)
	}
	if reason := old.ExpectDisconnect(); reason != siotest.ReasonServerDisconnect {
		t.Errorf("the old page ended with %q", reason)
	}
	bob.wantMembers("lobby", "Bob")
	again.join("music")
	again.wantMembers("music", "Anna")
}

func TestSay(t *testing.T) {
	addr := serve(t)
	anna, bob, carl := enter(t, addr, "Anna"), enter(t, addr, "Bob"), enter(t, addr, "Carl")
	anna.join("lobby")
	bob.join("lobby")
	carl.join("music")
	anna.wantAnswer(`{}`, "say", "lobby", "1", "  hello <b>\n")
	for _, v := range []visitor{anna, bob} {
		room, m := v.message()
		if room != "lobby" || m.From != "Anna" || m.Text != "hello <b>" || m.Note != "1" || m.At == 0 || m.ID == 0 || m.Type != "" {
			t.Errorf("to %q came %+v", room, m)
		}
	}
	carl.wantNo("message")

	// Sent again, it is answered as before and not posted.
	anna.wantAnswer(`{}`, "say", "lobby", "1", "hello <b>")
	bob.wantNo("message")

	anna.wantRefused(errElsewhere, "say", "music", "2", "hello")
	anna.wantRefused(errElsewhere, "say", "chat:lobby", "2", "hello")
	anna.wantRefused(errEmpty, "say", "lobby", "2", "  ")
	anna.wantRefused(errEmpty, "say", "lobby")
	anna.wantRefused(errTooLong, "say", "lobby", "2", strings.Repeat("é", 2001))
	anna.wantRefused(errTooLong, "say", "lobby", strings.Repeat("n", 65), "hello")
	bob.wantNo("message")
	carl.wantNo("message")
}

func TestRoomsOverTheWire(t *testing.T) {
	addr := serve(t)
	anna, bob := enter(t, addr, "Anna"), enter(t, addr, "Bob")
	anna.wantRefused(errElsewhere, "say", "lobby", "1", "hello")
	anna.wantRefused(errName, "join", " ")
	anna.wantRefused(errName, "join", strings.Repeat("x", 33))
	anna.wantRefused(errName, "join", "a\u0007b")
	anna.wantRefused(errName, "join")
	anna.join("new one")
	anna.wantMembers("new one", "Anna")
	for !strings.Contains(apptest.Text(bob.Wait("rooms")), `{"count":1,"name":"new one"}`) { //nolint:revive // Wait takes the next
	}
	// Whoever has left a room hears nothing of it any more.
	bob.join("new one")
	bob.join("lobby")
	anna.wantAnswer(`{}`, "say", "new one", "1", "hello")
	bob.wantNo("message")
}

func TestJoinAnswersHistory(t *testing.T) {
	addr := serve(t)
	anna := enter(t, addr, "Anna")
	anna.join("lobby")
	anna.wantAnswer(`{}`, "say", "lobby", "1", "first")
	anna.wantAnswer(`{}`, "show", "lobby", "2", png(10))
	anna.wantAnswer(`{}`, "say", "lobby", "3", "last")
	bob := enter(t, addr, "Bob")
	history := bob.join("lobby")
	if len(history) != 3 || history[0].Text != "first" || history[1].Type != "image/png" || history[2].Text != "last" {
		t.Fatalf("history %+v", history)
	}
	for i, m := range history {
		if m.From != "Anna" || i > 0 && m.ID <= history[i-1].ID {
			t.Errorf("history %+v", history)
		}
	}
	bob.wantNo("message")
	if history := bob.join("music"); len(history) > 0 {
		t.Errorf("history of another room %+v", history)
	}
}

func TestShow(t *testing.T) {
	addr := serve(t)
	anna, bob, carl := enter(t, addr, "Anna"), enter(t, addr, "Bob"), enter(t, addr, "Carl")
	anna.join("lobby")
	bob.join("lobby")
	carl.join("music")
	image := png(600_000)
	for i := range image[8:] {
		image[8+i] = byte(i * i >> 3)
	}
	anna.wantAnswer(`{}`, "show", "lobby", "1", image)
	room, m := bob.message()
	if room != "lobby" || m.From != "Anna" || m.Type != "image/png" || m.Text != "" {
		t.Errorf("to %q came %+v", room, m)
	}
	for _, v := range []visitor{anna, bob} {
		answer, _ := v.Call("picture", "lobby", m.ID)[0].(map[string]any)
		if got, _ := answer["image"].([]byte); !bytes.Equal(got, image) {
			t.Errorf("the picture is other %d bytes (error %v)", len(got), answer["error"])
		}
	}
	bob.wantRefused(errImageGone, "picture", "lobby", m.ID+1)
	carl.wantRefused(errElsewhere, "picture", "lobby", m.ID)
	carl.wantRefused(errImageGone, "picture", "music", m.ID)
	carl.wantNo("message")

	anna.wantRefused(errTooLarge, "show", "lobby", "2", png(600_001))
	anna.wantRefused(errNoImage, "show", "lobby", "2", []byte("<svg/>"))
	anna.wantRefused(errNoImage, "show", "lobby", "2", []byte{})
	anna.wantRefused(errEmpty, "show", "lobby", "2")
	anna.wantRefused(errElsewhere, "show", "music", "2", png(10))
	// Clients without binary data send base64.
	anna.wantAnswer(`{}`, "show", "lobby", "3", base64.StdEncoding.EncodeToString(png(10)))
	if _, m := bob.message(); m.Type != "image/png" || m.Note != "3" {
		t.Errorf("there came %+v", m)
	}
}

func TestTooFast(t *testing.T) {
	addr := serve(t)
	anna, bob := enter(t, addr, "Anna"), enter(t, addr, "Bob")
	anna.join("lobby")
	bob.join("lobby")
	allowed := 0
	for ; allowed < 1000; allowed++ {
		if answer := anna.ask("say", "lobby", fmt.Sprint(allowed), "x"); answer == fmt.Sprintf(`{"error":%q}`, errTooFast) {
			break
		} else if answer != `{}` {
			t.Fatalf("answered %s", answer)
		}
	}
	if allowed < paceBurst-1 || allowed == 1000 {
		t.Errorf("%d were allowed at once", allowed)
	}
	for range allowed {
		bob.Expect("message")
	}
	bob.wantNo("message")
	bob.wantAnswer(`{}`, "say", "lobby", "1", "each has a pace of their own")
	// It waits, as it was told to.
	apptest.Eventually(t, "the pace to allow one more", func() bool {
		return anna.ask("join", "lobby") != fmt.Sprintf(`{"error":%q}`, errTooFast)
	})
}

func TestTyping(t *testing.T) {
	addr := serve(t)
	anna, bob, carl := enter(t, addr, "Anna"), enter(t, addr, "Bob"), enter(t, addr, "Carl")
	anna.join("lobby")
	bob.join("lobby")
	carl.join("music")
	anna.Emit("typing", "lobby", true)
	if got := apptest.Text(bob.Wait("typing")); got != `["lobby","Anna",true]` {
		t.Errorf("got %s", got)
	}
	anna.Emit("typing", "lobby", false)
	if got := apptest.Text(bob.Wait("typing")); got != `["lobby","Anna",false]` {
		t.Errorf("got %s", got)
	}
	carl.Emit("typing", "lobby", true) // it is not in there
	carl.wantNo("typing")
	anna.wantNo("typing")
	bob.wantNo("typing")
}

func TestPage(t *testing.T) {
	apptest.WantPage(t, New(apps.Config{Path: "/over/there", HasClient: true}), "/over/there", "chat.js", "chat.css")
	without := apptest.Get(t, New(apps.Config{Path: "/socket.io"}).Handler(), "/")
	if body := without.Body.String(); !strings.Contains(body, "no browser client") || strings.Contains(body, "<script") {
		t.Errorf("without the client the page is\n%s", body)
	}
}
