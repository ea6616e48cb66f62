package sio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sio-gnet/sio-gnet/broadcast"
)

// RemoteSocket is a socket of any server of the cluster, as it was when
// [Broadcast.FetchSockets] asked for it. Its methods act on the socket as it is.
type RemoteSocket struct {
	ID        string
	Rooms     []string
	Handshake *Handshake

	ns      *Namespace
	data    []byte // JSON, of a socket of another server
	dataErr error
}

// FetchSockets returns the selected sockets, of this server and the others, in no
// order. With an error, those that were found are returned, too; without a deadline
// of ctx, [Options].AckTimeout bounds the wait for the others. It may block if there
// is an adapter.
func (b Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	ctx, cancel, _ := b.bound(ctx)
	defer cancel()
	var (
		all  []*RemoteSocket
		errs []error
	)
	for _, ns := range b.namespaces() {
		b := b.about(ns)
		for _, s := range ns.hub.Collect(b.selection()) {
			r := &RemoteSocket{ID: s.id, Rooms: s.Rooms(), Handshake: s.Handshake(), ns: ns}
			r.data, r.dataErr = marshalData(s.Data())
			all = append(all, r)
		}
		adapter := b.cluster()
		if adapter == nil {
			continue
		}
		req := &broadcast.Request{Kind: broadcast.KindFetch, Rooms: b.rooms, Except: b.except}
		err := adapter.Ask(ctx, req, func(a broadcast.Answer) {
			for _, info := range a.Sockets {
				r := &RemoteSocket{ID: info.ID, Rooms: info.Rooms, Handshake: new(Handshake), ns: ns, data: info.Data}
				if err := json.Unmarshal(info.Handshake, r.Handshake); err != nil {
					errs = append(errs, fmt.Errorf("sio: handshake of socket %s: %w", info.ID, err))
				}
				all = append(all, r)
			}
		})
		errs = append(errs, askError(ctx, err))
	}
	return all, errors.Join(errs...)
}

// describe is what other servers are told of a socket.
func (s *Socket) describe() broadcast.SocketInfo {
	info := broadcast.SocketInfo{ID: s.id, Rooms: s.Rooms()}
	var err error
	if info.Handshake, err = json.Marshal(s.Handshake()); err != nil {
		s.ns.server.report(s, fmt.Errorf("sio: describing a socket: %w", err))
	}
	if info.Data, err = marshalData(s.Data()); err != nil {
		info.Data = nil
		s.ns.server.report(s, fmt.Errorf("sio: describing a socket: its data: %w", err))
	}
	return info
}

// marshalData encodes what the program has attached to a socket. Its own code may
// panic: that costs this socket's data only.
func marshalData(data any) (raw []byte, err error) {
	defer recoverCoding(data, &err)
	return json.Marshal(data)
}

// DecodeData stores what was attached by [Socket.SetData] in what dst points to.
// It goes through JSON, so that it is the same for sockets of other servers.
func (r *RemoteSocket) DecodeData(dst any) error {
	if r.dataErr != nil {
		return fmt.Errorf("sio: data of socket %s: %w", r.ID, r.dataErr)
	}
	if r.data == nil {
		return nil
	}
	if err := json.Unmarshal(r.data, dst); err != nil {
		return fmt.Errorf("sio: data of socket %s: %w", r.ID, err)
	}
	return nil
}

func (r *RemoteSocket) operator() Broadcast { return r.ns.To(r.ID) }

// InRoom reports whether the socket was in a room.
func (r *RemoteSocket) InRoom(room string) bool { return slices.Contains(r.Rooms, room) }

// Emit sends an event to the socket.
func (r *RemoteSocket) Emit(event string, args ...any) error {
	return r.operator().Emit(event, args...)
}

// EmitWithAck emits an event and waits for the client's answer, as
// [Broadcast.EmitWithAck] does; [ErrDisconnected] says that the socket is gone.
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Reply, error) {
	replies, err := r.operator().EmitWithAck(ctx, event, args...)
	switch {
	case err != nil:
		return Reply{}, err
	case len(replies) == 0:
		return Reply{}, ErrDisconnected
	}
	return replies[0], nil
}

// Join puts the socket into rooms.
func (r *RemoteSocket) Join(rooms ...string) error { return r.operator().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (r *RemoteSocket) Leave(rooms ...string) error { return r.operator().SocketsLeave(rooms...) }

// Disconnect disconnects the socket as [Socket.Disconnect] does.
func (r *RemoteSocket) Disconnect(all bool) error { return r.operator().DisconnectSockets(all) }
