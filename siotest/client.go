package siotest

import (
	"encoding/json"
	"fmt"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// Reason says why a client is not connected any more, in the words of the client
// in JavaScript.
type Reason string

// The reasons that occur.
const (
	ReasonServerDisconnect Reason = "io server disconnect" // the server sent the client away
	ReasonClientDisconnect Reason = "io client disconnect" // Client.Disconnect
	ReasonTransportClose   Reason = "transport close"      // the connection ended, or Client.Cut
	ReasonParseError       Reason = "parse error"          // the server sent what is no packet
	ReasonDropped          Reason = "dropped"              // Client.Drop
)

// Client is a client in one namespace. Events that come are kept until they are
// asked for. Whatever goes wrong, or does not come in time, fails the test that
// the client was made for. All methods may be called from any goroutine, but what
// fails a test is for the test's own, as ever.
type Client struct {
	tb        testing.TB
	link      *link
	namespace string
	auth      json.RawMessage

	// The link's mutex guards all below.
	state       clientState
	reason      Reason
	refusal     *ConnectError
	id          string
	pid, offset string // for state recovery
	recovered   bool
	events      []Event // that came and were not asked for
	handlers    map[string]func(Event)
	jobs        []Event // for handlers
	running     bool
	calls       uint64
	answers     map[uint64]*Args // of calls under way; nil until it comes
}

type clientState uint8

const (
	stateConnecting clientState = iota
	stateConnected
	stateOver
)

// connect connects a client to a namespace over the link.
func (l *link) connect(tb testing.TB, o *options) (*Client, error) {
	tb.Helper()
	c := &Client{
		tb: tb, link: l, namespace: o.namespace, auth: o.auth,
		handlers: make(map[string]func(Event)), answers: make(map[uint64]*Args),
	}
	l.mu.Lock()
	other := l.clients[o.namespace]
	if other == nil || other.state == stateOver {
		l.clients[o.namespace], other = c, nil
	}
	l.mu.Unlock()
	if other != nil {
		return nil, fmt.Errorf("the connection is in %s already", o.namespace)
	}
	if err := c.join(); err != nil {
		return nil, err
	}
	return c, nil
}

// join asks for the namespace and waits for the answer.
func (c *Client) join() error {
	c.tb.Helper()
	l := c.link
	l.mu.Lock()
	c.state, c.reason, c.refusal = stateConnecting, "", nil
	packet, err := c.connectPacket()
	l.mu.Unlock()
	if err != nil {
		c.tb.Fatalf("siotest: %v", err)
	}
	if err := l.send(text(packet)); err != nil {
		l.giveUp()
		return fmt.Errorf("%w: connecting to %s: %w", errLost, c.namespace, err)
	}
	switch answered := l.await(func() bool { return c.state != stateConnecting }); {
	case !answered:
		return fmt.Errorf("the server did not answer within %v", l.patience)
	case c.refusal != nil:
		return c.refusal
	case c.reason != "":
		return fmt.Errorf("%w before %s was joined: %s", errLost, c.namespace, c.reason)
	}
	return nil
}

// connectPacket returns the CONNECT packet. With mu held.
func (c *Client) connectPacket() (string, error) {
	packet := "40" + namespacePrefix(c.namespace)
	if c.pid == "" {
		return packet + string(c.auth), nil
	}
	data := map[string]any{}
	if c.auth != nil {
		if err := json.Unmarshal(c.auth, &data); err != nil {
			return "", fmt.Errorf("Auth must be an object: %w", err)
		}
	}
	data["pid"] = c.pid
	if c.offset != "" {
		data["offset"] = c.offset
	}
	all, err := json.Marshal(data)
	return packet + string(all), err //nolint:wrapcheck // it was JSON
}

// onConnect takes the answer to CONNECT, with mu held, as all methods do that
// begin with "on".
func (c *Client) onConnect(data []byte) {
	var answer struct{ SID, PID string }
	if err := json.Unmarshal(data, &answer); err != nil || answer.SID == "" {
		c.refusal = &ConnectError{Message: "the answer has no sid", Data: data}
		c.state = stateOver
		return
	}
	c.recovered = answer.PID != "" && answer.PID == c.pid
	c.id, c.pid, c.state = answer.SID, answer.PID, stateConnected
}

func (c *Client) onConnectError(data []byte) {
	if c.state == stateConnecting {
		c.refusal, c.state = connectError(data), stateOver
	}
}

func (c *Client) onAck(p socketio.Packet, attachments [][]byte) {
	if answer, waits := c.answers[p.ID]; waits && answer == nil {
		args := newArgs(p.Args, attachments)
		c.answers[p.ID] = &args
	}
}

func (c *Client) onEvent(p socketio.Packet, attachments [][]byte) {
	name, err := socketio.EventName(p.Args[0])
	if err != nil || c.state == stateOver {
		return // Decode has looked at the name
	}
	e := Event{Args: newArgs(p.Args[1:], attachments), Name: string(name), client: c, id: p.ID, wanted: p.HasID}
	if n := e.Len(); c.pid != "" && n > 0 {
		var offset string
		if json.Unmarshal(e.JSON(n-1), &offset) == nil && e.JSON(n - 1)[0] == '"' {
			c.offset = offset
		}
	}
	if c.handlers[e.Name] == nil {
		c.events = append(c.events, e)
		return
	}
	c.jobs = append(c.jobs, e)
	if !c.running {
		c.running = true
		c.startHandlers()
	}
}

// end ends the client, with mu held.
func (c *Client) end(reason Reason) {
	if c.state != stateOver {
		c.state, c.reason = stateOver, reason
	}
}

// startHandlers runs handlers on a goroutine as long as there are events for
// them. With mu held.
func (c *Client) startHandlers() {
	done := c.link.work()
	c.link.tasks.Go(func() {
		defer done()
		for c.handleOne() {
		}
	})
}

// handleOne hands an event to its handler, and keeps it then. If a handler ends
// its goroutine, by failing the test, another one goes on.
func (c *Client) handleOne() (more bool) {
	l := c.link
	l.mu.Lock()
	if len(c.jobs) == 0 || l.closed {
		c.running = false
		l.mu.Unlock()
		return false
	}
	e := c.jobs[0]
	c.jobs = c.jobs[1:]
	handle := c.handlers[e.Name]
	l.mu.Unlock()
	returned := false
	defer l.change(func() {})
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.events = append(c.events, e)
		if !returned {
			c.startHandlers()
		}
	}()
	if handle != nil {
		handle(e)
	}
	returned = true
	return true
}

// ID returns the socket's id, which the server knows it by.
func (c *Client) ID() string {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.id
}

// Connected reports whether the client is connected.
func (c *Client) Connected() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.state == stateConnected
}

// Recovered reports whether the server has restored the client's state when it
// connected again.
func (c *Client) Recovered() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.recovered
}

// On sets a function to be called with each event of that name, in order, on a
// goroutine of the client's. [Client.Expect] gets the event after that.
func (c *Client) On(event string, f func(args Args)) {
	c.handle(event, func(e Event) { f(e.Args) })
}

// OnCall sets a function that answers each event of that name, if the server asks
// for an acknowledgement; see [Client.On].
func (c *Client) OnCall(event string, f func(args Args) []any) {
	c.handle(event, func(e Event) {
		if answer := f(e.Args); e.wanted {
			c.sendAck(e.id, answer)
		}
	})
}

func (c *Client) handle(event string, f func(Event)) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.handlers[event] = f
}

// Emit sends an event. A []byte goes as binary data, wherever it stands. Over
// polling, the server has taken it when Emit returns.
func (c *Client) Emit(event string, args ...any) {
	c.tb.Helper()
	c.sendEvent(event, args, 0, false)
}

// Ask sends an event and asks for an acknowledgement. The function that it returns
// waits for that, and returns its arguments.
func (c *Client) Ask(event string, args ...any) (answer func() Args) {
	c.tb.Helper()
	l := c.link
	l.mu.Lock()
	id := c.calls
	c.calls++
	c.answers[id] = nil
	l.mu.Unlock()
	c.sendEvent(event, args, id, true)
	return func() Args {
		c.tb.Helper()
		var got *Args
		l.await(func() bool {
			got = c.answers[id]
			return got != nil || c.state == stateOver
		})
		if got == nil {
			c.failWaiting(fmt.Sprintf("the acknowledgement of %q", event))
		}
		return *got
	}
}

// Call sends an event, waits for its acknowledgement, and returns the arguments of
// that.
func (c *Client) Call(event string, args ...any) Args {
	c.tb.Helper()
	return c.Ask(event, args...)()
}

func (c *Client) sendEvent(event string, args []any, id uint64, hasID bool) {
	c.tb.Helper()
	c.send(socketio.Event, append([]any{event}, args...), id, hasID)
}

func (c *Client) sendAck(id uint64, args []any) {
	c.tb.Helper()
	c.send(socketio.Ack, args, id, true)
}

func (c *Client) send(t socketio.PacketType, args []any, id uint64, hasID bool) {
	c.tb.Helper()
	raw, err := sio.MakeRawArgs(args...)
	if err != nil {
		c.tb.Fatalf("siotest: %v", err)
	}
	attachments := raw.Attachments()
	switch {
	case len(attachments) == 0:
	case t == socketio.Event:
		t = socketio.BinaryEvent
	default:
		t = socketio.BinaryAck
	}
	b := socketio.AppendHeader([]byte("4"), t, c.namespace, id, hasID, len(attachments))
	b = append(b, '[')
	for i := range raw.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, raw.JSON(i)...)
	}
	packets := []message{{data: append(b, ']')}}
	for _, a := range attachments {
		packets = append(packets, message{data: a, binary: true})
	}
	c.link.mu.Lock()
	over, reason := c.state != stateConnected, c.reason
	c.link.mu.Unlock()
	if over {
		c.tb.Fatalf("siotest: sending %q: the client is not connected: %s", packets[0], reason)
	}
	if err := c.link.send(packets...); err != nil {
		c.tb.Fatalf("siotest: sending %q: %v", packets[0], err)
	}
}
