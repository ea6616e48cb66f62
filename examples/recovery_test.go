package examples_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/siotest"
)

func TestRecovery(t *testing.T) {
	addr := start(t, "recovery")
	join := func(auth string) (c *siotest.Conn, sid, pid string, before []string) {
		c = siotest.Open(t, "http://"+addr)
		c.Send("40" + auth)
		for {
			packet := c.Next()
			if !strings.HasPrefix(packet, "40") {
				before = append(before, packet)
				continue
			}
			var answer struct{ SID, PID string }
			if err := json.Unmarshal([]byte(packet[2:]), &answer); err != nil {
				t.Fatal(err)
			}
			return c, answer.SID, answer.PID, before
		}
	}
	line := func(packet string) (n int, offset string) {
		var at int64
		var event string
		if err := json.Unmarshal([]byte(packet[2:]), &[]any{&event, &n, &at, &offset}); err != nil || event != "line" {
			t.Fatalf("packet %q: %v", packet, err)
		}
		return n, offset
	}

	other, _, _, _ := join("")
	c, sid, pid, _ := join("")
	last, offset := line(c.Next())
	c.Close()
	for n := 0; n <= last; { // until the client has missed one
		n, _ = line(other.Next())
	}
	back, again, _, missed := join(fmt.Sprintf(`{"pid":%q,"offset":%q}`, pid, offset))
	if again != sid || len(missed) == 0 {
		t.Fatalf("came back as %s (was %s) with %q", again, sid, missed)
	}
	for _, packet := range append(missed, back.Next()) {
		n, _ := line(packet)
		if n != last+1 {
			t.Errorf("line %d follows %d", n, last)
		}
		last = n
	}
}
