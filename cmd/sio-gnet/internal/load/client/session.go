package client

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/gobwas/ws"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/codec/socketio"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/wire"
)

// onPacket takes an Engine.IO packet that came on a line.
func (c *Client) onPacket(line Line, p engineio.Packet) error {
	if c.state == opening && p.Type != engineio.Open {
		return fmt.Errorf("%w: packet %v before the handshake", wire.ErrProtocol, p.Type)
	}
	switch p.Type {
	case engineio.Open:
		if c.state != opening {
			return fmt.Errorf("%w: a second handshake", wire.ErrProtocol)
		}
		return c.onOpen(p.Data)
	case engineio.Ping:
		c.heard = c.s.Now
		c.send(engineio.Packet{Type: engineio.Pong, Data: p.Data})
	case engineio.Pong:
		if line == Socket && c.active == Poll && string(p.Data) == "probe" {
			c.probing = true
			c.pump()
			return nil
		}
		c.heard = c.s.Now
	case engineio.Close:
		return &Error{Kind: KindClosed, Detail: "the server closed the session"}
	case engineio.Message:
		return c.onData(p)
	}
	return nil
}

// onOpen takes the handshake.
func (c *Client) onOpen(data []byte) error {
	var h struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int64    `json:"maxPayload"`
	}
	if err := json.Unmarshal(data, &h); err != nil || h.SID == "" {
		return notEngineIO(data)
	}
	const most = math.MaxInt32 / 2
	c.sid = h.SID
	c.pingInterval = int32(min(max(h.PingInterval, 1), most))
	c.pingTimeout = int32(min(max(h.PingTimeout, 1), most))
	c.maxPayload = int32(min(max(h.MaxPayload, 0), math.MaxInt32))
	c.heard, c.pinged = c.s.Now, c.s.Now
	c.state = joining
	if err := c.sendConnect(); err != nil {
		return err
	}
	if c.s.cfg.Transport == Upgrade {
		if !slices.Contains(h.Upgrades, "websocket") {
			return &Error{Kind: KindRefused, Detail: "the server offers no upgrade to WebSocket"}
		}
		c.open(Socket)
	}
	return nil
}

// sendConnect asks for the namespace. In revision 3 the server puts each client into
// the main one without being asked.
func (c *Client) sendConnect() error {
	cfg := c.s.cfg
	switch {
	case cfg.EIO == 3 && cfg.Namespace == "/":
		return nil
	case c.s.parser == nil:
		data := socketio.AppendHeader(nil, socketio.Connect, cfg.Namespace, 0, false, 0)
		c.send(engineio.Packet{Type: engineio.Message, Data: append(data, cfg.Auth...)})
		return nil
	}
	p := socketio.Packet{Type: socketio.Connect, Namespace: []byte(cfg.Namespace)}
	if cfg.Auth != nil {
		var auth any
		if err := json.Unmarshal(cfg.Auth, &auth); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		var err error
		if p.Data, err = c.s.parser.AppendValue(nil, auth); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
	}
	return c.sendParsed(p)
}

// send sends an Engine.IO packet on the active transport.
func (c *Client) send(p engineio.Packet) {
	if c.active == Socket {
		c.writePacket(p)
		return
	}
	c.enqueue(p)
	c.pump()
}

// finishUpgrade goes over to the WebSocket once no request is under way any more: the
// server answers a waiting GET for that.
func (c *Client) finishUpgrade() {
	if c.getting || c.posting {
		return
	}
	c.writeText(engineio.Packet{Type: engineio.Upgrade})
	c.active, c.upgraded, c.probing = Socket, true, false
	for _, line := range []Line{Poll, Post} {
		if c.lines[line] != closed {
			c.lines[line] = closed
			c.io.Close(line, false)
		}
	}
	queue := c.queue
	c.queue = nil
	for _, payload := range queue {
		c.resend(payload)
	}
	c.settle()
}

// resend sends the packets of a payload as WebSocket messages.
func (c *Client) resend(payload []byte) {
	packets := engineio.NewPayloadReader(payload, maxPackets)
	if c.s.cfg.EIO == 3 {
		packets = engineio.NewPayloadReaderV3(payload, maxPackets)
	}
	for {
		p, err := packets.Next()
		if err != nil { // the end: the payload is our own
			return
		}
		c.writePacket(p)
	}
}

// settle tells the user when the client is where it was to be.
func (c *Client) settle() {
	if c.state == joining && c.connected && c.upgraded {
		c.state = joined
		c.user.OnJoined(c)
	}
}

// sayGoodbye sends what a client sends that disconnects.
func (c *Client) sayGoodbye() {
	data := socketio.AppendDisconnect(nil, c.s.cfg.Namespace)
	bye := engineio.Packet{Type: engineio.Message, Data: data}
	if c.s.parser != nil {
		data, _, err := c.s.parser.AppendPacket(nil, socketio.Packet{Type: socketio.Disconnect, Namespace: []byte(c.s.cfg.Namespace)})
		if err != nil {
			return
		}
		bye = engineio.Packet{Type: engineio.Message, Binary: true, Data: data}
	}
	if c.active == Socket {
		c.writePacket(bye)
		c.writeFrame(ws.OpClose, nil)
		return
	}
	// One request, if there is a line that is free for it.
	line := Post
	if !c.getting && !c.busy(Poll) {
		line = Poll
	}
	if c.lines[line] == open && !c.busy(line) {
		body := c.appendPayload(c.appendPayload(nil, bye), engineio.Packet{Type: engineio.Close})
		c.io.Write(line, c.post(body))
	}
}
