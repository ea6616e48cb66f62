package broadcast

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// Bus connects servers of one process in memory: each server whose namespaces
// join the same Bus is a node. It is what other adapters are measured against,
// and serves to test programs that will run on several nodes.
type Bus struct {
	mu         sync.RWMutex
	namespaces map[string][]*busNode
	names      atomic.Int64
}

// NewBus returns a Bus without nodes.
func NewBus() *Bus { return &Bus{namespaces: make(map[string][]*busNode)} }

// Join makes a node's adapter of a namespace. It is a [Connect].
func (b *Bus) Join(namespace string, local Local) (Adapter, error) {
	n := &busNode{
		bus: b, namespace: namespace, local: local,
		name: "node-" + strconv.FormatInt(b.names.Add(1), 10), asks: make(map[*busAsk]struct{}),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.namespaces[namespace] = append(slices.Clip(b.namespaces[namespace]), n)
	return n, nil
}

func (b *Bus) remove(n *busNode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(b.namespaces[n.namespace]), func(o *busNode) bool { return o == n })
	if len(rest) == 0 {
		delete(b.namespaces, n.namespace)
		return
	}
	b.namespaces[n.namespace] = rest
}

// nodes returns the nodes of a namespace; the slice never changes.
func (b *Bus) nodes(namespace string) []*busNode {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.namespaces[namespace]
}

type busNode struct {
	bus       *Bus
	namespace string
	name      string
	local     Local
	closed    atomic.Bool

	mu   sync.Mutex
	asks map[*busAsk]struct{} // that wait for this node
}

// Publish hands req to the other nodes.
func (n *busNode) Publish(req *Request) error {
	if n.closed.Load() {
		return ErrClosed
	}
	for _, other := range n.bus.nodes(n.namespace) {
		if other != n && !other.closed.Load() {
			other.local.Handle(req, nil)
		}
	}
	return nil
}

// Ask hands req to the other nodes and waits for their answers.
func (n *busNode) Ask(ctx context.Context, req *Request, answer func(Answer)) error {
	if n.closed.Load() {
		return ErrClosed
	}
	a := &busAsk{answer: answer, waiting: make(map[*busNode]struct{}), done: make(chan struct{})}
	others := a.expect(n)
	for _, other := range others {
		other.local.Handle(req, func(ans Answer) { a.take(other, ans) })
	}
	defer func() {
		for _, other := range others {
			other.forget(a)
		}
	}()
	return a.wait(ctx)
}

// Nodes returns how many nodes have joined.
func (n *busNode) Nodes(context.Context) (int, error) {
	if n.closed.Load() {
		return 0, ErrClosed
	}
	return len(n.bus.nodes(n.namespace)), nil
}

// Close leaves the bus.
func (n *busNode) Close() error {
	n.mu.Lock()
	if n.closed.Swap(true) {
		n.mu.Unlock()
		return nil
	}
	asks := n.asks
	n.asks = nil
	n.mu.Unlock()
	n.bus.remove(n)
	for a := range asks {
		a.left(n)
	}
	return nil
}

// expect notes that a waits for n; false if n has left.
func (n *busNode) expect(a *busAsk) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed.Load() {
		return false
	}
	n.asks[a] = struct{}{}
	return true
}

func (n *busNode) forget(a *busAsk) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.asks, a)
}

// busAsk collects the answers to one request.
type busAsk struct {
	mu      sync.Mutex
	waiting map[*busNode]struct{}
	answer  func(Answer)
	over    bool
	done    chan struct{} // closed once nobody is waited for
}

// expect notes all nodes but the one that asks.
func (a *busAsk) expect(asking *busNode) (others []*busNode) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range asking.bus.nodes(asking.namespace) {
		if n != asking && n.expect(a) {
			others = append(others, n)
			a.waiting[n] = struct{}{}
		}
	}
	return others
}

func (a *busAsk) take(from *busNode, ans Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, waits := a.waiting[from]; !waits || a.over {
		return
	}
	ans.Node = from.name
	a.answer(ans)
	if ans.Last {
		a.drop(from)
	}
}

func (a *busAsk) left(n *busNode) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, waits := a.waiting[n]; waits {
		a.drop(n)
	}
}

func (a *busAsk) drop(n *busNode) {
	if delete(a.waiting, n); len(a.waiting) == 0 {
		close(a.done)
	}
}

func (a *busAsk) wait(ctx context.Context) error {
	a.mu.Lock()
	none := len(a.waiting) == 0
	a.mu.Unlock()
	if none {
		return nil
	}
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		return nil
	}
	a.over = true
	return &MissingError{Missing: len(a.waiting), Err: ctx.Err()}
}
