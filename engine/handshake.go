package engine

import (
	"github.com/sio-gnet/sio-gnet/codec/engineio"
	"github.com/sio-gnet/sio-gnet/loop"
)

// open opens a session with that id, on the transport that the request asks for.
func (x *exchange) open(id string) {
	if x.upgrade {
		x.openWebSocket(id)
		return
	}
	x.openPolling(id)
}

// newSession makes a session that the connection's loop owns, and registers it.
// It is nil if the id is in use, or if its address has too many, which the sender
// was told then.
func (x *exchange) newSession(id string) *Session {
	s, r, c := x.server, x.request, x.conn
	client := s.client(c, r)
	if !s.hold(client) {
		x.tooMany("sessions", "TOO_MANY_SESSIONS", client, heldRetry)
		return nil
	}
	session := &Session{
		id: id, server: s, info: newRequestInfo(r, client, c.Loop().Now()), home: c.Loop(),
		protocol: s.protocol(r), base64: len(r.QueryValue("b64")) > 0,
	}
	session.owner.Store(c.Loop())
	if !s.sessions.add(session) {
		s.release(client)
		x.refuse(badRequest("ID_GENERATION_ERROR", "error", "engine: generated id is in use"))
		return nil
	}
	return session
}

// openPolling answers a handshake over polling.
func (x *exchange) openPolling(id string) {
	session := x.newSession(id)
	if session == nil {
		return
	}
	s := x.server
	session.polling = newPolling(x.request)
	var upgrades []string
	if !s.opts.NoUpgrade && !s.opts.NoWebSocket {
		upgrades = []string{"websocket"}
	}
	q := x.newRequest(session)
	q.first = true
	if s.opts.Cookie != nil {
		cookie := *s.opts.Cookie
		cookie.Value = id
		q.header = appendLine(q.header, "Set-Cookie", cookie.String())
	}
	x.conn.Attach(q)
	body := loop.NewBuffer()
	packets := []Message{session.openPacket(upgrades)}
	if s.opts.InitialPacket != nil {
		packets = append(packets, NewMessage(s.opts.InitialPacket, s.opts.InitialBinary))
	}
	contentType := session.appendPayload(body, packets)
	for _, m := range packets {
		m.Release()
	}
	q.respondPayload(x.conn.Loop(), contentType, body, false)
	session.start()
}

// openWebSocket answers a handshake over WebSocket.
func (x *exchange) openWebSocket(id string) {
	hs, ok := x.checkHandshake()
	if !ok {
		return
	}
	session := x.newSession(id)
	if session == nil {
		return
	}
	s, c := x.server, x.conn
	if err := c.AcceptWebSocket(hs, x.acceptHeader(true), (*socketStream)(session)); err != nil {
		session.state = stateClosed // for whoever has found it meanwhile
		session.over.Store(true)
		s.forget(session)
		s.opts.Logger.Debug("engine: websocket not accepted", "error", err)
		return
	}
	session.conn = c
	session.onWebSocket.Store(true)
	session.writeFrame(session.openPacket(nil))
	if s.opts.InitialPacket != nil {
		session.writeFrame(NewMessage(s.opts.InitialPacket, s.opts.InitialBinary))
	}
	session.start()
}

// checkHandshake answers a WebSocket handshake that is not valid.
func (x *exchange) checkHandshake() (hs loop.Handshake, ok bool) {
	hs, refused := loop.CheckHandshake(x.request)
	if refused == nil {
		return hs, true
	}
	x.server.stats.refuse(CodeBadRequest)
	x.server.opts.Logger.Debug("engine: websocket handshake refused", "reason", string(refused.Body), "remote", x.conn.RemoteAddr())
	x.respond(*refused)
	return hs, false
}

// acceptHeader returns the further lines of a 101.
func (x *exchange) acceptHeader(first bool) []byte {
	res := loop.Response{Header: x.header}
	x.server.editHeaders(&res, x.hooked(), first)
	return res.Header
}

// openPacket returns the packet that a session begins with.
func (s *Session) openPacket(upgrades []string) Message {
	o := &s.server.opts
	b := Begin(false)
	b.B[len(b.B)-1] = byte(engineio.Open)
	b.B = engineio.AppendHandshake(b.B, engineio.Handshake{
		SID: s.id, Upgrades: upgrades,
		PingInterval: o.PingInterval, PingTimeout: o.PingTimeout, MaxPayload: o.MaxPayload,
	})
	return Seal(b, false)
}

// start begins the life of a session whose handshake was answered.
func (s *Session) start() {
	server := s.server
	server.stats.open.Add(1)
	server.stats.opened.Add(1)
	s.startHeartbeat()
	s.receiver = server.handler.OnOpen(s)
	if server.closing.Load() { // CloseAll may not have seen it yet
		s.Discard()
	}
}

// considerUpgrade takes a WebSocket handshake for a session that exists: the
// WebSocket becomes the candidate to upgrade to.
func (x *exchange) considerUpgrade(s *Session) {
	hs, ok := x.checkHandshake()
	if !ok {
		return
	}
	if x.server.opts.NoUpgrade {
		x.refuse(badRequest("TRANSPORT_MISMATCH", "transport", "websocket", "previousTransport", s.Transport()))
		return
	}
	k := &candidate{session: s, conn: x.conn, base64: len(x.request.QueryValue("b64")) > 0}
	if err := x.conn.AcceptWebSocket(hs, x.acceptHeader(false), k); err != nil {
		x.server.opts.Logger.Debug("engine: websocket not accepted", "error", err)
		return
	}
	k.toOwner(&candidateTask{candidate: k, event: candidateOpen})
}
