package sio

import (
	"context"
	"fmt"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// localNode is what an adapter sees of a namespace.
type localNode Namespace

// Handle does what another server wants.
func (n *localNode) Handle(req *broadcast.Request, reply func(broadcast.Answer)) {
	ns := (*Namespace)(n)
	b := Broadcast{ns: ns, rooms: req.Rooms, except: req.Except, volatile: req.Volatile, plain: req.Plain, local: true}
	var sockets []broadcast.SocketInfo
	switch req.Kind {
	case broadcast.KindEmit:
		ns.handleEmit(b, req, reply)
		return
	case broadcast.KindServer:
		ns.handleServerEvent(req, reply)
		return
	case broadcast.KindJoin:
		_ = b.SocketsJoin(req.Names...) // local operations don't fail
	case broadcast.KindLeave:
		_ = b.SocketsLeave(req.Names...)
	case broadcast.KindDisconnect:
		_ = b.DisconnectSockets(req.Close)
	case broadcast.KindFetch:
		for _, s := range ns.hub.Collect(b.selection()) {
			sockets = append(sockets, s.describe())
		}
	}
	if reply != nil {
		reply(broadcast.Answer{Sockets: sockets, Last: true})
	}
}

// handleEmit emits another server's event, and collects acknowledgements for it.
func (ns *Namespace) handleEmit(b Broadcast, req *broadcast.Request, reply func(broadcast.Answer)) {
	event, args, err := ns.server.eventOf(req.Packet)
	if err == nil && reply == nil {
		err = b.emitRaw(event, args)
	}
	if err != nil {
		ns.server.report(nil, fmt.Errorf("sio: an event of another server: %w", err))
	}
	switch {
	case reply == nil:
	case err != nil:
		reply(broadcast.Answer{Last: true})
	default:
		ns.handleSurvey(b, event, args, req.Timeout, reply)
	}
}

func (ns *Namespace) handleSurvey(b Broadcast, event string, args RawArgs, timeout time.Duration, reply func(broadcast.Answer)) {
	v := newSurvey(ns, func(args RawArgs) { reply(broadcast.Answer{Packet: args.packet()}) })
	p, err := encodeRawEvent(ns, event, args, v.id, true)
	if err != nil {
		ns.server.report(nil, fmt.Errorf("sio: an event of another server: %w", err))
		reply(broadcast.Answer{Last: true})
		return
	}
	if b.plain {
		p = p.uncompressed()
	}
	b.fanOut(p, v, b.observation(event, args))
	p.release()
	v.mu.Lock()
	asked := v.asked
	v.mu.Unlock()
	reply(broadcast.Answer{Clients: asked})
	v.sent()
	ns.server.handlers.Add(1)
	go func() {
		defer ns.server.handlers.Add(-1)
		ctx, cancel := ns.server.withTimeout(context.Background(), timeout, ErrAckTimeout)
		defer cancel()
		select {
		case <-v.done:
		case <-ctx.Done():
		case <-ns.server.ended:
		}
		v.stop()
		reply(broadcast.Answer{Last: true})
	}()
}

// ServerSideEmit sends an event to the other servers' handlers of the namespace,
// see [Namespace.OnServerSide]; not to this one's. Without an adapter there are
// none.
func (ns *Namespace) ServerSideEmit(event string, args ...any) error {
	req, err := ns.serverRequest(event, args)
	if err != nil || ns.adapter == nil {
		return err
	}
	if err := ns.adapter.Publish(req); err != nil {
		return adapterError(err)
	}
	return nil
}

// ServerSideEmitWithAck sends an event to the other servers' handlers and waits
// for their acknowledgements, one of each server. With an error, those that came
// are returned, too. Without a deadline of ctx, [Options].AckTimeout bounds the
// wait. It blocks.
func (ns *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Reply, error) {
	req, err := ns.serverRequest(event, args)
	if err != nil || ns.adapter == nil {
		return nil, err
	}
	ctx, cancel, timeout := ns.bound(ctx)
	defer cancel()
	req.Timeout = timeout
	var replies []Reply
	err = ns.adapter.Ask(ctx, req, func(a broadcast.Answer) {
		if a.Packet.Args != nil {
			replies = append(replies, Reply{ns.server.rawArgs(a.Packet)})
		}
	})
	if err != nil {
		return replies, adapterError(err)
	}
	return replies, nil
}

func (ns *Namespace) serverRequest(event string, args []any) (*broadcast.Request, error) {
	if reservedServerSide(event) {
		return nil, fmt.Errorf("%w: %q", ErrReservedEvent, event)
	}
	raw, err := ns.server.coding.makeRaw(args)
	if err != nil {
		return nil, err
	}
	return &broadcast.Request{Kind: broadcast.KindServer, Packet: eventPacket(event, raw)}, nil
}

// reservedServerSide reports whether servers can't send each other an event.
func reservedServerSide(event string) bool {
	switch event {
	case "connection", "new_namespace":
		return true
	}
	return socketio.Reserved(event)
}

// OnServerSide sets the handler of an event that other servers send by
// [Namespace.ServerSideEmit]. It is a function as for [Socket.On], without a
// socket. Handlers run one at a time, in the order of the events.
func (ns *Namespace) OnServerSide(event string, handler any) error {
	h, err := newServerHandler(event, handler)
	if err != nil {
		ns.server.report(nil, err)
		return err
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.serverEvents.set(event, h)
	return nil
}

func (ns *Namespace) handleServerEvent(req *broadcast.Request, reply func(broadcast.Answer)) {
	event, args, err := ns.server.eventOf(req.Packet)
	if err != nil {
		ns.server.report(nil, fmt.Errorf("sio: an event of another server: %w", err))
	}
	h := ns.serverEvents.get([]byte(event))
	if h == nil || err != nil {
		if reply != nil {
			reply(broadcast.Answer{Last: true}) // nobody here will answer
		}
		return
	}
	var ack Ack
	if reply != nil {
		ack = newRemoteAck(ns, func(args RawArgs) {
			reply(broadcast.Answer{Packet: args.packet(), Last: true})
		})
	}
	ns.serverJobs.push(func() {
		ns.server.protect(func() {
			if err := h.call(nil, args, ack); err != nil {
				ns.server.report(nil, err)
			}
		})
	})
}

// NodeCount returns how many servers there are, this one included: 1 without an
// adapter. It may block.
func (ns *Namespace) NodeCount(ctx context.Context) (int, error) {
	if ns.adapter == nil {
		return 1, nil
	}
	n, err := ns.adapter.Nodes(ctx)
	if err != nil {
		return 0, adapterError(err)
	}
	return n, nil
}

func adapterError(err error) error { return fmt.Errorf("sio: adapter: %w", err) }

// close ends what the namespace has beside its sockets.
func (ns *Namespace) close() {
	if ns.log != nil {
		ns.log.close()
	}
	if ns.adapter == nil {
		return
	}
	if err := ns.adapter.Close(); err != nil {
		ns.server.report(nil, adapterError(err))
	}
}

// eventPacket is an event in the form that servers send each other.
func eventPacket(event string, args RawArgs) broadcast.Packet {
	p := args.packet()
	p.Args = append([][]byte{socketio.AppendString(nil, event)}, p.Args...)
	return p
}

// packet returns a copy of the arguments for other servers.
func (r RawArgs) packet() broadcast.Packet {
	c := r.Clone()
	if c.values == nil {
		c.values = [][]byte{}
	}
	return broadcast.Packet{Args: c.values, Attachments: c.attachments}
}

func (s *Server) rawArgs(p broadcast.Packet) RawArgs { return RawArgs{p.Args, p.Attachments, s.coding} }

// eventOf takes an event of another server apart.
func (s *Server) eventOf(p broadcast.Packet) (event string, args RawArgs, err error) {
	if len(p.Args) == 0 {
		return "", RawArgs{}, fmt.Errorf("%w: an event without name", ErrPacket)
	}
	name, err := socketio.EventName(p.Args[0])
	if err != nil {
		return "", RawArgs{}, fmt.Errorf("%w: %w", ErrPacket, err)
	}
	args = s.rawArgs(p)
	args.values = args.values[1:]
	return string(name), args, nil
}
