package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/siotest"
)

// bytesOf is an event with binary data alone, as it comes.
func bytesOf(event string, data []byte) []string {
	return []string{fmt.Sprintf(`451-[%q,{"_placeholder":true,"num":0}]`, event), "binary:" + string(data)}
}

func draw(c *siotest.Conn, data []byte) {
	c.Send(bytesOf("draw", nil)[0])
	c.SendBinary(data)
}

// stroke is one of n points.
func stroke(n int) []byte {
	data := make([]byte, 4+4*n)
	data[0], data[1] = byte((len(data)-2)>>8), byte(len(data)-2)
	for i := range data[2:] {
		data[2+i] = byte(i)
	}
	return data
}

func TestWhiteboard(t *testing.T) {
	addr := start(t, "whiteboard")
	ada, id := enterAt(t, addr)
	ada.Want(append(bytesOf("board", nil), `42["people",1]`)...)
	grace, _ := enterAt(t, addr)
	grace.Want(append(bytesOf("board", nil), `42["people",2]`)...)
	ada.Want(`42["people",2]`)

	first, second := stroke(3), stroke(500)
	draw(ada, first)
	draw(ada, second)
	for name, wrong := range map[string][]byte{
		"empty": {}, "short": stroke(2), "long": stroke(1100), "cut": first[:14], "with more behind it": append(stroke(3), 1),
	} {
		t.Log("sending what is", name)
		draw(ada, wrong)
	}
	ada.Send(`42["pointer",0.5,0.25]`)
	grace.Want(bytesOf("draw", first)...)
	grace.Want(bytesOf("draw", second)...)
	grace.Want(fmt.Sprintf(`42["pointer",%q,0.5,0.25]`, id))

	late, _ := enterAt(t, addr)
	late.Want(append(bytesOf("board", append(bytes.Clone(first), second...)), `42["people",3]`)...)
	grace.Want(`42["people",3]`)
	grace.Send(`42["clear"]`)
	grace.Want(bytesOf("board", nil)...)
	late.Want(bytesOf("board", nil)...)
	ada.Close()
	late.Want(fmt.Sprintf(`42["gone",%q]`, id), `42["people",2]`)
}

func TestWhiteboardForgetsTheOldest(t *testing.T) {
	addr := start(t, "whiteboard")
	ada, _ := enterAt(t, addr)
	ada.Want(append(bytesOf("board", nil), `42["people",1]`)...)
	grace, _ := enterAt(t, addr)
	grace.Want(append(bytesOf("board", nil), `42["people",2]`)...)
	large := stroke(900)
	for range 512<<10/len(large) + 3 {
		draw(ada, large)
		grace.Want(bytesOf("draw", large)...)
	}
	late, _ := enterAt(t, addr)
	late.Want(bytesOf("board", bytes.Repeat(large, 512<<10/len(large)))...)
}

func TestDashboard(t *testing.T) {
	addr := start(t, "dashboard")
	type sample struct{ At, Clients, Goroutines, Heap, Allocated int64 }
	next := func(c *siotest.Conn) (s sample) {
		t.Helper()
		packet := c.Next()
		text, ok := strings.CutPrefix(packet, `42["sample",`)
		if !ok || json.Unmarshal([]byte(strings.TrimSuffix(text, "]")), &s) != nil {
			t.Fatalf("got %q", packet)
		}
		return s
	}
	first, _ := enterAt(t, addr)
	first.Want(`42["recent",[]]`)
	s := next(first)
	if s.At == 0 || s.Clients != 1 || s.Goroutines == 0 || s.Heap == 0 || s.Allocated == 0 {
		t.Errorf("the sample is %+v", s)
	}
	idle := s.Goroutines
	second, _ := enterAt(t, addr)
	if recent := second.Next(); !strings.HasPrefix(recent, `42["recent",[{"at":`) {
		t.Errorf("the second was told %q", recent)
	}
	first.Send(`42["load"]`)
	for s.Clients != 2 || s.Goroutines < idle+40 || s.Allocated < 1<<20 {
		s = next(second)
	}
}

// until reads up to a packet. Before it may come others of its event alone, which
// tell how things were a moment ago.
func until(t *testing.T, c *siotest.Conn, want string) {
	t.Helper()
	event, _, _ := strings.Cut(want, ",")
	for got := c.Next(); got != want; got = c.Next() {
		if !strings.HasPrefix(got, event) {
			t.Fatalf("got packet %q, want %q", got, want)
		}
	}
}

func TestPresence(t *testing.T) {
	addr := start(t, "presence")
	ada, _ := enterAt(t, addr)
	ada.Send(`42["enter","garden"," Ada "]`)
	until(t, ada, `42["here",[{"name":"Ada","looking":true}]]`)
	grace, _ := enterAt(t, addr)
	grace.Send(`42["enter","garden","Grace"]`)
	both := `42["here",[{"name":"Ada","looking":true},{"name":"Grace","looking":true}]]`
	until(t, ada, both)
	until(t, grace, both)

	// Another tab of Ada's, which is behind: she is looking still, with the first.
	tab, _ := enterAt(t, addr)
	tab.Send(`42["enter","garden","Ada"]`)
	for _, c := range []*siotest.Conn{ada, grace, tab} {
		until(t, c, both)
	}
	for range 10 { // sockets come in no order
		tab.Send(`42["looking",false]`)
		grace.Want(both)
	}
	ada.Send(`42["looking",false]`)
	until(t, grace, `42["here",[{"name":"Ada","looking":false},{"name":"Grace","looking":true}]]`)
	ada.Send(`42["enter","cellar","Ada"]`)
	until(t, grace, `42["here",[{"name":"Ada","looking":false},{"name":"Grace","looking":true}]]`) // the tab is there
	tab.Close()
	until(t, grace, `42["here",[{"name":"Grace","looking":true}]]`)
	grace.Send(`42["enter","garden","` + strings.Repeat("x", 30) + `"]`)
	until(t, grace, `42["here",[{"name":"`+strings.Repeat("x", 24)+`","looking":true}]]`)
	grace.Send(`42["enter","garden"]`)
	until(t, grace, `42["here",[{"name":"nameless","looking":true}]]`)
}

// signIn returns the answer's status and token.
func signIn(t *testing.T, addr, name, password string) (status int, token string) {
	t.Helper()
	res, err := http.PostForm("http://"+addr+"/sign-in", url.Values{"name": {name}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct{ Token string }
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode, answer.Token
}

func TestPrivateMessages(t *testing.T) {
	addr := start(t, "private-messages")
	enter := func(name string) *siotest.Conn {
		t.Helper()
		status, token := signIn(t, addr, name, "password of "+name)
		if status != http.StatusOK {
			t.Fatalf("signing in as %s: %d", name, status)
		}
		c := dialAt(t, addr)
		c.Join("/", fmt.Sprintf(`{"token":%q}`, token))
		return c
	}
	ada := enter("Ada")
	until(t, ada, `42["people",["Ada"]]`)
	grace := enter("Grace")
	until(t, grace, `42["people",["Ada","Grace"]]`)
	until(t, ada, `42["people",["Ada","Grace"]]`)
	phone := enter("Grace") // the same person
	for _, c := range []*siotest.Conn{ada, grace, phone} {
		until(t, c, `42["people",["Ada","Grace"]]`)
	}
	carl := enter("Carl")
	for _, c := range []*siotest.Conn{ada, grace, phone, carl} {
		until(t, c, `42["people",["Ada","Carl","Grace"]]`)
	}

	ada.Send(`427["message","Grace"," hello "]`)
	ada.Want(`437[""]`)
	grace.Want(`42["message","Ada","Grace","hello"]`)
	phone.Want(`42["message","Ada","Grace","hello"]`)
	phone.Send(`42["message","Ada","hi"]`)
	ada.Want(`42["message","Grace","Ada","hi"]`)
	grace.Want(`42["message","Grace","Ada","hi"]`) // what she wrote elsewhere
	ada.Send(`428["message","Bob","hello"]`, `429["message","Grace","  "]`)
	ada.Want(`438["Bob is not here."]`, `439["A message has from 1 to 4000 characters."]`)

	phone.Close()
	grace.Close()
	until(t, ada, `42["people",["Ada","Carl"]]`)
	until(t, carl, `42["people",["Ada","Carl"]]`) // and none of the messages
}

func TestPrivateMessagesRefusesStrangers(t *testing.T) {
	addr := start(t, "private-messages")
	if status, _ := signIn(t, addr, "Ada", "engine"); status != http.StatusOK {
		t.Fatalf("signing in: %d", status)
	}
	for name, tt := range map[string]struct {
		name, password string
		want           int
	}{
		"again":          {"Ada", "engine", http.StatusOK},
		"wrong password": {"Ada", "Engine", http.StatusForbidden},
		"no password":    {"Bob", "", http.StatusBadRequest},
		"no name":        {" ", "secret", http.StatusBadRequest},
		"dot in name":    {"A.da", "secret", http.StatusBadRequest},
		"long name":      {strings.Repeat("x", 21), "secret", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := signIn(t, addr, tt.name, tt.password); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	_, token := signIn(t, addr, "Ada", "engine")
	for name, auth := range map[string]string{
		"no auth": "", "no token": "{}", "no text": `{"token":1}`, "name alone": `{"token":"Ada"}`,
		"other name": fmt.Sprintf(`{"token":%q}`, strings.Replace(token, "Ada", "Eve", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			c := dialAt(t, addr)
			c.Send("40" + auth)
			c.Want(`44{"message":"Please sign in.","data":"token"}`)
		})
	}
}

func TestTypedEvents(t *testing.T) {
	addr := start(t, "typed-events")
	result := func(tabs, spaces, gofmt int) string {
		return fmt.Sprintf(`42["result",{"question":"Tabs or spaces?","answers":[{"text":"Tabs","votes":%d},`+
			`{"text":"Spaces","votes":%d},{"text":"Whatever gofmt does","votes":%d}]}]`, tabs, spaces, gofmt)
	}
	first, _ := enterAt(t, addr)
	first.Want(result(0, 0, 0))
	first.Send(`421["vote",{"choice":"Tabs"}]`)
	first.Want(result(1, 0, 0), `431["thank you"]`)
	first.Send(`422["vote",{"choice":"Both"}]`)
	first.Want(`432["there is no such answer"]`)
	second, _ := enterAt(t, addr)
	second.Want(result(1, 0, 0))
	second.Send(`42["vote",{"choice":7}]`, `42["vote",{"choice":"Whatever gofmt does"}]`)
	first.Want(result(1, 0, 1))
	second.Want(result(1, 0, 1))
}

func TestEngine(t *testing.T) {
	base := "http://" + start(t, "engine") + "/engine.io/?EIO=4&transport=polling"
	do := func(method, url, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %s, %v", method, url, res.StatusCode, text, err)
		}
		return string(text)
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(do(http.MethodGet, base, "")[1:]), &open); err != nil {
		t.Fatal(err)
	}
	session := base + "&sid=" + open.SID
	do(http.MethodPost, session, "4hello\x1ebAQID")
	if got := do(http.MethodGet, session, ""); got != "4hello\x1ebAQID" {
		t.Errorf("came back: %q", got)
	}
}

// Clients in other languages talk to hello.
func TestClients(t *testing.T) {
	if testing.Short() {
		t.Skip("real clients are left out under -short")
	}
	cache := filepath.Join("..", ".cache")
	var jars []string
	for _, jar := range []string{"socket.io-client-2.1.2", "engine.io-client-2.1.0", "okhttp-3.12.12", "okio-1.15.0", "json-20090211"} {
		jars = append(jars, filepath.Join(cache, "java", jar+".jar"))
	}
	for name, tt := range map[string]struct {
		needs   string // what `make tools` installs
		command []string
	}{
		"python": {filepath.Join(cache, "venv"), []string{filepath.Join(cache, "venv", "bin", "python"), "clients/python/client.py"}},
		"java":   {jars[0], []string{"java", "-cp", strings.Join(jars, ":"), "clients/java/Hello.java"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(tt.needs); err != nil {
				t.Fatalf("%v: run `make tools`", err)
			}
			command := append(tt.command, "http://"+start(t, "hello")) //nolint:gocritic // nobody else uses it
			out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
			if want := "hello world\nhey, you\n"; err != nil || string(out) != want {
				t.Errorf("it said %q, %v", out, err)
			}
		})
	}
}
