// Package client is a client of Engine.IO (revisions 4 and 3) and Socket.IO as a state
// machine: it is told what has arrived and that connections have opened and ended, and
// says by its [IO] what is to be sent, opened and closed. It does no I/O, looks at no
// clock, starts no goroutine and has no buffer while it is idle.
//
// All clients of an event loop have a [Shared] in common, and are used on that loop
// only.
package client

import (
	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// Line is one of the connections that a client may have.
type Line uint8

// The lines. Over polling, a client that is idle has one connection, on which its
// requests follow one another; the second is opened when something is to be sent while a
// poll waits.
const (
	Poll Line = iota
	Post
	Socket // the WebSocket

	Lines = iota // how many there are
)

// IO is what a client does to its connections. Its methods return at once, and call
// no method of the client.
type IO interface {
	// Open makes a connection, which [Client.Opened] or [Client.Closed] tells of later.
	Open(Line)
	// Write sends b, which is valid during the call only.
	Write(line Line, b []byte)
	// Close ends a connection, or calls its opening off; what was written before is
	// sent as far as the kernel takes it at once, unless reset is set. The client hears
	// no more of it.
	Close(line Line, reset bool)
}

// User is told what happens to a client.
type User interface {
	// OnJoined says that the client is in its namespace and, where it is to upgrade, has.
	OnJoined(c *Client)
	// OnMessage brings an event or an acknowledgement, all of which are views that are
	// valid during the call only.
	OnMessage(c *Client, m *Received)
	// OnLost says that the client has failed or was turned away; the error is an [*Error].
	// It comes once, and last.
	OnLost(c *Client, err error)
}

type state uint8

const (
	idle    state = iota
	opening       // the Engine.IO session is not open yet
	joining       // the CONNECT is under way, or the upgrade
	joined
	gone
)

type lineState uint8

const (
	closed lineState = iota
	dialing
	open
)

// Client is one client. Its zero value is idle; it must not be copied once started.
type Client struct {
	s    *Shared
	io   IO
	user User

	sid          string
	cookies      string
	heard        int64 // when the server last gave a sign of life
	pinged       int64 // when the last ping of revision 3 was sent
	deadline     int64 // of joining
	pingInterval int32 // milliseconds
	pingTimeout  int32
	maxPayload   int32

	state     state
	lines     [Lines]lineState
	active    Line // Poll or Socket: where packets go
	connected bool // the namespace is joined
	upgraded  bool // or there is nothing to upgrade
	getting   bool // a GET is under way
	posting   bool // a POST is under way,
	postLine  Line // on this line
	shaken    bool // the WebSocket's handshake is over
	probing   bool // the WebSocket is to take over, no poll may start
	deflate   bool // permessage-deflate was agreed on
	takeover  bool // with a window that the server keeps

	queue     [][]byte // payloads that wait for a POST
	message   *message // a WebSocket message that is not complete
	window    []byte   // what compressed messages may refer to
	assembler *socketio.Assembler
}

// message is the start of a fragmented message.
type message struct {
	binary, compressed bool
	data               []byte
}

// Start begins to connect. timeout is how long joining may take, in nanoseconds.
func (c *Client) Start(s *Shared, io IO, user User, timeout int64) {
	*c = Client{s: s, io: io, user: user, state: opening, deadline: s.Now + timeout}
	c.active = Poll
	if s.cfg.Transport == WebSocket {
		c.active = Socket
	}
	c.upgraded = s.cfg.Transport != Upgrade
	c.open(c.active)
}

// Joined reports whether the client is in its namespace.
func (c *Client) Joined() bool { return c.state == joined }

// Gone reports whether the client has ended, or not begun.
func (c *Client) Gone() bool { return c.state == gone || c.state == idle }

func (c *Client) open(line Line) {
	c.lines[line] = dialing
	c.io.Open(line)
}

// Opened says that a connection is there.
func (c *Client) Opened(line Line) {
	if c.state == gone {
		return
	}
	c.lines[line] = open
	switch {
	case line == Socket:
		c.io.Write(Socket, c.upgradeRequest())
	case c.sid == "":
		c.getting = true
		c.io.Write(Poll, c.get())
	default:
		c.pump()
	}
}

// Closed says that a connection could not be made, or has ended.
func (c *Client) Closed(line Line, err error) {
	if c.state == gone {
		return
	}
	was := c.lines[line]
	c.lines[line] = closed
	switch {
	case was == dialing:
		c.fail(&Error{Kind: KindDial, Detail: err.Error()})
	case line == Socket && !c.shaken:
		c.fail(&Error{Kind: KindRefused, Detail: "the server closed the connection in place of answering the WebSocket handshake"})
	case line == Socket:
		c.fail(&Error{Kind: KindClosed, Detail: "the server closed the connection without a close frame"})
	case line == Poll && c.getting, c.posting && line == c.postLine:
		c.fail(&Error{Kind: KindClosed, Detail: "the server closed a connection with a request under way"})
	}
	// Else it was idle: another is made when it is needed.
}

// fail ends the client.
func (c *Client) fail(err *Error) {
	if c.state == gone {
		return
	}
	c.end(false)
	c.user.OnLost(c, err)
}

// end closes all lines and forgets what they held.
func (c *Client) end(reset bool) {
	c.state = gone
	for line, state := range c.lines {
		if state != closed {
			c.lines[line] = closed
			c.io.Close(Line(line), reset)
		}
	}
	c.queue, c.message, c.window, c.assembler = nil, nil, nil, nil
}

// Abort ends the client without a word, as a network that fails would. OnLost is not
// called.
func (c *Client) Abort() {
	if c.state != gone {
		c.end(true)
	}
}

// Leave ends the client as one that disconnects: it says so, as far as that is possible
// at once. OnLost is not called.
func (c *Client) Leave() {
	if c.state == gone {
		return
	}
	if c.state == joined {
		c.sayGoodbye()
	}
	c.end(false)
}

// Tick looks at the client's deadlines. It is to be called several times a second.
func (c *Client) Tick() {
	now, ms := c.s.Now, int64(1e6)
	switch c.state {
	case opening, joining:
		if now > c.deadline {
			c.fail(&Error{Kind: KindTimeout, Detail: "no answer to the " + c.waitsFor()})
		}
	case joined:
		if now > c.heard+int64(c.pingInterval+c.pingTimeout)*ms {
			c.fail(&Error{Kind: KindHeartbeat, Detail: "the server's heartbeat stayed away"})
			return
		}
		if c.s.cfg.EIO == 3 && now >= c.pinged+int64(c.pingInterval)*ms {
			c.pinged = now
			c.send(engineio.Packet{Type: engineio.Ping})
		}
	}
}

// waitsFor names the step that the client has not come past.
func (c *Client) waitsFor() string {
	switch {
	case c.lines[c.active] == dialing:
		return "TCP connection"
	case c.state == opening:
		return "Engine.IO handshake"
	case !c.connected:
		return "CONNECT to namespace " + c.s.cfg.Namespace
	}
	return "upgrade to WebSocket"
}

// Receive takes what has arrived on a line, and returns how much of it is done with: the
// rest is to be given again, with more behind it. b is overwritten.
func (c *Client) Receive(line Line, b []byte) (consumed int) {
	for consumed < len(b) && c.state != gone {
		var (
			n   int
			err error
		)
		switch {
		case line != Socket:
			n, err = c.receiveResponse(line, b[consumed:])
		case !c.shaken:
			n, err = c.receiveHandshake(b[consumed:])
		default:
			n, err = c.receiveFrame(b[consumed:])
		}
		if err != nil {
			c.fail(asError(err))
			break
		}
		if n == 0 {
			return consumed
		}
		consumed += n
	}
	return len(b)
}
