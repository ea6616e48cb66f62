package sio

import "github.com/sio-gnet/sio-gnet/loop"

// Awaited returns how many answers a socket waits for, and whether it has memory for
// that.
func (s *Socket) Awaited() (n int, memory bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks), s.acks != nil
}

// RunningHandlers returns how many goroutines run handlers.
func (s *Server) RunningHandlers() int { return int(s.handlers.Load()) }

// Known returns how many namespaces there are, and how many other sockets the client
// of one has or asks for.
func (s *Server) Known(socket string) (namespaces, others int) {
	client, left := s.Socket(socket).client, make(chan int)
	client.session.Post(loop.TaskFunc(func(*loop.Loop) { left <- len(client.sockets) - 1 + len(client.resolving) }))
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.namespaces), <-left
}

// Kept returns how many events and sessions a namespace keeps for clients that may come
// back.
func (ns *Namespace) Kept() int {
	ns.log.mu.Lock()
	defer ns.log.mu.Unlock()
	return len(ns.log.entries) + len(ns.log.sessions)
}
