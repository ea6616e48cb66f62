// Package sio is a Socket.IO server. It speaks Socket.IO protocol 5 over
// Engine.IO 4, so the clients of Socket.IO 3 and 4 in any language connect to
// it, by long polling and by WebSocket; with [Options].AllowEIO3 those of versions 1
// and 2 do, too. The folder docs of the repository has guides; the package siotest
// is for tests of programs.
//
//	io, err := sio.New(nil)
//	if err != nil { … }
//	io.OnConnection(func(s *sio.Socket) {
//		s.On("chat", func(s *sio.Socket, text string) {
//			s.Broadcast().Emit("chat", text)
//		})
//	})
//	err = io.ListenAndServe(":3000")
//
// # Handlers
//
// A handler is an ordinary function: the socket, the event's arguments in the
// types that the program wants, and an [Ack] if the client may ask for one. The
// events of one socket are handled in order, one at a time; a handler may
// block without holding up any other socket. [Inline] is for handlers that
// never block and want to save the switch to another goroutine.
//
// # Order
//
// What one goroutine emits to a socket, directly or by broadcasts, arrives in
// that order, on every transport and through upgrades.
//
// # Concurrency
//
// Every exported method may be called from any goroutine and, unless it says
// otherwise, never blocks.
package sio
