package siotest

import (
	"encoding/json"
	"strings"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/internal/seam"
)

// Args are the arguments of an event or an acknowledgement. Decode takes them
// apart, with []byte for binary data wherever it stands; see [sio.RawArgs]. They
// are the test's to keep.
type Args struct{ sio.RawArgs }

func newArgs(values, attachments [][]byte) Args {
	return Args{seam.RawArgs(values, attachments).(sio.RawArgs).Clone()}
}

// Any returns the arguments as encoding/json decodes them into an any, with []byte
// for binary data.
func (a Args) Any() []any {
	values := make([]any, a.Len())
	dst := make([]any, a.Len())
	for i := range values {
		dst[i] = &values[i]
	}
	if err := a.Decode(dst...); err != nil {
		return []any{err} // it was valid JSON when it came
	}
	return values
}

// String shows the arguments as JSON, with binary data in base64.
func (a Args) String() string {
	shown, err := json.Marshal(a.Any())
	if err != nil {
		return err.Error()
	}
	return string(shown)
}

// Event is what the server has emitted to a client.
type Event struct {
	Args

	Name string

	client *Client
	id     uint64
	wanted bool
}

// Ack acknowledges the event. It fails the test if the server does not ask for
// that.
func (e Event) Ack(args ...any) {
	e.client.tb.Helper()
	if !e.wanted {
		e.client.tb.Fatalf("siotest: Ack of %v: the server asks for no acknowledgement", e)
	}
	e.client.sendAck(e.id, args)
}

// String shows the event's name and arguments.
func (e Event) String() string {
	return e.Name + strings.Replace(strings.TrimSuffix(e.Args.String(), "]"), "[", "(", 1) + ")"
}

// showEvents lists events for a failure.
func showEvents(events []Event) string {
	if len(events) == 0 {
		return "nothing"
	}
	shown := make([]string, len(events))
	for i, e := range events {
		shown[i] = e.String()
	}
	return strings.Join(shown, ", ")
}
