// Package loop is the reactor: it owns the sockets. It accepts connections,
// hands them to a few gnet event loops, parses HTTP/1.1 and WebSocket (RFC
// 6455) incrementally from whatever bytes arrive, keeps the timers, and queues
// and flushes output.
//
// It knows nothing of Engine.IO or Socket.IO: complete requests and messages
// go to the [Handler] and the [Stream] of a connection, bytes come back. A [Router]
// may leave requests to http.Handlers: net/http serves those, over connections in
// memory.
//
// Connections come from a listener ([Reactor.Serve]), or by way of a net/http server
// ([Reactor.ServeHTTP]).
//
// # Threads
//
// A connection belongs to one [Loop] for its whole life. Everything marked "on
// the loop" may only be called from a callback or a [Task] running on that
// loop; such code must never block. From any other goroutine, [Loop.Post] hands
// a task over. There is no goroutine, no runtime timer and no buffer per idle
// connection, but for WebSockets that a net/http server has with TLS.
//
// # Turns
//
// Output produced by one turn of a loop is queued and leaves in one writev per
// connection at the end of the turn.
package loop
