// Package engine is the Engine.IO 4 server: sessions over long polling and
// WebSocket, the upgrade from one to the other, and the heartbeat. It knows
// nothing of namespaces, rooms or events: those are layered above through
// [Handler].
//
// # Threads
//
// A session's state belongs to one loop, its owner, and is touched there only.
// HTTP requests that arrive on another loop are parsed there, handed to the
// owner as a task and answered back through the loop of their connection. When
// a session upgrades to a WebSocket on another loop, it moves there, so that
// frames never cross loops; move.go says how no message is overtaken by that.
//
// Protocol: https://socket.io/docs/v4/engine-io-protocol/
package engine
