package sio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// attachment is a namespace's adapter; nil in it: this server is alone.
type attachment struct{ broadcast.Adapter }

// attach makes the namespace's adapter. Others may know the namespace already,
// and wait for it in cluster.
func (ns *Namespace) attach() {
	var adapter broadcast.Adapter
	if connect := ns.server.opts.Adapter; connect != nil {
		ns.server.protect("an adapter", func() {
			a, err := connect(ns.name, (*localNode)(ns))
			if err != nil {
				ns.server.report(nil, adapterError(err))
				return
			}
			adapter = a
		})
	}
	ns.adapter.Store(&attachment{adapter})
	close(ns.attached)
	ns.server.mu.RLock()
	over := ns.server.over
	ns.server.mu.RUnlock()
	if over { // it was not there when the others were closed
		ns.close()
	}
}

// cluster returns the namespace's adapter, or nil.
func (ns *Namespace) cluster() broadcast.Adapter {
	if a := ns.adapter.Load(); a != nil {
		return a.Adapter
	}
	<-ns.attached // not for long: a Connect does not block
	return ns.adapter.Load().Adapter
}

// cluster returns the adapter if b concerns other servers, too, else nil.
func (b Broadcast) cluster() broadcast.Adapter {
	if b.local || b.ns.server.opts.Adapter == nil {
		return nil
	}
	return b.ns.cluster()
}

// localNode is what an adapter sees of a namespace.
type localNode Namespace

// Handle does what another server wants. What panics here is the program's own,
// such as a MarshalJSON of a socket's data, and must not end who called.
func (n *localNode) Handle(req *broadcast.Request, reply func(broadcast.Answer)) {
	done := false
	(*Namespace)(n).server.protect("an adapter", func() {
		(*Namespace)(n).handle(req, reply)
		done = true
	})
	if !done && reply != nil {
		reply(broadcast.Answer{Last: true})
	}
}

func (ns *Namespace) handle(req *broadcast.Request, reply func(broadcast.Answer)) {
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
	b.send(p, v, b.observation(event, args))
	reply(broadcast.Answer{Clients: v.sent()})
	ns.server.handlers.Add(1)
	go func() {
		defer ns.server.handlers.Add(-1)
		ctx, cancel := ns.server.withTimeout(context.Background(), timeout+surveyGrace, ErrAckTimeout)
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

// surveyGrace is how much longer than asked for a server waits for acknowledgements:
// that time is up is for the one to say who asked, and to whom it would look as if
// the clients had left.
const surveyGrace = time.Second

// ServerSideEmit sends an event to the other servers' handlers of the namespace,
// see [Namespace.OnServerSide]; not to this one's. Without an adapter there are
// none.
func (ns *Namespace) ServerSideEmit(event string, args ...any) error {
	req, err := ns.serverRequest(event, args)
	if err != nil {
		return err
	}
	adapter := ns.cluster()
	if adapter == nil {
		return nil
	}
	if err := adapter.Publish(req); err != nil {
		return adapterError(err)
	}
	return nil
}

// ServerSideEmitWithAck sends an event to the other servers' handlers and waits
// for their acknowledgements, one of each server; a server without a handler, or
// whose handler fails, gives none and is not waited for. With an error, those that
// came are returned, too: [ErrAckTimeout] says that some are missing. Without a
// deadline of ctx, [Options].AckTimeout bounds the wait. It blocks.
func (ns *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Reply, error) {
	req, err := ns.serverRequest(event, args)
	if err != nil {
		return nil, err
	}
	adapter := ns.cluster()
	if adapter == nil {
		return nil, nil
	}
	ctx, cancel, timeout := ns.bound(ctx)
	defer cancel()
	req.Timeout = timeout
	var replies []Reply
	err = adapter.Ask(ctx, req, func(a broadcast.Answer) {
		if a.Packet.Args != nil {
			replies = append(replies, Reply{ns.server.rawArgs(a.Packet)})
		}
	})
	return replies, askError(ctx, err)
}

// askError is an adapter's error of Ask, with the reason why ctx has ended if that
// is what it says.
func askError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(context.Cause(ctx), err)
	}
	return adapterError(err)
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
		failed := true
		ns.server.protect("OnServerSide", func() {
			err := h.call(nil, args, ack)
			if failed = err != nil; failed {
				ns.server.report(nil, err)
			}
		})
		if failed && ack.Wanted() { // there will be none, unless it was sent
			_ = ack.finish(func(*pendingAck) error { reply(broadcast.Answer{Last: true}); return nil })
		}
	})
}

// NodeCount returns how many servers there are, this one included: 1 without an
// adapter. It may block.
func (ns *Namespace) NodeCount(ctx context.Context) (int, error) {
	adapter := ns.cluster()
	if adapter == nil {
		return 1, nil
	}
	n, err := adapter.Nodes(ctx)
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
	adapter := ns.cluster()
	if adapter == nil {
		return
	}
	if err := adapter.Close(); err != nil {
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
