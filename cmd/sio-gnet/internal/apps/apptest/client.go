package apptest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Wire carries packets; *testclient.Client is one. Next returns a binary
// message as "binary:" and its bytes.
type Wire interface {
	Send(packets ...string)
	SendBinary(messages ...[]byte)
	Next() string
}

// Client is one socket. It is for one goroutine.
type Client struct {
	tb     testing.TB
	wire   Wire
	prefix string // of packets, after their type
	id     string
	calls  int
	events []Event          // that nobody has waited for yet
	acks   map[string][]any // by their id
}

// Event is what the server emitted. The arguments are as encoding/json decodes
// them, with []byte where there was binary data.
type Event struct {
	Name string
	Args []any
}

// String shows the event as JSON, with binary data in base64.
func (e Event) String() string { return Text(append([]any{e.Name}, e.Args...)) }

// Text shows arguments as JSON, with binary data in base64.
func Text(args []any) string {
	text, err := json.Marshal(args)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Connect joins a namespace. auth is encoded as JSON, unless it is nil. A
// refusal is returned as its packet.
func Connect(tb testing.TB, wire Wire, namespace string, auth any) (c *Client, refusal string) {
	tb.Helper()
	c = &Client{tb: tb, wire: wire, acks: make(map[string][]any)}
	if namespace != "/" {
		c.prefix = namespace + ","
	}
	data := ""
	if auth != nil {
		data = c.encode(auth)
	}
	wire.Send("40" + c.prefix + data)
	for {
		switch packet := wire.Next(); {
		case strings.HasPrefix(packet, "40"+c.prefix):
			var opened struct{ SID string }
			if err := json.Unmarshal([]byte(packet[2+len(c.prefix):]), &opened); err != nil || opened.SID == "" {
				tb.Fatalf("joining %s: answer %q", namespace, packet)
			}
			c.id = opened.SID
			return c, ""
		case strings.HasPrefix(packet, "44"+c.prefix):
			return nil, packet[2+len(c.prefix):]
		default:
			tb.Fatalf("joining %s: answer %q", namespace, packet)
		}
	}
}

// ID returns the socket's id.
func (c *Client) ID() string { return c.id }

// Emit sends an event. Arguments that are []byte go as attachments.
func (c *Client) Emit(event string, args ...any) {
	c.tb.Helper()
	c.emit("", event, args)
}

// Call sends an event and returns what it is acknowledged with.
func (c *Client) Call(event string, args ...any) []any {
	c.tb.Helper()
	id := strconv.Itoa(c.calls)
	c.calls++
	c.emit(id, event, args)
	for {
		if answer, ok := c.acks[id]; ok {
			delete(c.acks, id)
			return answer
		}
		c.read()
	}
}

// Wait returns the next event of that name. Others are kept.
func (c *Client) Wait(name string) []any {
	c.tb.Helper()
	for i := 0; ; i++ {
		for i >= len(c.events) {
			c.read()
		}
		if e := c.events[i]; e.Name == name {
			c.events = append(c.events[:i], c.events[i+1:]...)
			return e.Args
		}
	}
}

// Pending returns the events of that name that have come and were not waited
// for.
func (c *Client) Pending(name string) []Event {
	var found []Event
	for _, e := range c.events {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// Leave leaves the namespace.
func (c *Client) Leave() { c.wire.Send("41" + c.prefix) }

// emit sends an event, with an id if that is not empty.
func (c *Client) emit(id, event string, args []any) {
	c.tb.Helper()
	all := []any{event}
	var attachments [][]byte
	for _, arg := range args {
		if data, ok := arg.([]byte); ok {
			arg = map[string]any{"_placeholder": true, "num": len(attachments)}
			attachments = append(attachments, data)
		}
		all = append(all, arg)
	}
	if len(attachments) == 0 {
		c.wire.Send("42" + c.prefix + id + c.encode(all))
		return
	}
	c.wire.Send(fmt.Sprintf("45%d-%s%s%s", len(attachments), c.prefix, id, c.encode(all)))
	c.wire.SendBinary(attachments...)
}

func (c *Client) encode(v any) string {
	c.tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		c.tb.Fatal(err)
	}
	return string(text)
}

// read takes one packet with its attachments.
func (c *Client) read() {
	c.tb.Helper()
	packet := c.wire.Next()
	kind, rest := packet[:min(2, len(packet))], packet[min(2, len(packet)):]
	var attachments [][]byte
	if kind == "45" || kind == "46" {
		count, after, _ := strings.Cut(rest, "-")
		n, err := strconv.Atoi(count)
		if err != nil {
			c.tb.Fatalf("packet %q", packet)
		}
		for range n {
			attachments = append(attachments, []byte(strings.TrimPrefix(c.wire.Next(), "binary:")))
		}
		rest = after
	}
	rest, ours := strings.CutPrefix(rest, c.prefix)
	bracket := strings.IndexByte(rest, '[')
	var args []any
	if !ours || bracket < 0 || json.Unmarshal([]byte(rest[bracket:]), &args) != nil {
		c.tb.Fatalf("packet %q", packet)
	}
	args, _ = restore(args, attachments).([]any)
	switch {
	case kind == "43" || kind == "46":
		c.acks[rest[:bracket]] = args
	case (kind == "42" || kind == "45") && bracket == 0 && len(args) > 0:
		name, _ := args[0].(string)
		c.events = append(c.events, Event{name, args[1:]})
	default:
		c.tb.Fatalf("packet %q", packet)
	}
}

// restore puts attachments where their placeholders are.
func restore(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = restore(v[i], attachments)
		}
	case map[string]any:
		if num, ok := v["num"].(float64); ok && v["_placeholder"] == true && int(num) < len(attachments) {
			return attachments[int(num)]
		}
		for key := range v {
			v[key] = restore(v[key], attachments)
		}
	}
	return v
}
