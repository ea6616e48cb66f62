package broadcast

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Adapter connects one namespace of a server with the same namespace of the
// other servers ("nodes") of a cluster. What concerns this node alone is done
// without it. All methods may be called from any goroutine. The package
// adaptertest checks that an implementation keeps what is promised here.
type Adapter interface {
	// Publish hands a request to all other nodes, and asks for no answers. It does
	// not wait for them. Requests published by one goroutine reach each node in that
	// order. req must not be changed afterwards, by either side.
	Publish(req *Request) error
	// Ask hands a request to all other nodes and calls answer with what they
	// answer, one call at a time, and none after it has returned. It blocks until
	// each node has given its last answer or has left the cluster. When ctx ends
	// first, it returns a [*MissingError]; ctx should have a deadline.
	Ask(ctx context.Context, req *Request, answer func(Answer)) error
	// Nodes returns how many nodes the cluster has, this one included. It may
	// block.
	Nodes(ctx context.Context) (int, error)
	// Close leaves the cluster: this node gets no more requests, and nobody waits
	// for its answers. It may be called more than once. Afterwards the other
	// methods return [ErrClosed].
	Close() error
}

// Connect makes the adapter of a namespace. It is called once for each, when
// the namespace is made, and must not block, nor use that namespace: a connection
// may be set up behind it.
type Connect func(namespace string, local Local) (Adapter, error)

// Local is this node's side of a namespace, on which an adapter acts for the
// other nodes.
type Local interface {
	// Handle does what another node wants. It does not block, and may be called
	// from any goroutine; what is to happen in order must be handed over in order.
	// For a request of Ask, reply is not nil and is called with the answers, from
	// any goroutine, even before Handle returns; the last one has Last set. reply must
	// not block: an event loop may call it.
	Handle(req *Request, reply func(Answer))
}

// Kind is what a Request is about.
type Kind uint8

// The kinds of requests.
const (
	// KindEmit sends Packet as an event to the selected sockets. When asked, a
	// node first answers with the number of Clients, then with the Packet of each
	// acknowledgement; with the last when all have come or can't come any more.
	KindEmit Kind = iota + 1
	// KindJoin and KindLeave put the selected sockets into Names, or take them out.
	KindJoin
	KindLeave
	// KindDisconnect disconnects the selected sockets, and with Close their
	// clients.
	KindDisconnect
	// KindFetch is answered with the selected Sockets.
	KindFetch
	// KindServer is an event among servers; it is answered with the Packet of the
	// handler's acknowledgement.
	KindServer
)

// Request is what one node wants of the others. It consists of plain data, so
// that it can be encoded in any way. Empty Rooms select all sockets of the
// namespace but those in Except.
type Request struct {
	Kind     Kind
	Rooms    []string
	Except   []string
	Names    []string
	Packet   Packet
	Timeout  time.Duration // how long acknowledgements are waited for
	Volatile bool
	Plain    bool // not to be compressed
	Close    bool
}

// Packet is the content of an event or acknowledgement, in the encoding of the
// servers' parser; an event's name comes first.
type Packet struct {
	Args        [][]byte
	Attachments [][]byte
}

// Answer is a part of what a node answers.
type Answer struct {
	Node    string // who answers, a name that is unique in the cluster
	Clients int
	Packet  Packet // without Args if the answer has none
	Sockets []SocketInfo
	Last    bool // the node has nothing to add
}

// SocketInfo describes a socket to other nodes.
type SocketInfo struct {
	ID        string
	Rooms     []string
	Handshake []byte // JSON
	Data      []byte // JSON
}

// ErrClosed is returned by adapters that have left their cluster.
var ErrClosed = errors.New("broadcast: adapter closed")

// MissingError says that Ask ended before all nodes had answered.
type MissingError struct {
	Missing int   // nodes
	Err     error // why it ended: the context's error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("broadcast: %d nodes have not answered: %v", e.Missing, e.Err)
}

// Unwrap returns why it ended.
func (e *MissingError) Unwrap() error { return e.Err }
