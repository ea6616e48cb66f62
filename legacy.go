package sio

import (
	"bytes"
	"maps"
	"net/url"
	"slices"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/engine"
)

// Clients of Socket.IO 1 and 2 speak protocol 4 over Engine.IO 3. It differs
// from protocol 5 in how a namespace is joined: the server joins "/" for them as
// soon as they are connected, ids are made of the connection's, and where auth
// data go today there is a query behind the namespace's name.

// legacyProtocol is the revision of Engine.IO that such clients come with.
const legacyProtocol = 3

func (c *client) legacy() bool { return c.session.Protocol() == legacyProtocol }

// joinRoot joins "/" for a client that expects it.
func (c *client) joinRoot() {
	if err := c.onConnect(nil, socketio.Packet{Type: socketio.Connect, Namespace: []byte("/")}); err != nil {
		c.violation(err)
	}
}

// legacyID is the id of such a client's socket, which the client makes by itself
// in the same way.
func legacyID(session *engine.Session, ns *Namespace) string {
	if ns.name == "/" {
		return session.ID()
	}
	return ns.name + "#" + session.ID()
}

// cutQuery takes the query off the packet's namespace, and makes auth data of
// that of a CONNECT. Of a repeated key the last value counts.
func cutQuery(p *socketio.Packet) {
	name, query, found := bytes.Cut(p.Namespace, []byte("?"))
	if !found {
		return
	}
	p.Namespace = name
	if p.Type != socketio.Connect {
		return
	}
	values, _ := url.ParseQuery(string(query)) // it returns all that could be decoded
	p.Data = []byte{'{'}
	for i, key := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			p.Data = append(p.Data, ',')
		}
		all := values[key]
		p.Data = append(socketio.AppendString(p.Data, key), ':')
		p.Data = socketio.AppendString(p.Data, all[len(all)-1])
	}
	p.Data = append(p.Data, '}')
}

// appendConnect appends the answer to a CONNECT.
func (c *client) appendConnect(dst []byte, s *Socket) []byte {
	if c.legacy() {
		return socketio.AppendHeader(dst, socketio.Connect, s.ns.name, 0, false, 0)
	}
	return socketio.AppendConnect(dst, s.ns.name, s.id)
}

// appendRefusal appends what tells a client that a middleware refused it. To
// legacy ones that is either the data or the message.
func (c *client) appendRefusal(dst []byte, ns, message string, data []byte) []byte {
	if !c.legacy() {
		return socketio.AppendConnectError(dst, ns, message, data)
	}
	dst = socketio.AppendHeader(dst, socketio.ConnectError, ns, 0, false, 0)
	switch string(data) {
	case "", "null", "false", "0", `""`: // what is false in JavaScript
		return socketio.AppendString(dst, message)
	}
	return append(dst, data...)
}
