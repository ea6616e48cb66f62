// Package adaptertest checks that an implementation of [broadcast.Adapter]
// keeps what the interface promises. Call [Run] from a test of the adapter.
package adaptertest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/sio-gnet/sio-gnet/broadcast"
	"github.com/sio-gnet/sio-gnet/internal/testkit"
)

// patience bounds every wait. Reaching it is a failure.
const patience = 20 * time.Second

// Run runs all checks as subtests. For each, it calls cluster, which sets up a
// new, empty cluster that ends with t, and returns what makes the adapters of
// one node more each time it is called.
func Run(t *testing.T, cluster func(t *testing.T) (node func() broadcast.Connect)) {
	t.Helper()
	for _, check := range []struct {
		name string
		run  func(c *fixture)
	}{
		{"Publish reaches each other node once", publishReaches},
		{"a request arrives as it was sent", publishContent},
		{"requests of one goroutine stay in order", publishOrder},
		{"requests of many goroutines all arrive", publishConcurrently},
		{"namespaces are separate", namespacesAreSeparate},
		{"a node alone", alone},
		{"Ask brings the answers of all nodes", askCollects},
		{"Ask brings answers that come late", askLate},
		{"answers come one at a time", askSerial},
		{"many ask at once", askConcurrently},
		{"Ask ends with its context", askDeadline},
		{"Ask ends early with a context that is over", askOver},
		{"Ask does not wait for a node that leaves", askLeaving},
		{"nodes come and go", nodesComeAndGo},
		{"a closed adapter", closed},
		{"a request may be answered by a request", reentrant},
	} {
		t.Run(check.name, func(t *testing.T) {
			check.run(&fixture{t: t, connect: cluster(t)})
		})
	}
}

// fixture is a cluster under test.
type fixture struct {
	t       *testing.T
	connect func() broadcast.Connect
	nodes   []*node
}

// node is one node with one namespace, which notes what it is asked to do.
type node struct {
	broadcast.Adapter
	t        *testing.T
	onHandle func(req *broadcast.Request, reply func(broadcast.Answer))

	mu  sync.Mutex
	got []*broadcast.Request
}

// Handle notes the request.
func (n *node) Handle(req *broadcast.Request, reply func(broadcast.Answer)) {
	n.mu.Lock()
	n.got = append(n.got, req)
	n.mu.Unlock()
	if n.onHandle != nil {
		n.onHandle(req, reply)
	}
}

func (n *node) requests() []*broadcast.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*broadcast.Request(nil), n.got...)
}

// join adds a node with the namespace "/", and waits until all know of it.
func (c *fixture) join(onHandle func(*broadcast.Request, func(broadcast.Answer))) *node {
	c.t.Helper()
	n := joinNamespace(c.t, c.connect(), "/", onHandle)
	c.nodes = append(c.nodes, n)
	c.settle(len(c.nodes))
	return n
}

func joinNamespace(t *testing.T, connect broadcast.Connect, ns string, onHandle func(*broadcast.Request, func(broadcast.Answer))) *node {
	t.Helper()
	n := &node{t: t, onHandle: onHandle}
	a, err := connect(ns, n)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	n.Adapter = a
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}

// settle waits until all nodes count so many nodes.
func (c *fixture) settle(want int) {
	c.t.Helper()
	for _, n := range c.nodes {
		eventually(c.t, fmt.Sprintf("a cluster of %d nodes", want), func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			count, err := n.Nodes(ctx)
			if err != nil {
				c.t.Fatalf("Nodes: %v", err)
			}
			return count == want
		})
	}
}

// ask asks and returns the answers.
func (n *node) ask(req *broadcast.Request) ([]broadcast.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var answers []broadcast.Answer
	err := n.Ask(ctx, req, func(a broadcast.Answer) { answers = append(answers, a) })
	return answers, err //nolint:wrapcheck // compared by the callers
}

func (n *node) publish(req *broadcast.Request) {
	n.t.Helper()
	if err := n.Publish(req); err != nil {
		n.t.Errorf("Publish: %v", err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	testkit.Eventually(t, patience, what, holds)
}

// event makes a request that sends an event of that name.
func event(name string) *broadcast.Request {
	return &broadcast.Request{Kind: broadcast.KindEmit, Packet: broadcast.Packet{Args: [][]byte{[]byte(name)}}}
}

// wantEvents waits until the node has these requests, and fails on others.
func (n *node) wantEvents(names ...string) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("the events %v", names), func() bool { return len(n.requests()) >= len(names) })
	var got []string
	for _, req := range n.requests() {
		got = append(got, string(req.Packet.Args[0]))
	}
	if !reflect.DeepEqual(got, names) {
		n.t.Errorf("got the events %v, want %v", got, names)
	}
}
