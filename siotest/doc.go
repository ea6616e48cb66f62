// Package siotest is for tests of programs that are Socket.IO servers. It serves
// the program's own [sio.Server] in memory, is its clients, and has the server's
// time in its hands.
//
//	func TestChat(t *testing.T) {
//		io, err := sio.New(nil)
//		if err != nil {
//			t.Fatal(err)
//		}
//		chat.Register(io) // as the program does
//		srv := siotest.Start(t, io)
//
//		alice := srv.Connect(t, siotest.Auth(map[string]any{"token": "a"}))
//		bob := srv.Connect(t)
//		alice.Call("join", "lobby") // waits for the acknowledgement
//		alice.Emit("chat", "hi")
//
//		var text string
//		if err := bob.Expect("chat").Decode(&text); err != nil || text != "hi" {
//			t.Errorf("bob got %q, %v", text, err)
//		}
//		alice.ExpectNone("chat")
//	}
//
// The server is the real one, down to its event loops: only the connections are
// pairs of unix sockets in place of TCP, so there are no ports, and the peers have
// no addresses. Where addresses matter, let [sio.Options.TrustUnixPeers] and an
// X-Forwarded-For of [Header] stand in.
//
// For a program to be tested like this, what it registers, with the server and with
// the router of [sio.Options.Handler], has to be a function of its own, apart from
// main; see the example of [Server.HTTP]. Its log lines are best left to the test,
// which shows them if it fails, and with it what was reported to OnError:
//
//	log := slog.New(slog.NewTextHandler(t.Output(), nil))
//	io, err := sio.New(&sio.Options{Logger: log})
//
// # Waiting
//
// Nothing here needs a sleep. [Client.Call] and [Client.Expect] wait for what they
// name, and fail the test after 10 seconds ([Patience]) with a list of what came
// instead. [Server.Wait] waits until everything has happened that follows from what
// was done so far, and [Client.ExpectNone] judges then. Between them lies what only
// the program knows: its own goroutines, and what they do later.
//
// # Time
//
// The server's clock stands still. [Server.Advance] moves it, so that a test of a
// vanished client takes no 45 seconds, and can tell 45 seconds from 44.999:
//
//	bob.Drop() // as with a cable pulled out
//	srv.Advance(45 * time.Second)
//	// now the program's OnDisconnect was told "ping timeout"
//
// Clients answer heartbeats at all times unless they were dropped. Contexts,
// timers and sleeps of the program itself run on real time. The package
// testing/synctest can't be combined with this one: a server's event loops wait in
// the kernel, where a bubble does not reach.
//
// # Clients
//
// A [Client] is one socket, in one namespace, over WebSocket, polling or both
// ([Transport]). [Client.Connect] adds a namespace to its connection. A []byte is
// binary data in both directions, wherever in the arguments it stands. Handlers
// ([Client.On], [Client.OnCall]) and Expect go together. How a client may end is
// told at [Client.Disconnect], [Client.Cut] and [Client.Drop], and
// [Client.Reconnect] brings it back.
//
// For tests of a refusal, there is [Server.TryConnect]; for those that look at the
// very packets, [Server.Open]; and for a server in another process, [Dial],
// [TryDial] and the function [Open].
package siotest
