package engine

import (
	"hash/maphash"
	"sync"
)

// registry finds sessions by id, from any goroutine.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]registryShard
}

const registryShards = 64

type registryShard struct {
	mu       sync.RWMutex
	sessions map[string]*Session
	_        [32]byte // keeps neighbours off one cache line
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].sessions = make(map[string]*Session)
	}
	return r
}

func (r *registry) shard(id []byte) *registryShard {
	return &r.shards[maphash.Bytes(r.seed, id)%registryShards]
}

// add reports false if another session has that id.
func (r *registry) add(s *Session) bool {
	sh := r.shard([]byte(s.id))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.sessions[s.id] != nil {
		return false
	}
	sh.sessions[s.id] = s
	return true
}

func (r *registry) remove(s *Session) {
	sh := r.shard([]byte(s.id))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.sessions[s.id] == s {
		delete(sh.sessions, s.id)
	}
}

func (r *registry) get(id []byte) *Session {
	sh := r.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.sessions[string(id)]
}

func (r *registry) all() []*Session {
	var all []*Session
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		for _, s := range sh.sessions {
			all = append(all, s)
		}
		sh.mu.RUnlock()
	}
	return all
}
