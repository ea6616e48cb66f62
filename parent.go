package sio

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/sio-gnet/sio-gnet/loop"
)

// ParentNamespace makes namespaces as clients ask for them, its children. A
// child has the middlewares and handlers that the parent had when the child was
// made; later ones are not inherited.
//
// All that [Broadcast] offers acts on the sockets of all children:
// parent.Emit, parent.To("room").Emit, parent.FetchSockets and so on.
type ParentNamespace struct {
	Broadcast
	registry

	pattern *regexp.Regexp
	match   func(ctx context.Context, name string, auth json.RawMessage) bool

	childrenMu sync.RWMutex
	children   map[string]*Namespace
}

// OfPattern returns a parent of the namespaces whose names, leading slash
// included, match a pattern. It is asked after the namespaces that exist, and
// after parents that were made before.
func (s *Server) OfPattern(pattern *regexp.Regexp) *ParentNamespace {
	if pattern == nil {
		panic("sio: OfPattern without a pattern")
	}
	return s.addParent(&ParentNamespace{pattern: pattern})
}

// OfFunc returns a parent of the namespaces that match says yes to. match may
// block: it runs on a goroutine, and ctx ends with the client and after
// [Options].HookTimeout. auth is what the client sent, "{}" if nothing. match is
// asked after the namespaces that exist, and after parents that were made before;
// only for clients, not by [Server.Of].
func (s *Server) OfFunc(match func(ctx context.Context, name string, auth json.RawMessage) bool) *ParentNamespace {
	if match == nil {
		panic("sio: OfFunc without a function")
	}
	return s.addParent(&ParentNamespace{match: match})
}

func (s *Server) addParent(p *ParentNamespace) *ParentNamespace {
	p.server = s
	p.Broadcast = Broadcast{parent: p}
	p.children = make(map[string]*Namespace)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parents = append(slices.Clip(s.parents), p)
	return p
}

// Children returns the namespaces that were made so far and still exist, in no
// order.
func (p *ParentNamespace) Children() []*Namespace {
	p.childrenMu.RLock()
	defer p.childrenMu.RUnlock()
	return slices.AppendSeq(make([]*Namespace, 0, len(p.children)), maps.Values(p.children))
}

// adopt makes ns, which nobody knows yet, a child of p.
func (p *ParentNamespace) adopt(ns *Namespace) {
	ns.parent = p
	ns.inherit(&p.registry)
	p.childrenMu.Lock()
	p.children[ns.name] = ns
	p.childrenMu.Unlock()
}

// child returns the child of that name, and makes it if there is none.
func (s *Server) child(p *ParentNamespace, name string) *Namespace {
	s.mu.Lock()
	ns := s.namespaces[name]
	if ns != nil { // somebody was faster
		ns.enter()
		s.mu.Unlock()
		<-ns.ready
		return ns
	}
	ns = s.addNamespace(name, p)
	ns.enter()
	s.mu.Unlock()
	ns.open()
	return ns
}

// enter counts a client that is about to be in ns. Under the server's lock, so
// that ns is not removed meanwhile.
func (ns *Namespace) enter() {
	if ns.parent != nil {
		ns.users.Add(1)
	}
}

// leave ends what enter began, and removes a child that is empty now if the
// server is to do so.
func (ns *Namespace) leave() {
	if ns.parent == nil || ns.users.Add(-1) > 0 || !ns.server.opts.CleanupEmptyChildNamespaces {
		return
	}
	s := ns.server
	s.mu.Lock()
	if ns.users.Load() > 0 || s.namespaces[ns.name] != ns {
		s.mu.Unlock()
		return
	}
	delete(s.namespaces, ns.name)
	ns.parent.childrenMu.Lock()
	delete(ns.parent.children, ns.name)
	ns.parent.childrenMu.Unlock()
	s.mu.Unlock()
	if ns.cluster() == nil {
		ns.close()
		return
	}
	s.handlers.Add(1)
	go func() { // an adapter's Close may block, and this is a loop
		defer s.handlers.Add(-1)
		ns.close()
	}()
}

// lookup returns a namespace that clients may connect to at once, and counts the
// client. If there is none, unknown says that no parent can make one.
func (s *Server) lookup(name []byte) (ns *Namespace, unknown bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ns = s.namespaces[string(name)]; ns != nil {
		if !ns.isOpen() {
			return nil, false
		}
		ns.enter()
		return ns, false
	}
	for _, p := range s.parents {
		if p.match != nil || p.pattern.Match(name) {
			return nil, false
		}
	}
	return nil, true
}

// resolve asks the parents for a namespace; nil if none wants it. It may block.
func (s *Server) resolve(ctx context.Context, name string, auth json.RawMessage) *Namespace {
	s.mu.RLock()
	ns, parents := s.namespaces[name], s.parents
	if ns != nil {
		ns.enter()
	}
	s.mu.RUnlock()
	if ns != nil {
		<-ns.ready
		return ns
	}
	for _, p := range parents {
		yes := p.matches(ctx, name, auth)
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil // the client has gone: nobody needs a namespace
		}
		if yes {
			return s.child(p, name)
		}
	}
	return nil
}

func (p *ParentNamespace) matches(ctx context.Context, name string, auth json.RawMessage) (yes bool) {
	if p.pattern != nil {
		return p.pattern.MatchString(name)
	}
	defer func() {
		if v := recover(); v != nil {
			p.server.report(nil, &PanicError{"Server.OfFunc", v, debug.Stack()})
		}
	}()
	return p.match(ctx, name, auth)
}

// resolving is a namespace that a client wants to join and that is being asked
// for.
type resolving struct {
	client *client
	name   string
	auth   []byte
	ctx    context.Context //nolint:containedctx // it is that of one call
	cancel context.CancelFunc
	ns     *Namespace
}

// resolve has the parents asked for a namespace, on a goroutine.
func (c *client) resolve(name string, auth []byte) {
	r := &resolving{client: c, name: name, auth: auth}
	r.ctx, r.cancel = context.WithTimeout(context.Background(), c.server.opts.HookTimeout)
	c.resolving = append(c.resolving, r)
	c.server.handlers.Add(1)
	go func() {
		defer c.server.handlers.Add(-1)
		r.ns = c.server.resolve(r.ctx, name, authObject(auth))
		c.session.Post(r)
	}()
}

// Run goes on when the parents were asked, on the loop that owns the session.
func (r *resolving) Run(l *loop.Loop) {
	c := r.client
	if !c.session.Owned(l, r) {
		return
	}
	r.cancel()
	present := c.forgetResolving(r)
	switch {
	case r.ns == nil:
		if present {
			c.sendConnectError(r.name, "Invalid namespace")
		}
	case !present: // the client has gone
		r.ns.leave()
	default:
		c.enter(r.ns, r.auth)
	}
}

// forgetResolving takes r off the client, and reports whether it was there.
func (c *client) forgetResolving(r *resolving) bool {
	for i, other := range c.resolving {
		if other == r {
			c.resolving = append(c.resolving[:i], c.resolving[i+1:]...)
			return true
		}
	}
	return false
}

// isResolving reports whether the parents are being asked for a namespace.
func (c *client) isResolving(name []byte) bool {
	for _, r := range c.resolving {
		if r.name == string(name) {
			return true
		}
	}
	return false
}

// authObject returns what the program gets as auth data.
func authObject(auth []byte) json.RawMessage {
	if len(auth) == 0 {
		return json.RawMessage("{}")
	}
	return auth
}
