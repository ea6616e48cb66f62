package e2e

import (
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
)

// modes are the ways a client may connect, as the client scripts name them.
var modes = []string{"polling", "websocket", "upgrade"}

// TestNodeClient runs the checks of socket.io-client in Node.
func TestNodeClient(t *testing.T) {
	node := nodeTool(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			f := startFixture(t)
			runChecks(t, nodeClients, node, "run.mjs", "--url", f.url, "--mode", mode)
			if mode == "websocket" {
				// A polling client that ends without a word is missed at its next heartbeat only.
				f.drained(t)
			}
		})
	}
}

// TestNodeMessagePack runs them with MessagePack in place of JSON.
func TestNodeMessagePack(t *testing.T) {
	node := nodeTool(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			f := startFixture(t, func(o *sio.Options) { o.Parser = msgpack.Parser{} })
			runChecks(t, nodeClients, node, "msgpack.mjs", "--url", f.url, "--mode", mode)
			if mode == "websocket" {
				f.drained(t)
			}
		})
	}
}

// TestNodeClientOfGuest runs the same checks against a guest of a net/http server, and
// those of one mode over TLS.
func TestNodeClientOfGuest(t *testing.T) {
	node := nodeTool(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			f := startGuest(t, false)
			runChecks(t, nodeClients, node, "run.mjs", "--url", f.url, "--mode", mode)
			if mode == "websocket" {
				f.drained(t)
			}
		})
	}
	t.Run("upgrade over TLS", func(t *testing.T) {
		f := startGuest(t, true)
		runChecks(t, nodeClients, node, "run.mjs", "--url", f.url, "--mode", "upgrade")
	})
}

// TestNodeDeflate runs the ws package of Node, and socket.io-client over it, with
// compression: their side is zlib.
func TestNodeDeflate(t *testing.T) {
	node := nodeTool(t)
	for name, deflate := range map[string]*sio.Deflate{
		"defaults":      {},
		"takeover":      {ServerContextTakeover: true, ClientContextTakeover: true},
		"small windows": {ServerContextTakeover: true, ClientContextTakeover: true, ServerMaxWindowBits: 10, ClientMaxWindowBits: 8},
		"level 9":       {Level: 9, ServerContextTakeover: true, Threshold: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFixture(t, func(o *sio.Options) { o.PerMessageDeflate = deflate })
			runChecks(t, nodeClients, node, "deflate.mjs", "--url", f.url)
			f.drained(t)
		})
	}
}

// TestNodeLegacyClient runs the checks of socket.io-client 2 in Node.
func TestNodeLegacyClient(t *testing.T) {
	node := nodeTool(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			f := startFixture(t, func(o *sio.Options) { o.AllowEIO3 = true })
			runChecks(t, nodeClients, node, "legacy.mjs", "--url", f.url, "--mode", mode)
		})
	}
}
