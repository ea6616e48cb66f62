package siotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// link is the connection that the clients of one user share, one for each
// namespace: what the clients in JavaScript call a manager. It outlives the
// connections that it has one after the other.
type link struct {
	tb       testing.TB
	endpoint *endpoint
	options  *options
	patience time.Duration

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when anything below changes
	conn    *Conn         // nil while there is none
	clients map[string]*Client
	probes  map[string]bool // namespaces that fences ask for; true once answered
	closed  bool

	tasks sync.WaitGroup // readers, and handlers of clients
	all   []*Conn
}

func newLink(tb testing.TB, e *endpoint, o *options) *link {
	tb.Helper()
	l := &link{
		tb: tb, endpoint: e, options: o, patience: o.patience, changed: make(chan struct{}),
		clients: make(map[string]*Client), probes: make(map[string]bool),
	}
	tb.Cleanup(l.close)
	return l
}

// open makes a connection, unless there is one.
func (l *link) open() error {
	l.tb.Helper()
	l.mu.Lock()
	present := l.conn != nil
	l.mu.Unlock()
	if present {
		return nil
	}
	c, err := dialConn(l.tb, l.endpoint, l.options)
	if err != nil {
		return err
	}
	c.transport.attend(true)
	l.mu.Lock()
	l.conn = c
	l.all = append(l.all, c)
	l.mu.Unlock()
	l.tasks.Go(func() { l.read(c) })
	return nil
}

// close ends all connections and waits for what still runs.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	all := l.all
	l.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
	done := make(chan struct{})
	go func() {
		l.tasks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(l.patience):
		l.tb.Errorf("siotest: a handler of a client still runs %v after the test", l.patience)
	}
}

// change does something to what mu guards and tells who waits for it.
func (l *link) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// await waits until holds, which is called with mu held, returns true. It returns
// false after the link's patience.
func (l *link) await(holds func() bool) bool {
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	for {
		l.mu.Lock()
		ok, changed := holds(), l.changed
		l.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}

// work counts what goes on beside the reading, until the function that it returns
// is called.
func (l *link) work() (done func()) {
	m := l.endpoint.memory
	if m == nil {
		return func() {}
	}
	m.working.Add(1)
	return func() { m.working.Add(-1) }
}

var (
	errNotConnected  = errors.New("not connected")
	errLost          = errors.New("the connection ended")
	errClosedBy      = errors.New("the server closed the session")
	errUnknownPacket = errors.New("a packet that no server sends")
)

// send sends a packet with its attachments.
func (l *link) send(packets ...message) error {
	l.mu.Lock()
	c := l.conn
	l.mu.Unlock()
	if c == nil {
		return errNotConnected
	}
	return c.transport.write(packets...)
}

// read takes what comes over a connection to its end.
func (l *link) read(c *Conn) {
	var (
		partial socketio.Assembler
		err     error
	)
	for err == nil {
		var m message
		if m, err = c.read(); err == nil {
			err = l.onMessage(&partial, m)
		}
	}
	reason := ReasonTransportClose
	if errors.Is(err, errUnknownPacket) {
		reason = ReasonParseError
		l.tb.Errorf("siotest: %v", err)
	}
	l.lost(c, reason)
	c.Close()
	c.transport.attend(false)
}

// lost ends all clients of a connection, unless that is another one by now.
func (l *link) lost(c *Conn, reason Reason) {
	l.change(func() {
		if l.conn != c {
			return
		}
		l.conn = nil
		for _, client := range l.clients {
			client.end(reason)
		}
	})
}

// giveUp cuts a connection that takes nothing any more.
func (l *link) giveUp() {
	l.mu.Lock()
	c := l.conn
	l.mu.Unlock()
	if c != nil {
		l.lost(c, ReasonTransportClose)
		c.Close()
	}
}

// limits of what is taken from a server.
var limits = socketio.Limits{Attachments: 1 << 16, Depth: 1 << 12, Args: 1 << 20}

const maxPacket = 256 << 20

func (l *link) onMessage(partial *socketio.Assembler, m message) error {
	if partial.Pending() || m.binary {
		return l.onAttachment(partial, m)
	}
	if len(m.data) == 0 {
		return fmt.Errorf("%w: an empty one", errUnknownPacket)
	}
	switch m.data[0] {
	case '1':
		return errClosedBy
	case '4':
	default:
		return nil
	}
	p, err := socketio.Decode(m.data[1:], nil, limits)
	if err == nil && p.Attachments > 0 {
		if err = partial.Start(m.data[1:], p, maxPacket); err == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %q: %w", errUnknownPacket, m.data, err)
	}
	l.onPacket(p, nil)
	return nil
}

func (l *link) onAttachment(partial *socketio.Assembler, m message) error {
	if !partial.Pending() || !m.binary {
		return fmt.Errorf("%w: %q among attachments", errUnknownPacket, m)
	}
	done, err := partial.Add(m.data)
	if err == nil && done {
		var (
			p           socketio.Packet
			attachments [][]byte
		)
		if p, attachments, err = partial.Take(limits); err == nil {
			l.onPacket(p, attachments)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnknownPacket, err)
	}
	return nil
}

func (l *link) onPacket(p socketio.Packet, attachments [][]byte) {
	l.change(func() {
		name := string(p.Namespace)
		if _, ok := l.probes[name]; ok {
			l.probes[name] = true
			return
		}
		c := l.clients[name]
		switch {
		case c == nil:
		case p.Type == socketio.Connect:
			c.onConnect(p.Data)
		case p.Type == socketio.ConnectError:
			c.onConnectError(p.Data)
		case p.Type == socketio.Disconnect:
			c.end(ReasonServerDisconnect)
		case p.Type.IsEvent():
			c.onEvent(p, attachments)
		case p.Type.IsAck():
			c.onAck(p, attachments)
		}
	})
}

var fences atomic.Uint64

// fence waits until all that the server has sent so far has come. In memory, that
// is known; else it asks for a namespace that there is not: the answer comes
// behind all else.
func (l *link) fence() error {
	if l.endpoint.fence != nil {
		return l.endpoint.fence()
	}
	name := "/siotest-fence-" + strconv.FormatUint(fences.Add(1), 10)
	l.mu.Lock()
	c := l.conn
	l.probes[name] = false
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.probes, name)
		l.mu.Unlock()
	}()
	if c == nil {
		return nil // all has come that will
	}
	if c.transport.write(text("40"+name+",")) != nil {
		return nil // as above
	}
	if !l.await(func() bool { return l.probes[name] || l.conn != c }) {
		return fmt.Errorf("the server did not answer within %v", l.patience)
	}
	return nil
}

// connectError is the content of a CONNECT_ERROR packet: an object, or a text in
// revision 4 of the protocol.
func connectError(data []byte) *ConnectError {
	e := new(ConnectError)
	if json.Unmarshal(data, e) != nil && json.Unmarshal(data, &e.Message) != nil {
		e.Message = string(data)
	}
	return e
}
