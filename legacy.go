package sio

import (
	"bytes"
	"maps"
	"net/url"
	"reflect"
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

// encodeConnect encodes the answer to a CONNECT.
func (c *client) encodeConnect(s *Socket) (packet, error) {
	switch {
	case c.legacy():
		return c.server.coding.encodeConnect(s.ns.name, "", "")
	case s.recovery != nil:
		return c.server.coding.encodeConnect(s.ns.name, s.id, s.recovery.pid)
	}
	return c.server.coding.encodeConnect(s.ns.name, s.id, "")
}

// encodeRefusal encodes what tells a client that a middleware refused it. Legacy
// ones get either the data or the message.
func (c *client) encodeRefusal(ns, message string, data any) (packet, error) {
	if !c.legacy() {
		return c.server.coding.encodeConnectError(ns, message, data)
	}
	if isFalse(data) {
		data = message
	}
	return c.server.coding.encodePayload(socketio.ConnectError, ns, data)
}

// isFalse says whether JavaScript takes a value for false.
func isFalse(data any) bool {
	if data == nil {
		return true
	}
	v := reflect.ValueOf(data)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || isFalse(v.Elem().Interface())
	case reflect.Map, reflect.Slice:
		return v.IsNil()
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.IsZero()
	}
	return false
}
