// Package ids makes the random ids of sessions, sockets and recovery.
package ids

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
)

// Length is the length of an id in characters: 120 random bits as base64url.
const Length = size * 4 / 3

const (
	size  = 15
	batch = 256
)

var pool = sync.Pool{New: func() any { return &source{used: batch * size} }}

// source reads random bytes in batches: a system call per id would cost more
// than all else about it.
type source struct {
	random [batch * size]byte
	used   int
}

// New returns a fresh id that nobody can guess. Any goroutine may call it.
func New() string {
	s := pool.Get().(*source)
	defer pool.Put(s)
	if s.used == len(s.random) {
		rand.Read(s.random[:]) // documented never to fail
		s.used = 0
	}
	var text [Length]byte
	bits := s.random[s.used : s.used+size]
	base64.RawURLEncoding.Encode(text[:], bits)
	clear(bits) // an id must not linger where a later bug could read it
	s.used += size
	return string(text[:])
}
